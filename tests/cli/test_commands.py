# SPDX-License-Identifier: Apache-2.0
"""Projects, repos, branches and commits on the command line; errors and exit codes."""

import io
import subprocess
import sys
import time

import pytest

from howdah.cli.main import COMMANDS
from howdah.cli.progress import Meter
from howdah.client import Client

EVERY = [(verb, *noun.split()) for verb, (_, nouns) in COMMANDS.items() for noun in nouns or ("",)]


@pytest.mark.parametrize("words", EVERY, ids="-".join)
def test_help_begins_with_an_example(howdah, words):
    """Every command shows how it is typed before anything else."""
    ran = howdah(*words, "--help")

    assert 0 == ran.code
    first, example, *_ = ran.out.splitlines()
    assert first in ("Example:", "Examples:")
    assert "howdah " + " ".join(words) in example.replace(" --local ", " local ")  # it may be said as an option


def test_repos_are_made_shown_changed_and_removed(howdah):
    """The life of a repo."""
    howdah("create", "repo", "life", "-d", "first")
    howdah("update", "repo", "life", "-d", "second")

    assert "second" == howdah("inspect", "repo", "life", "-o", "json").json["description"]
    assert "default/life" in [each["repo"] for each in howdah("list", "repo", "-o", "json").json]
    assert 0 == howdah("delete", "repo", "life").code
    assert 3 == howdah("inspect", "repo", "life").code


def test_projects_hold_repos_of_their_own(howdah):
    """`--project`, before the verb or after the noun, says where names are looked for."""
    assert 0 == howdah("create", "project", "vision").code
    assert 0 == howdah("create", "repo", "images", "--project", "vision").code

    ours = howdah("--project", "vision", "-o", "json", "list", "repo").json
    assert ["vision/images"] == [each["repo"] for each in ours]
    assert 3 == howdah("inspect", "repo", "images").code
    assert 6 == howdah("delete", "project", "vision").code
    assert 0 == howdah("delete", "project", "vision", "--force").code


@pytest.mark.parametrize("thing", ["project", "repo"])
def test_updating_what_is_not_there_makes_nothing(howdah, thing):
    """`update` is no `create`."""
    assert 3 == howdah("update", thing, "absent", "-d", "x").code
    assert 3 == howdah("inspect", thing, "absent").code


def test_branches_are_made_and_moved(howdah, repo):
    """Heads are named in short: the repo is the branch's own."""
    first = howdah("create", "commit", f"{repo}@master").out.strip()
    second = howdah("create", "commit", f"{repo}@master").out.strip()
    howdah("create", "branch", f"{repo}@old", "--head", first)

    howdah("update", "branch", f"{repo}@master", "--head", "master^")

    heads = {each["branch"]: each["head"] for each in howdah("list", "branch", repo, "-o", "json").json}
    assert {f"default/{repo}@{name}": f"default/{repo}@{first}" for name in ("master", "old")} == heads
    assert first != second
    assert 0 == howdah("delete", "branch", f"{repo}@old").code
    assert 3 == howdah("inspect", "branch", f"{repo}@old").code


def test_a_commit_is_started_finished_and_waited_for(howdah, repo):
    """Its id is printed alone, so that scripts can use it."""
    id = howdah("start", "commit", f"{repo}@master", "-m", "mine").out.strip()
    assert 0 == howdah("finish", "commit", f"{repo}@{id}").code

    ran = howdah("wait", "commit", f"{repo}@master", "-o", "json")
    assert (0, "FINISHED", "mine") == (ran.code, ran.json["state"], ran.json["description"])
    assert 0 == howdah("wait", "commit", id).code
    assert [f"default/{repo}@{id}"] == [each["commit"] for each in howdah("list", "commit", repo, "-o", "json").json]
    assert [f"default/{repo}@{id}"] == [each["commit"] for each in howdah("list", "commit", id, "-o", "json").json]
    assert 6 == howdah("finish", "commit", f"{repo}@{id}").code


def test_waiting_for_a_bad_commit_ends_with_its_own_code(howdah, repo, server):
    """What came is a failure, and scripts can tell."""
    with Client(server.grpc_address) as client:
        commit = client.start_commit(f"{repo}@master")
        client.finish_commit(commit, error="no good")

    ran = howdah("wait", "commit", f"{repo}@master")
    assert 10 == ran.code
    assert "no good" in ran.out


def test_a_wait_that_takes_long_says_what_for(howdah, repo):
    """And a time limit ends it as unavailable."""
    howdah("start", "commit", f"{repo}@master")

    ran = howdah("wait", "commit", f"{repo}@master", "--timeout", "1.3")

    assert 7 == ran.code
    assert f"waiting for commit {repo}@master" in ran.err


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["lst", "repo"], 2, "did you mean list?"),
        (["list", "rpo"], 2, "did you mean repo?"),
        (["list", "zzz"], 2, "it can be project, repo"),
        (["list"], 2, "Usage: howdah list"),
        (["create", "repo"], 2, "missing argument 'REPO'"),
        (["create", "repo", "a b"], 2, "only alphanumeric characters"),
        (["create", "repo", "x", "--frob"], 2, "no such option"),
        (["create", "repo", "absent/x"], 3, "absent"),
        (["list", "repo", "-o", "xml"], 2, "'table', 'json'"),
        (["inspect", "repo", "nothing"], 3, "nothing"),
        (["inspect", "commit", "nothing"], 2, "names no branch or commit id"),
        (["inspect", "commit", "nothing@master"], 3, "not found"),
        (["list", "commit", "nothing"], 3, "not found"),
        (["delete", "repo", "nothing"], 3, "not found"),
        (["create", "pipeline", "-f", "/absent.yaml"], 3, "/absent.yaml"),
        (["inspect", "pipeline", "nothing"], 3, "not found"),
        (["inspect", "job", "nothing@4f1c"], 3, "write PIPELINE for its newest job"),
        (["--address", "ftp://x", "list", "repo"], 2, "scheme ftp is unknown"),
        (["--address", "127.0.0.1:1", "list", "repo"], 7, "start one: howdah server"),
        (["create", "repo", "ok", "-d", "\udcff"], 2, "is not UTF-8"),
        (["get", "file", "-r", "x@master:/"], 2, "name a folder by -o"),
        (["logs"], 2, "a pipeline's with -p"),
        (["logs", "-p", "x", "--since", "yesterday"], 2, "is no time"),
        (["logs", "--server", "--grep", "("], 2, "regular expression"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_errors_have_codes_and_one_line(howdah, words, code, text):
    """Whatever is wrong: its code, and on stderr what and what to do."""
    ran = howdah(*words)

    assert code == ran.code
    assert text in ran.err
    if words != ["list"]:
        assert ran.err.startswith("howdah: ")
        assert 1 == len(ran.err.splitlines())
    assert "" == ran.out


def test_a_name_that_is_taken_has_its_code(howdah, repo):
    """AlreadyExists is 4."""
    assert 4 == howdah("create", "repo", repo).code


def test_the_version_is_told_with_and_without_a_server(howdah):
    """A server that is away is a note, not a failure."""
    assert "server  " in howdah("version").out
    alone = howdah("version", "--address", "127.0.0.1:1")
    assert (0, 1) == (alone.code, len(alone.out.splitlines()))
    assert howdah("version", "-o", "json").json["server"]["lake_id"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(howdah, shell):
    """The script asks the program itself what may follow."""
    assert "_HOWDAH_COMPLETE" in howdah("completion", shell).out


def test_listing_loads_no_storage(server):
    """A command that touches no file pays for none: neither Arrow nor the storage library is loaded."""
    code = (
        "import sys; from howdah.cli.main import run; run(['list', 'repo', '-o', 'json']);"
        "sys.exit(' '.join({'pyarrow', 'howdah.storage', 'rich', 'yaml'} & set(sys.modules)) or 0)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"HOWDAH_ADDRESS": server.grpc_address, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (ran.returncode, ran.stderr)


def test_a_reader_that_goes_away_is_no_fault(server):
    """`howdah … | head` ends without a word."""
    script = "import sys; from howdah.cli.main import main; main()"
    ran = subprocess.Popen(
        [sys.executable, "-c", script, "list", "repo"],
        env={"HOWDAH_ADDRESS": server.grpc_address, "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    ran.stdout.close()

    assert (b"", 141) == (ran.stderr.read(), ran.wait())


def test_progress_is_a_plain_line_each_ten_seconds():
    """Off a terminal, and nothing at all within the first second."""
    now, out = [0.0], io.StringIO()
    with Meter("putting", out, now=lambda: now[0]) as meter:
        for second in (0.5, 2.0, 5.0, 13.0):
            now[0] = second
            meter.add(1 << 20, 1)

    assert [
        "putting: 2 files, 2MiB in 2s, 1MiB/s",
        "putting: 4 files, 4MiB in 13s, 315KiB/s",
        "putting: 4 files, 4MiB in 13s, 315KiB/s",
    ] == out.getvalue().splitlines()


class Terminal(io.StringIO):
    """Where people look."""

    def isatty(self):
        return True


def test_progress_moves_on_a_terminal():
    """What is drawn goes away; one line with the sum stays."""
    now, out = [0.0], Terminal()
    with Meter("putting", out, now=lambda: now[0]) as meter:
        now[0] = 2.0
        meter.add(1 << 20, 1)

    assert out.getvalue().endswith("putting: 1 file, 1MiB in 2s, 512KiB/s\n")


def test_work_within_a_second_shows_no_progress():
    """Short work is silent."""
    out = io.StringIO()
    with Meter("putting", out, now=time.monotonic) as meter:
        meter.add(1, 1)

    assert "" == out.getvalue()

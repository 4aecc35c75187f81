# SPDX-License-Identifier: Apache-2.0
"""`howdah run --local`: one datum on this machine, as a worker runs it, and nothing is committed."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from howdah.testing.server import running_server
from howdah.worker.volumes import left_in_memory

NOT_OURS = ("PPS_POD_NAME", "PFS", "PWD", "SHLVL", "_", "OLDPWD")
SPEC = {
    "pipeline": {"name": "copy"},
    "input": {
        "cross": [
            {"pfs": {"repo": "texts", "glob": "/*"}},
            {"pfs": {"repo": "more", "name": "names", "glob": "/", "emptyFiles": True}},
        ]
    },
    "transform": {
        "cmd": ["sh"],
        "stdin": [
            "cd $PFS; env > out/env-$(ls texts)",
            "cp texts/* out/",
            "echo said; echo $(id -u)",
        ],
        "env": {"GREETING": "hi there"},
    },
    "datumTries": 1,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as running:
        yield running


@pytest.fixture
def spec(tmp_path):
    """Writes a changed spec; its path."""

    def write(**transform):
        path = tmp_path / "changed.json"
        path.write_text(json.dumps({**SPEC, "transform": {**SPEC["transform"], **transform}}))
        return str(path)

    return write


@pytest.fixture
def datum(howdah, tmp_path, spec, monkeypatch):
    """The datum of the file `a` of a pipeline that has worked; the same pipeline for all tests."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where scratch folders lie
    if howdah("inspect", "pipeline", "copy").code:
        for repo, name in (("texts", "a"), ("texts", "b"), ("more", "sub/x")):
            howdah("create", "repo", repo)
            local = tmp_path / "local" / name
            local.parent.mkdir(parents=True, exist_ok=True)
            local.write_text(f"in {name}\n")
            assert 0 == howdah("put", "file", f"{repo}@master:/{name}", "-f", str(local)).code
        made = howdah("create", "pipeline", "-f", spec())
        assert (0, "") == (made.code, made.err)
        assert 0 == howdah("wait", "commit", "copy@master", "--timeout", "60").code
    found = howdah("list", "datum", newest(howdah), "-o", "json").json
    return next(each["id"] for each in found if any(one["file"].endswith(":/a") for one in each["inputs"]))


def newest(howdah):
    return howdah("list", "job", "-p", "copy", "-n", "1", "-o", "json").json[0]["job"]


def variables(text):
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs if name not in NOT_OURS}


@pytest.mark.slow
def test_a_datum_runs_here_as_it_ran_there(howdah, datum, tmp_path):
    """The same files and variables; what it prints goes to stderr, and no commit is made."""
    before = howdah("list", "commit", "-o", "json").out

    ran = howdah("run", "--local", "copy", datum[:12], "--out", str(tmp_path / "out"), "-o", "json")

    assert (0, "", 0, datum) == (ran.code, ran.json["reason"], ran.json["exit_code"], ran.json["datum"])
    assert f"said\n{os.geteuid()}\n" == ran.err
    assert ["/a", "/env-a"] == [each["path"] for each in ran.json["outputs"]]
    assert "in a\n" == (tmp_path / "out" / "a").read_text()
    there = howdah("get", "file", "copy@master:/env-a").out
    ours = variables((tmp_path / "out" / "env-a").read_text())
    same = {name: value for name, value in ours.items() if "texts" not in name and name != "PACH_DATUM_ID"}
    assert same == {name: value for name, value in variables(there).items() if name in same}
    assert (set(variables(there)), "hi there", "/pfs/texts/a") == (set(ours), ours["GREETING"], ours["texts"])
    assert before == howdah("list", "commit", "-o", "json").out


@pytest.mark.slow
def test_a_changed_spec_is_tried_and_its_failure_told(howdah, datum, spec):
    """The exit code of the command is shown, the one of howdah is 10; a recovered datum is told as such."""
    changed = spec(stdin=["ls $PFS/names/sub; cat $PFS/names/sub/x; echo 1 > $PFS/out/half; exit 3"])

    failed = howdah("run", "--local", "copy", "--file", "texts:/a", "-f", changed)

    assert (10, "x\n") == (failed.code, failed.err)
    assert "failed: its command exited with code 3" in failed.out
    assert "/half" in failed.out
    folder = next(line.split()[-1] for line in failed.out.splitlines() if line.startswith("output in"))
    assert ["half"] == os.listdir(folder)
    recovered = howdah("run", "--local", "copy", datum, "-f", spec(stdin=["exit 3"], errCmd=["true"]), "-o", "json")
    assert (10, True, 3) == (recovered.code, recovered.json["recovered"], recovered.json["exit_code"])


@pytest.mark.slow
def test_another_command_is_tried(howdah, datum, tmp_path):
    """Its words are those of a shell, and the lines for the other one are not given to it; /pfs is not seen outside."""
    ran = howdah("run", "--local", "copy", datum, "--cmd", "sh -c 'cat; echo tried; ls /pfs 2>/dev/null'", "-o", "json")

    assert (0, "tried") == (ran.code, ran.err.splitlines()[0])
    assert [] == ran.json["outputs"]
    assert 2 == howdah("run", "--local", "copy", datum, "--cmd", "sh 'x").code


@pytest.mark.slow
def test_the_words_may_stand_in_any_order(howdah, datum, tmp_path):
    """`--local` is an option, and `local` a noun."""
    job = newest(howdah).partition("@")[2]
    calls = (
        ("run", "--local", "copy", datum),
        ("run", "local", "copy", datum, "-j", job),
        ("run", "-j", job, "copy", datum, "--local"),
    )

    assert [0, 0, 0] == [howdah(*words, "--cmd", "true").code for words in calls]


@pytest.mark.slow
def test_what_is_not_there_is_told(howdah, datum, tmp_path):
    """Datums, jobs, specs, folders that are full; and how it is said right."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    calls = {
        ("copy",): (2, "say which datum"),
        ("copy", "zz"): (3, "no datum of the jobs of pipeline default/copy has the id zz"),
        ("copy", "--file", "texts:/zz"): (3, "reads texts:/zz"),
        ("copy", "f" * 32): (3, "no datum of"),
        ("nothing", datum): (3, "nothing"),
        ("copy", datum, "-j", "0123456789ab4def8123456789abcdef"): (3, "not found"),
        ("copy", datum, "--out", str(tmp_path / "full")): (2, "no empty folder"),
        ("copy", datum, "--secret", "db"): (2, "NAME=FILE"),
    }

    answers = {words: howdah("run", "--local", *words) for words in calls}

    assert {words: code for words, (code, _) in calls.items()} == {words: each.code for words, each in answers.items()}
    assert [] == [(words, answers[words].err) for words, (_, text) in calls.items() if text not in answers[words].err]


@pytest.mark.slow
def test_secrets_are_those_that_are_given(howdah, datum, spec, tmp_path):
    """The lake's own are for its workers; what is missing is told, and what is printed of one is masked."""
    howdah("create", "secret", "db", "--from-env", "password=HOME")
    (tmp_path / "password").write_bytes(b"s3cr3t-of-here")
    mounts = [{"name": "db", "key": "password", "envVar": "PASSWORD"}]
    changed = spec(stdin=['echo "${PASSWORD-none}"; printf "$PASSWORD" > $PFS/out/it'], secrets=mounts)
    words = ("run", "--local", "copy", datum, "-f", changed)

    without = howdah(*words)
    given = howdah(*words, "--secret", f"db/password={tmp_path / 'password'}", "--out", str(tmp_path / "out"))

    assert "secret db is not there" in without.err
    assert "none" in without.err.splitlines()
    assert "***\n" == given.err
    assert "s3cr3t-of-here" == (tmp_path / "out" / "it").read_text()


@pytest.mark.slow
def test_lazy_files_come_when_they_are_read(howdah, datum, tmp_path):
    """They are pipes here as in a worker."""
    lazy = {**SPEC, "input": {"cross": [dict(each) for each in SPEC["input"]["cross"]]}}
    lazy["input"]["cross"][0] = {"pfs": {"repo": "texts", "glob": "/*", "lazy": True}}
    path = tmp_path / "lazy.json"
    path.write_text(json.dumps(lazy))

    ran = howdah("run", "--local", "copy", datum, "-f", str(path), "--out", str(tmp_path / "out"))

    assert 0 == ran.code
    assert "in a\n" == (tmp_path / "out" / "a").read_text()


@pytest.mark.slow
def test_a_process_that_stays_up_is_given_the_datum(howdah, datum, spec, tmp_path):
    """Datum batching is the worker's own; a command that does not ask is told what one that runs there is told."""
    ran = howdah("run", "--local", "copy", datum, "-f", spec(stdin=["exit 0"], datumBatching=True), "-o", "json")

    assert 10 == ran.code
    assert "with datum_batching it must ask" in ran.json["reason"]


@pytest.mark.slow
def test_output_in_memory_is_kept_on_disk(howdah, datum, spec):
    """A pipeline with memory_volume has its files there; nothing of it stays there."""
    script = ["stat -c %d /pfs/texts > $PFS/out/device; mkdir $PFS/out/d; echo deep > $PFS/out/d/f"]

    ran = howdah("run", "--local", "copy", datum, "-f", spec(stdin=script, memoryVolume=True), "-o", "json")
    folder = Path(ran.json["folder"])

    assert (0, ["d", "device"]) == (ran.code, sorted(os.listdir(folder)))
    assert (f"{os.stat('/dev/shm').st_dev}\n", "deep\n") == tuple(
        (folder / name).read_text() for name in ("device", "d/f")
    )
    assert os.stat(folder).st_dev == os.stat(tempfile.gettempdir()).st_dev
    assert [] == left_in_memory(folder.parent)


@pytest.mark.slow
def test_a_shell_opens_where_the_command_would_run(server, howdah, datum, tmp_path):
    """It has a terminal, /pfs and the variables; its exit code is the command's, its files are the output."""
    typed = 'cp $PFS/texts/a $PFS/out/b; test -t 0 && echo "a terminal, $GREETING"; exit 7\n'
    words = [
        sys.executable,
        "-m",
        "howdah.cli",
        "run",
        "--local",
        "copy",
        datum,
        "--shell",
        "--out",
        str(tmp_path / "out"),
    ]

    ran = subprocess.run(
        words,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOWDAH_ADDRESS": server.grpc_address, "SHELL": "/bin/sh"},
        check=False,
    )

    assert 7 == ran.returncode, ran.stderr
    assert "a terminal, hi there" in ran.stdout
    assert "in a\n" == (tmp_path / "out" / "b").read_text()

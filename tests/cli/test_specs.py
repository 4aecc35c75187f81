# SPDX-License-Identifier: Apache-2.0
"""Specs on the command line: where they come from, checking, editing, defaults, templates."""

import http.server
import json
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

TEMPLATE = """
function(name, src) {
  pipeline: { name: name },
  transform: { cmd: ["true"] },
  input: { pfs: { repo: src, glob: "/*" } },
}
"""


@pytest.fixture
def spec(howdah, repo, tmp_path):
    """Writes a spec that reads the test's repo; the path of its file."""

    def write(name=None, form="yaml", **fields):
        tree = {
            "pipeline": {"name": name or f"p-{repo}"},
            "transform": {"cmd": ["true"]},
            "input": {"pfs": {"repo": repo, "glob": "/*"}},
            **fields,
        }
        path = tmp_path / f"{name or 'spec'}.{form}"
        path.write_text(yaml.safe_dump(tree) if form == "yaml" else json.dumps(tree))
        return str(path)

    return write


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Makes a command of a Python program the user's editor; `path` is the file that it is given."""

    def use(program):
        script = tmp_path / "editor.py"
        script.write_text(f"import pathlib, sys\npath = pathlib.Path(sys.argv[1])\n{program}\n")
        monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    return use


@contextmanager
def web(text):
    """An address of the web that has a text."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/spec"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def inspect(howdah, name):
    return howdah("inspect", "pipeline", name, "-o", "json").json


def kept_files(tmp_path):
    return list(tmp_path.glob("howdah-pipeline-*"))


def test_specs_come_from_the_web_and_from_templates(howdah, repo, spec, tmp_path):
    """From wherever a file may be."""
    template = tmp_path / "t.jsonnet"
    template.write_text(TEMPLATE)

    with web(Path(spec("web-" + repo)).read_text()) as address:
        assert 0 == howdah("create", "pipeline", "-f", address).code
    with web(TEMPLATE) as address:
        made = howdah("create", "pipeline", "--jsonnet", address, "--arg", f"name=t-{repo}", "--arg", f"src={repo}")
    again = howdah("update", "pipeline", "--jsonnet", str(template), "--arg", f"name=t-{repo}", "--arg", "src=nope")

    assert (0, 3) == (made.code, again.code)
    assert {1} == {inspect(howdah, f"{name}-{repo}")["version"] for name in ("web", "t")}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "say where the spec is"),
        (("-f", "a", "--jsonnet", "b"), "say where the spec is"),
        (("-f", "a", "--arg", "b=c"), "--arg is for templates"),
        (("--jsonnet", "/nowhere", "--arg", "b"), "'/nowhere'"),
    ],
)
def test_a_spec_comes_from_one_place(howdah, words, expected):
    """And what goes with the other is told."""
    ran = howdah("create", "pipeline", *words)

    assert 0 != ran.code
    assert expected in ran.err


def test_several_specs_are_made_each_or_all_together(howdah, repo, spec, tmp_path):
    """By itself the first stays when the second is bad; together it does not."""
    both = tmp_path / "both.yaml"
    elsewhere = {"input": {"pfs": {"repo": "nope", "glob": "/"}}}
    both.write_text("---\n".join(Path(path).read_text() for path in (spec("one"), spec("two", **elsewhere))))

    together = howdah("create", "pipeline", "-f", str(both), "--all-or-nothing")
    none = howdah("inspect", "pipeline", "one").code
    each = howdah("create", "pipeline", "-f", str(both))

    assert (3, 3, 3, 0) == (together.code, none, each.code, howdah("inspect", "pipeline", "one").code)
    assert 0 == howdah("delete", "pipeline", "one").code


def test_a_dry_run_shows_what_would_change(howdah, repo, spec):
    """The effective spec on stdout, the difference beside it."""
    path = spec()
    new = howdah("update", "pipeline", "-f", path, "--dry-run")
    howdah("create", "pipeline", "-f", path)
    same = howdah("update", "pipeline", "-f", path, "--dry-run")
    other = howdah("update", "pipeline", "-f", spec(datumTries=9), "--dry-run")

    assert 3 == new.json["datumTries"] == same.json["datumTries"]
    assert "would be made" in new.err
    assert "nothing would change" in same.err
    assert (9, 1) == (other.json["datumTries"], inspect(howdah, f"p-{repo}")["version"])
    assert ['-  "datumTries": 3,', '+  "datumTries": 9,'] == [
        line for line in other.err.splitlines() if "datumTries" in line
    ]


def test_validate_says_all_that_is_wrong(howdah, repo, spec):
    """With the fields, and nothing is made."""
    good, bad = spec(), spec("bad", datumTries=-1, reprocessSpec="never", transform={"cmd": ["a"], "workingDir": "w"})

    fine = howdah("validate", "pipeline", "-f", good, "-o", "json")
    faulty = howdah("validate", "pipeline", "-f", bad)
    offline = howdah("validate", "pipeline", "-f", bad, "--offline", "-o", "json", "--address", "127.0.0.1:1")
    unread = howdah("validate", "pipeline", "-f", spec("x", input={"pfs": {"repo": "nope", "glob": "/"}}))

    assert (0, [], 3) == (fine.code, fine.json[0]["faults"], fine.json[0]["effective"]["datumTries"])
    assert 2 == faulty.code == offline.code == unread.code
    assert {"datumTries", "reprocessSpec", "transform.workingDir"} == {
        line.split(": ")[1] for line in faulty.out.splitlines()
    }
    assert 3 == len(offline.json[0]["faults"])
    assert "x: input nope: repo default/nope not found" in unread.out
    assert 3 == howdah("inspect", "pipeline", f"p-{repo}").code


def test_edit_changes_a_pipeline(howdah, repo, spec, editor, tmp_path):
    """The text as it was given is opened; what is saved is the new version."""
    howdah("create", "pipeline", "-f", spec(description="old"))
    editor("path.write_text(path.read_text().replace('description: old', 'description: new'))")

    ran = howdah("edit", "pipeline", f"p-{repo}")

    assert (0, 2, "new") == (
        ran.code,
        inspect(howdah, f"p-{repo}")["version"],
        inspect(howdah, f"p-{repo}")["description"],
    )
    assert "version 2" in ran.err
    assert [] == kept_files(tmp_path)


def test_edit_of_nothing_says_so(howdah, repo, spec, editor, tmp_path):
    """In either form; the same in other words is no new version either."""
    howdah("create", "pipeline", "-f", spec(update=True, reprocess=True))  # which are no part of what it is
    editor("pass")
    untouched = howdah("edit", "pipeline", f"p-{repo}", "-o", "json")
    editor("path.write_text(path.read_text() + '# a remark')")
    reworded = howdah("edit", "pipeline", f"p-{repo}")

    assert "nothing was changed" in untouched.err
    assert "stays at version 1" in reworded.err
    assert ([], 1) == (kept_files(tmp_path), inspect(howdah, f"p-{repo}")["version"])


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("path.write_text(path.read_text() + 'datumTrys: 1')", "datumTrys: unknown field"),
        ("path.write_text(path.read_text().replace('name: p-', 'name: q-'))", "a pipeline keeps its name"),
        ("path.write_text('mine'); sys.exit(3)", "ended with exit code 3"),
    ],
)
def test_nothing_that_was_written_is_lost(howdah, repo, spec, editor, tmp_path, program, expected):
    """What is refused stays in a file that the error names."""
    howdah("create", "pipeline", "-f", spec())
    editor(program)

    ran = howdah("edit", "pipeline", f"p-{repo}")

    [kept] = kept_files(tmp_path)
    assert 0 != ran.code
    assert expected in ran.err
    assert str(kept) in ran.err
    assert ("datumTrys" in kept.read_text(), "q-" in kept.read_text(), "mine" in kept.read_text()) == (
        "datumTrys" in program,
        "q-" in program,
        "mine" in program,
    )


def test_defaults_are_kept_shown_and_taken_away(howdah, repo, spec, tmp_path):
    """Of a project, with what they make anew."""
    project = f"j{repo}"
    howdah("create", "project", project)
    howdah("create", "repo", repo, "--project", project)
    path = tmp_path / "defaults.yaml"
    path.write_text("createPipelineRequest: {datumTries: 8}")
    change = ("defaults", "--project", project, "-f", str(path))

    made = howdah("create", *change)
    twice = howdah("create", *change)
    assert 0 == howdah("create", "pipeline", "-f", spec("p"), "--project", project).code
    path.write_text('{"createPipelineRequest": {"datumTries": 6}}')
    tried = howdah("update", *change, "--regenerate", "--dry-run")
    updated = howdah("update", *change, "--regenerate", "-o", "json")
    shown = howdah("inspect", "defaults", "--project", project)
    deleted = howdah("delete", "defaults", "--project", project)

    assert (0, 1, 0, 0) == (made.code, twice.code, updated.code, deleted.code)
    assert "howdah update defaults" in twice.err
    assert ["NEW VERSION OF", f"{project}/p"] == tried.out.split("\n")[:2]
    assert [f"{project}/p"] == updated.json
    assert {"createPipelineRequest": {"datumTries": 6}} == shown.json
    assert {} == howdah("inspect", "defaults", "--project", project).json
    assert 2 == howdah("inspect", "pipeline", f"{project}/p", "-o", "json").json["version"]


def test_it_is_said_whose_defaults_are_meant(howdah, tmp_path):
    """Those of all, or of one project; what they say is checked before it is sent."""
    bad = tmp_path / "bad.json"
    bad.write_text('{"createPipelineRequest": {"datumTrys": 1}}')

    neither = howdah("inspect", "defaults")
    both = howdah("inspect", "defaults", "--cluster", "--project", "default")
    refused = howdah("create", "defaults", "--cluster", "-f", str(bad))

    assert (2, 2, 2) == (neither.code, both.code, refused.code)
    assert "createPipelineRequest.datumTrys: unknown field" in refused.err
    assert "{}\n" == howdah("inspect", "defaults", "--cluster").out


@pytest.mark.slow
def test_edit_takes_nothing_back_that_others_changed(howdah, repo, spec, editor, tmp_path):
    """An update while the editor is open counts; what was written is kept beside it."""
    howdah("create", "pipeline", "-f", spec())
    other = spec(description="theirs")
    command = ["-m", "howdah.cli", "update", "pipeline", "-f", other]
    editor(f"import subprocess\nsubprocess.run([sys.executable, *{command!r}], check=True)\npath.write_text('mine')")

    ran = howdah("edit", "pipeline", f"p-{repo}")

    [kept] = kept_files(tmp_path)
    assert (5, "mine", "theirs") == (ran.code, kept.read_text(), inspect(howdah, f"p-{repo}")["description"])
    assert "got version 2 while version 1 was edited" in ran.err

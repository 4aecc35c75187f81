# SPDX-License-Identifier: Apache-2.0
"""Secrets on the command line: values come from files, variables and standard input, never from its words."""

import io
import json
import sys

import pytest

from howdah.model.names import DEFAULT_PROJECT
from howdah.model.refs import Pipeline
from howdah.model.spec import parse_spec

VALUE = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def no_secrets(server):
    """Each test begins without any."""
    for name in ("p1", "p2"):
        server.pps.pipelines.delete(Pipeline(DEFAULT_PROJECT, name))
    for info in server.pps.secrets.list():
        server.pps.secrets.delete(info.name)


@pytest.fixture
def piped(monkeypatch):
    """What a command reads from standard input."""

    def pipe(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return pipe


def values(server, name):
    """What a secret holds, as a pipeline would be given it."""
    spec = parse_spec({
        "pipeline": {"name": "p"}, "transform": {"cmd": ["a"], "secrets": [{"name": name, "mountPath": "/a"}]},
        "input": {"pfs": {"repo": "r", "glob": "/"}},
    })  # fmt: skip
    with server.pfs.db.read() as tx:
        return server.pps.secrets.given(tx, spec)[0].files


def test_a_secret_is_made_from_files_variables_and_input(howdah, server, tmp_path, monkeypatch, piped):
    """Each under its own name or another; a line of input without its end."""
    (tmp_path / "tls.key").write_bytes(b"\0\1")
    monkeypatch.setenv("API_TOKEN", "t")
    piped(VALUE.encode() + b"\nsecond")
    files = ("--from-file", str(tmp_path / "tls.key"), "--from-file", f"ca={tmp_path / 'tls.key'}")

    made = howdah(
        "create", "secret", "db", *files, "--from-env", "API_TOKEN", "--from-env", "t=API_TOKEN",
        "--from-literal", "password", "--from-literal", "b",
    )  # fmt: skip

    assert (0, "", "") == (made.code, made.out, made.err)
    assert {
        "tls.key": b"\0\1", "ca": b"\0\1", "API_TOKEN": b"t", "t": b"t", "password": VALUE.encode(), "b": b"second",
    } == values(server, "db")  # fmt: skip


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_secret_of_kubernetes_is_taken(howdah, server, tmp_path, form):
    """As `kubectl` writes it."""
    tree = {"kind": "Secret", "metadata": {"name": "db"}, "type": "x/y", "data": {"a": "YQ=="}}
    text = json.dumps(tree) if form == "json" else "kind: Secret\nmetadata: {name: db}\ntype: x/y\ndata: {a: YQ==}\n"
    (tmp_path / "s").write_text(text)

    made = howdah("create", "secret", "-f", str(tmp_path / "s"))

    assert (0, "") == (made.code, made.err)
    assert {"a": b"a"} == values(server, "db")
    assert "x/y" == howdah("inspect", "secret", "db", "-o", "json").json["type"]


def test_secrets_are_listed_and_shown_without_their_values(howdah, piped):
    """As a table and as JSON."""
    piped(VALUE.encode())
    howdah("create", "secret", "db", "--from-literal", "password", "--type", "mine")

    ran = [howdah(*words) for words in (("list", "secret"), ("list", "secret", "-o", "json"))]
    ran += [howdah("inspect", "secret", "db"), howdah("inspect", "secret", "db", "-o", "json")]

    assert [0] * 4 == [each.code for each in ran]
    assert ["db", "mine"] == ran[0].out.splitlines()[1].split()[:2]
    assert ["db"] == [each["name"] for each in ran[1].json]
    assert not any(VALUE in each.out + each.err or "password" in each.out for each in ran)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("db", "--from-literal", f"password={VALUE}"), "the value of password stands on the command line"),
        (("db", "--from-literal", "password"), "standard input has no line for password"),
        (("db", "--from-env", "NO_SUCH_VARIABLE"), "there is no variable NO_SUCH_VARIABLE"),
        (("db", "--from-file", "no-such-file"), "'no-such-file' does not exist"),
        (("Db", "--from-env", "PATH"), "is no name of a secret"),
        (("db",), "give values by"),
        ((), "give a name and values"),
        (("db", "-f", "x"), "give a name and values"),
    ],
)
def test_what_makes_no_secret_is_said(howdah, piped, words, text):
    """And no value with it."""
    piped(b"")

    ran = howdah("create", "secret", *words)

    assert ran.code in (2, 3)
    assert text in ran.err
    assert VALUE not in ran.err


def test_a_secret_that_pipelines_use_is_deleted_by_force(howdah, server, piped, repo):
    """The text names them; one that nobody uses goes at once."""
    piped(b"a\nb\n")
    howdah("create", "secret", "db", "--from-literal", "a")
    howdah("create", "secret", "free", "--from-literal", "a")
    asking = {"p1": {"secrets": [{"name": "db", "envVar": "A", "key": "a"}]}, "p2": {"imagePullSecrets": ["db"]}}
    for name, asked in asking.items():
        spec = {
            "pipeline": {"name": name},
            "transform": {"cmd": ["a"], **asked},
            "input": {"pfs": {"repo": repo, "glob": "/*"}},
        }
        server.pps.pipelines.create(parse_spec(spec))

    refused = howdah("delete", "secret", "db")
    free = howdah("delete", "secret", "free")
    forced = howdah("delete", "secret", "db", "--force")
    gone = howdah("inspect", "secret", "db")

    assert (6, 0, 0, 3) == (refused.code, free.code, forced.code, gone.code)
    assert "default/p1" in refused.err
    assert "default/p2" in refused.err
    assert 'secret "db" not found' in gone.err


def test_a_lake_is_given_a_new_key(howdah, tmp_path, monkeypatch):
    """By a command that opens it itself; it says by which key secrets are sealed now, and what it keeps."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("HOWDAH_SECRETS_KEY", raising=False)
    root = str(tmp_path / "lake")

    first = howdah("rotate", "secrets-key", "--root", root)
    second = howdah("rotate", "secrets-key", "--root", root, "--forget-old")
    inside = howdah("rotate", "secrets-key", "--root", root, "--secrets-key-file", f"{root}/key")

    assert (0, 0, 6) == (first.code, second.code, inside.code)
    assert first.out.endswith("/config/howdah/secrets/key: 0\n")
    assert first.out != second.out
    assert "lies in the lake's own folder" in inside.err

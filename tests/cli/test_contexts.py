# SPDX-License-Identifier: Apache-2.0
"""Contexts: servers under names, and what goes before them."""

import json

import pytest

from howdah.cli.places import place
from howdah.client import contexts
from howdah.client.contexts import Config, Context


def shown(howdah, *words):
    return howdah("config", "show", "-o", "json", *words).json


def test_contexts_are_made_chosen_and_removed(howdah):
    """The first one is the current one."""
    assert 0 == howdah("config", "set", "context", "work", "--address", "lake.example.org", "--project", "vision").code
    howdah("config", "set", "context", "home", "--address", "grpcs://127.0.0.1:1")
    howdah("config", "set", "context", "work", "--project", "")

    listed = howdah("config", "list", "context", "-o", "json").json
    assert [("home", False), ("work", True)] == [(each["name"], each["current"]) for each in listed]
    assert ("lake.example.org", "") == (listed[1]["address"], listed[1]["project"])
    assert 0 == howdah("config", "use", "context", "home").code
    assert "home" == howdah("config", "get", "context", "-o", "json").json["name"]
    assert 0 == howdah("config", "delete", "context", "home").code
    assert 3 == howdah("config", "get", "context", "home").code
    assert "" == shown(howdah)["context"]


def test_what_is_said_goes_before_what_is_kept(howdah, monkeypatch):
    """Command line, environment, context, default; for each value by itself."""
    howdah("config", "set", "context", "work", "--address", "lake.example.org", "--project", "vision")
    monkeypatch.delenv("HOWDAH_ADDRESS")
    found = [shown(howdah)]
    monkeypatch.setenv("HOWDAH_ADDRESS", "127.0.0.1:2")
    monkeypatch.setenv("HOWDAH_PROJECT", "sound")
    found += [shown(howdah), shown(howdah, "--project", "text"), shown(howdah, "--address", "127.0.0.1:3")]
    howdah("config", "delete", "context", "work")
    for name in ("HOWDAH_ADDRESS", "HOWDAH_PROJECT"):
        monkeypatch.delenv(name)
    found += [shown(howdah)]

    assert [
        ("lake.example.org:30650", "vision", "context work", "context work"),
        ("127.0.0.1:2", "sound", "$HOWDAH_ADDRESS", "$HOWDAH_PROJECT"),
        ("127.0.0.1:2", "text", "$HOWDAH_ADDRESS", "--project"),
        ("127.0.0.1:3", "sound", "--address", "$HOWDAH_PROJECT"),
        ("127.0.0.1:30650", "default", "default", "default"),
    ] == [tuple(each[key] for key in ("address", "project", "address_from", "project_from")) for each in found]


def test_commands_work_where_the_context_says(howdah, monkeypatch, server):
    """Server and project."""
    howdah("create", "project", "of-context")
    howdah("config", "set", "context", "work", "--address", server.grpc_address, "--project", "of-context")
    monkeypatch.delenv("HOWDAH_ADDRESS")

    assert 0 == howdah("create", "repo", "here").code

    assert 0 == howdah("inspect", "repo", "of-context/here").code


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["use", "context", "none"], 3, "context none not found; there is work"),
        (["delete", "context", "none"], 3, "not found"),
        (["set", "context", "x", "--address", "ftp://x"], 2, "scheme ftp is unknown"),
        (["set", "context", "x", "--project", "a b"], 2, "only alphanumeric characters"),
        (["get", "contxt"], 2, "did you mean context?"),
        (["import-pachctl", "/absent.json"], 3, "/absent.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_wrong_is_said_and_nothing_is_kept(howdah, words, code, text):
    """One line, with a code."""
    howdah("config", "set", "context", "work")

    ran = howdah("config", *words)

    assert code == ran.code
    assert text in ran.err
    assert ["work"] == [each["name"] for each in howdah("config", "list", "context", "-o", "json").json]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 2),
        ("[]", 2),
        ('{"version": 1, "contexts": []}', 2),
        ('{"version": 1, "contexts": {"x": 1}}', 2),
        ('{"version": 1, "contexts": {"x": {"address": 1}}}', 2),
        ('{"version": 1, "contexts": {"x": {"transaction": "abc"}}}', 2),
        ('{"version": 2}', 8),
    ],
)
def test_a_strange_file_is_left_alone(howdah, tmp_path, text, code):
    """It is named, and not overwritten."""
    path = tmp_path / "contexts.json"
    path.write_text(text)

    ran = howdah("config", "set", "context", "work")

    assert code == ran.code
    assert str(path) in ran.err
    assert text == path.read_text()


def test_a_file_that_cannot_be_written_is_said(howdah, tmp_path, monkeypatch):
    """Its folder is a file here."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOWDAH_CONFIG", str(tmp_path / "file" / "contexts.json"))

    ran = howdah("config", "set", "context", "work")

    assert 6 == ran.code
    assert "cannot be read" in ran.err


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HOWDAH_CONFIG": "/x/y.json", "XDG_CONFIG_HOME": "/z"}, "/x/y.json"),
        ({"XDG_CONFIG_HOME": "/z"}, "/z/howdah/config.json"),
        ({"XDG_CONFIG_HOME": "z"}, "/home/ana/.config/howdah/config.json"),
        ({}, "/home/ana/.config/howdah/config.json"),
    ],
)
def test_the_file_is_where_such_files_are(monkeypatch, variables, expected):
    """A relative folder is none, as the convention has it."""
    for name in ("HOWDAH_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/ana", **variables}.items():
        monkeypatch.setenv(name, value)

    assert expected == str(contexts.config_path())


def test_what_is_kept_is_read_back(tmp_path, monkeypatch):
    """All of it, and the file is for people too."""
    monkeypatch.setenv("HOWDAH_CONFIG", str(tmp_path / "deep" / "contexts.json"))
    config = Config("ö", {"ö": Context("a:1", "p", "0" * 32, "a:1"), "empty": Context()})

    contexts.save(config)

    assert config == contexts.load()
    assert ["contexts.json"] == [each.name for each in (tmp_path / "deep").iterdir()]
    assert "ö" in (tmp_path / "deep" / "contexts.json").read_text()


PACHCTL = {
    "user_id": "u",
    "v2": {
        "active_context": "cluster",
        "contexts": {
            "cluster": {
                "pachd_address": "grpcs://pach.example.org:443",
                "project": "vision",
                "session_token": "secret",
            },
            "local": {"pachd_address": "grpc://localhost:80", "active_transaction": "0123456789ab4def8123456789abcdef"},
            "by-kubernetes": {"cluster_name": "c", "namespace": "n"},
        },
    },
}


def test_contexts_of_pachctl_are_taken_over(howdah, tmp_path, monkeypatch):
    """Address, project and transaction; no token. Its file is found by its own variable."""
    path = tmp_path / "pachctl.json"
    path.write_text(json.dumps(PACHCTL))
    monkeypatch.setenv("PACH_CONFIG", str(path))
    monkeypatch.delenv("HOWDAH_ADDRESS")

    assert ["cluster", "local"] == howdah("config", "import-pachctl").out.split()

    assert ("grpcs://pach.example.org:443", "vision") == (shown(howdah)["address"], shown(howdah)["project"])
    howdah("config", "use", "context", "local")
    assert ("localhost:80", "0123456789ab4def8123456789abcdef") == (
        place(None, None).address,
        place(None, None).transaction,
    )
    assert "secret" not in (tmp_path / "contexts.json").read_text()


def test_contexts_that_are_there_are_replaced_only_if_asked(howdah, tmp_path):
    """Nothing is taken over otherwise."""
    path = tmp_path / "pachctl.json"
    path.write_text(json.dumps(PACHCTL))
    howdah("config", "set", "context", "cluster", "--address", "mine")

    assert 4 == howdah("config", "import-pachctl", str(path)).code
    assert ["cluster"] == [each["name"] for each in howdah("config", "list", "context", "-o", "json").json]
    assert 0 == howdah("config", "import-pachctl", str(path), "--replace").code

    assert "grpcs://pach.example.org:443" == howdah("config", "get", "context", "cluster", "-o", "json").json["address"]


@pytest.mark.parametrize("text", ["{", "{}", '{"v2": {"contexts": 1}}', '{"v2": {"contexts": {"x": 1}}}'])
def test_another_file_is_no_configuration_of_pachctl(howdah, tmp_path, text):
    """It is named."""
    path = tmp_path / "other.json"
    path.write_text(text)

    ran = howdah("config", "import-pachctl", str(path))

    assert 2 == ran.code
    assert str(path) in ran.err

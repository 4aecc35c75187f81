# SPDX-License-Identifier: Apache-2.0
"""Branches that follow, searches, metadata, listings of commits and drawings on the command line."""

import json

import pytest

from howdah.client import Client


@pytest.fixture
def client(server):
    with Client(server.grpc_address) as made:
        yield made


def ids(ran):
    return [each["commit"].partition("@")[2] for each in ran.json]


def test_a_branch_keeps_what_is_not_mentioned(howdah, repo, client):
    """`create branch` of one that exists takes nothing away; `--no-provenance` does."""
    howdah("create", "repo", f"{repo}-out")
    howdah("create", "branch", f"{repo}-out@master", "-p", f"{repo}@master", "--never", f"{repo}@master")
    above = client.inspect_branch(f"{repo}@master").branch

    assert 0 == howdah("create", "branch", f"{repo}-out@master").code
    assert 0 == howdah("update", "branch", f"{repo}-out@master", "--head", "master").code
    info = client.inspect_branch(f"{repo}-out@master")
    assert ((above,), (above,)) == (info.direct_provenance, info.never)
    assert "(not followed)" in howdah("inspect", "branch", f"{repo}-out@master").out
    assert 0 == howdah("update", "branch", f"{repo}-out@master", "--no-provenance").code

    assert () == client.inspect_branch(f"{repo}-out@master").direct_provenance


def test_a_branch_follows_by_a_trigger(howdah, repo, client):
    """It is shown as it was typed."""
    howdah("create", "branch", f"{repo}@master")
    trigger = ("--trigger", "master", "--trigger-commits", "1", "--trigger-size", "1GB")
    assert 0 == howdah("create", "branch", f"{repo}@kept", *trigger).code

    commit = howdah("create", "commit", f"{repo}@master").out.strip()

    assert commit == client.inspect_branch(f"{repo}@kept").head.id
    assert "master by commits 1 or size 1GB" in howdah("inspect", "branch", f"{repo}@kept").out


@pytest.mark.parametrize(
    "words",
    [
        ("create", "branch", "x@y", "--trigger", "master"),
        ("create", "branch", "x@y", "--trigger-commits", "1"),
        ("create", "branch", "x@y", "--no-provenance", "-p", "z@master"),
        ("update", "branch", "x@master"),
        ("list", "commit", "--reverse"),
        ("list", "commit", "x", "--started", "yesterday"),
        ("edit", "metadata", "repo", "x", "add"),
        ("edit", "metadata", "repo", "x", "add", "key"),
        ("edit", "metadata", "repo", "x", "replace", "[1]"),
        ("edit", "metadata", "repo", "x", "paint", "red"),
    ],
    ids=" ".join,
)
def test_words_that_make_no_sense_are_refused(howdah, words):
    """Before anything is changed, with the code of wrong usage."""
    howdah("create", "repo", "x")
    howdah("create", "branch", "x@master")

    ran = howdah(*words)

    assert 2 == ran.code
    assert 1 == len(ran.err.splitlines())


def test_commits_that_changed_a_file_are_found(howdah, repo, client):
    """By id, newest first; a search that ended early says where it goes on."""
    for data in (b"1", b"2", b"3"):
        client.put_file(f"{repo}@master", "/a", data)
    client.put_file(f"{repo}@master", "/b", b"1")
    made = [info.commit for info in client.list_commits(repo)][1:]

    ran = howdah("find", "commit", f"{repo}@master:/a")
    first = howdah("find", "commit", f"{repo}@master:/a", "-n", "1", "-o", "json")

    assert [str(commit) for commit in made] == ran.out.splitlines()
    assert "" == ran.err
    assert str(made[0]) == json.loads(first.out)
    assert f"howdah find commit {made[1]}:/a" in first.err


def test_metadata_is_edited_and_shown(howdah, repo, client):
    """Of each kind; several edits at once; all or none."""
    howdah("create", "commit", f"{repo}@master")
    at = f"{repo}@master"

    assert 0 == howdah("edit", "metadata", "repo", repo, "add", "a=1", "repo", repo, "edit", "b=x=y").code
    assert 0 == howdah("edit", "metadata", "branch", at, "add", "on=branch", "commit", at, "add", "on=commit").code
    assert 0 == howdah("edit", "metadata", "cluster", ".", "replace", '{"site": "Berlin"}').code
    refused = howdah("edit", "metadata", "repo", repo, "delete", "a", "repo", repo, "add", "b=2")

    assert 6 == refused.code
    assert {"a": "1", "b": "x=y"} == howdah("inspect", "repo", repo, "-o", "json").json["metadata"]
    assert "on=branch" in howdah("inspect", "branch", at).out
    assert "on=commit" in howdah("inspect", "commit", at).out
    assert {"site": "Berlin"} == client.cluster_metadata()
    assert 3 == howdah("edit", "metadata", "repo", "nowhere", "add", "a=1").code
    assert 2 == howdah("edit", "metadata", "planet", "earth", "add", "a=1").code


def test_commits_are_listed_in_every_way(howdah, repo):
    """By repo, by ancestors, oldest first, by origin and by time; and sets without a repo."""
    made = [howdah("create", "commit", f"{repo}@master").out.strip() for _ in range(3)]
    howdah("create", "branch", f"{repo}@empty")

    assert made == ids(howdah("list", "commit", repo, "--reverse", "--origin", "user", "-o", "json"))
    assert made[2:0:-1] == ids(howdah("list", "commit", f"{repo}@master", "--from", "master^^", "-o", "json"))
    assert 1 == len(ids(howdah("list", "commit", repo, "--origin", "auto", "-o", "json")))
    assert [] == ids(howdah("list", "commit", repo, "--started", "2000-01-01", "-o", "json"))
    assert made[:2] == ids(
        howdah("list", "commit", repo, "--reverse", "--started", "2000-01-01", "-n", "2", "-o", "json")
    )
    sets = howdah("list", "commit", "-n", "3", "-o", "json").json
    assert made[:0:-1] == [each["id"] for each in sets][1:]
    assert made[2] in howdah("list", "commit", "-x", "-n", "2").out
    assert "COMMIT SET" in howdah("list", "commit").out


def test_the_graph_is_drawn(howdah, client):
    """By project; as boxes, as JSON, for Graphviz."""
    howdah("create", "project", "drawn")
    for name in ("images", "edges", "other"):
        client.create_repo(f"drawn/{name}")
    client.create_branch("drawn/edges@master", provenance=["drawn/images@master"])
    client.create_branch("drawn/images@old", trigger=None)

    boxes = howdah("draw", "--project", "drawn")
    graph = howdah("draw", "--project", "drawn", "-o", "json").json
    dot = howdah("draw", "--project", "drawn", "-o", "dot").out

    assert [2, 1] == [boxes.out.count("┌"), boxes.out.count("▼")]
    assert "│ images │" in boxes.out
    edge = {"from": "drawn/images@master", "to": "drawn/edges@master", "kind": "provenance"}
    assert [edge] == graph["edges"]
    assert ["drawn/edges@master", "drawn/images@master"] == [node["branch"] for node in graph["nodes"]]
    assert '  "drawn/images@master" -> "drawn/edges@master";' in dot.splitlines()
    assert "drawn/images" in howdah("draw", "--all").out
    howdah("create", "project", "blank")
    assert ("", 1) == ((ran := howdah("draw", "--project", "blank")).out, len(ran.err.splitlines()))

# SPDX-License-Identifier: Apache-2.0
"""Inputs on the command line: tried out before there is a pipeline, and warned about."""

import json

import pytest

from howdah.testing.server import running_server

JOIN = {
    "join": [
        {"pfs": {"repo": "left", "glob": "/(*)-*", "join_on": "$1"}},
        {"pfs": {"repo": "right", "glob": "/*-(*)", "join_on": "$1"}},
    ]
}
SPEC = {"pipeline": {"name": "up"}, "transform": {"cmd": ["true"]}, "input": JOIN}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=0) as running:
        yield running


@pytest.fixture
def files(howdah, tmp_path):
    """Two repos with a file each that do not meet."""
    howdah("delete", "pipeline", "up")
    for repo, name in (("left", "a-1"), ("right", "1-b")):
        howdah("delete", "repo", repo, "--force")
        howdah("create", "repo", repo)
        (tmp_path / name).write_text(name)
        assert 0 == howdah("put", "file", f"{repo}@master", "-f", str(tmp_path / name)).code
    return tmp_path


def written(folder, tree):
    path = folder / "spec.json"
    path.write_text(json.dumps(tree))
    return str(path)


def test_an_input_is_tried_out_from_a_spec_or_by_itself(howdah, files):
    """The same datums, in pages, for people and programs."""
    alone = {"pfs": {"repo": "left", "glob": "/*"}}

    table = howdah("list", "datum", "--input", written(files, alone))
    array = howdah("list", "datum", "--input", written(files, {**SPEC, "input": alone}), "-o", "json")
    behind = howdah("list", "datum", "-i", written(files, alone), "--after", array.json[0]["id"], "-o", "json")

    assert (0, "") == (table.code, table.err)
    assert "/a-1" in table.out
    assert ["UNKNOWN"] == [each["state"] for each in array.json]
    assert [] == behind.json


def test_warnings_stand_beside_the_answer(howdah, files):
    """When an input is tried out, and when a pipeline is made or changed."""
    source = written(files, SPEC)
    words = "warning: join of left, right: no key is in all of them"

    tried = howdah("list", "datum", "--input", source, "-o", "json")
    made = howdah("create", "pipeline", "-f", source)
    updated = howdah("update", "pipeline", "-f", source, "--reprocess")
    quiet = howdah("list", "datum", "--input", source, "-q")

    assert (0, []) == (tried.code, tried.json)
    assert [True] * 3 == [each.err.startswith(words) for each in (tried, made, updated)]
    assert (0, "") == (made.code, made.out)
    assert "" == quiet.err
    assert words in howdah("inspect", "pipeline", "up").out


def test_what_cannot_be_tried_out_is_said(howdah, files):
    """Neither or both of a job and an input; what is no input; a repo that is not there."""
    alone = written(files, {"pfs": {"repo": "nowhere", "glob": "/*"}})

    assert [2, 2] == [howdah("list", "datum", *words).code for words in ((), ("up@1", "--input", alone))]
    assert 3 == howdah("list", "datum", "--input", alone).code
    wrong = howdah("list", "datum", "--input", written(files, {"pfs": {"repo": "left", "globb": "/"}}))
    assert "input.pfs.globb" in wrong.err

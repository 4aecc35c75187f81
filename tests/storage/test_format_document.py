# SPDX-License-Identifier: Apache-2.0
"""`docs/format.md` is enough: a reader that was written from it alone reads, checks and understands a lake."""

import ast
import json
import os
import random
import sqlite3
from pathlib import Path

import pytest

from howdah.client import Client
from howdah.testing.server import running_server
from tests.storage import format_reader
from tests.storage.format_reader import MIB, Lake, change, key, tree_digest

SMALL = {f"/small/{n:04}": f"file {n}\n".encode() for n in range(3000)}
BIG = random.Random(1).randbytes(11 * MIB + 5)
FILES = {
    **SMALL,
    "/empty": b"",
    "/größe.txt": "Straße\n".encode() * 50_000,
    "/one-mib": random.Random(2).randbytes(MIB),
    "/big": BIG,
}
MORE = random.Random(3).randbytes(3 * MIB)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A lake with three versions of a repo and an open commit, as its folder; and what howdah says of a directory."""
    root = tmp_path_factory.mktemp("root")
    with running_server(root) as server, Client(server.grpc_address) as client:
        client.create_repo("files")
        with client.commit("files@master") as commit:
            for path, data in FILES.items():
                commit.put(path, data)
        client.put_file("files@master", "/big", MORE, append=True)
        client.delete_file("files@master", "/small", recursive=True)
        opened = client.start_commit("files@master")
        client.put_file(opened, "/small/new", b"new")
        client.delete_file(opened, "/empty")
        digest = client.inspect_file("files@master~2", "/small").hash
    return root, digest


@pytest.fixture
def lake(made):
    return Lake(made[0] / "lake")


def roots(folder: Path) -> list[bytes]:
    """The filesets of the finished commits, oldest first, as the database has them."""
    with sqlite3.connect(folder / "metadata.db") as database:
        found = database.execute("select root from commit_ where root is not null order by id")
        return [row[0] for row in found]


def test_the_reader_knows_nothing_of_howdah():
    """It imports what it needs to decompress and to hash."""
    tree = ast.parse(Path(format_reader.__file__).read_text())
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]

    assert {"blake3", "collections.abc", "dataclasses", "json", "pathlib", "struct", "zstandard"} == set(names)


@pytest.mark.slow
def test_every_version_is_read_back(made, lake):
    """Each file of each commit, byte for byte, with every name, hash and digest on the way checked."""
    appended = {**FILES, "/big": BIG + MORE}
    kept = {path: data for path, data in appended.items() if path not in SMALL}

    versions = [{row.path.decode(): lake.content(row) for row in lake.fileset(root)} for root in roots(made[0])]

    assert [FILES, appended, kept] == versions


def test_the_lake_says_who_it_is(lake):
    """By an id of 32 hex digits, and the number of the format that the document is about."""
    title = (Path(__file__).parents[2] / "docs" / "format.md").read_text()

    assert 32 == len(lake.id)
    assert f"This is format {lake.format}." in title


def test_trees_are_cut_where_the_document_says(made, lake):
    """Ranges have the rows that the rule gives them, and a fileset and a directory the digest that they should have."""
    first = roots(made[0])[0]
    rows = lake.fileset(first)
    _, children = lake.node(first)

    digest, sizes = tree_digest(rows)

    assert [child.files for child in children] == sizes
    assert digest == format_reader.node_digest(child.digest for child in children)
    assert made[1] == tree_digest([row for row in rows if row.path.startswith(b"/small/")])[0]


def test_every_object_of_the_lake_is_in_the_document(made, lake):
    """Keys are those of chunks, ranges, nodes and lake.json; what their names say is so."""
    other = [
        path for path in lake.folder.rglob("*") if path.is_file() and path.parts[-3] not in ("chunk", "range", "node")
    ]

    assert [lake.folder / "lake.json"] == other
    for name in lake.names("chunk"):
        lake.chunk(name)
    for name in lake.names("range"):
        lake.range(name)
    for name in lake.names("node"):
        lake.node(name)


def test_what_is_in_the_trash_is_read(made, lake):
    """Under its key with `trash/` before it."""
    name = min(lake.names("chunk"))
    thrown = lake.folder / "trash" / key("chunk", name)
    thrown.parent.mkdir(parents=True)
    os.rename(lake.folder / key("chunk", name), thrown)

    plain = lake.chunk(name)

    os.rename(thrown, lake.folder / key("chunk", name))
    assert plain == lake.chunk(name)


def test_a_change_is_understood(made):
    """What writers hand in, as the database keeps it for an open commit."""
    with sqlite3.connect(made[0] / "metadata.db") as database:
        bodies = [row[0] for row in database.execute("select body from commit_change order by commit_id, seq")]

    (put,), (delete,) = map(change, bodies)

    assert [b"/small/new"] == [row.path for row in put["puts"]]
    assert ([], None) == (put["directories"], put["appends"])
    assert [["/empty", None]] == delete["deletes"]
    assert json.dumps(None) == json.dumps(delete["puts"])

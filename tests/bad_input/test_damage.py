# SPDX-License-Identifier: Apache-2.0
"""A lake whose bytes were changed behind its back: what is damaged is named, the rest is served, nothing is guessed."""

import json
import shutil
import sqlite3

import pytest

from howdah.client import Client
from howdah.errors import Damaged, ErrorKind, NotFound, Unsupported
from howdah.server.app import opened
from howdah.testing.server import running_server

BIG = bytes(range(256)) * (3 << 12)  # 3 MiB: cut into chunks of its own


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A lake in which repo r has a big and a small file, each in a commit of its own."""
    root = tmp_path_factory.mktemp("whole")
    with running_server(root) as server, Client(server.grpc_address) as client:
        client.create_repo("r")
        client.put_file("r@small", "/small", b"small")
        client.put_file("r@big", "/big", BIG)
    return root


@pytest.fixture
def root(whole, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(whole, tmp_path / "lake")


def objects(root, kind):
    """The objects of a kind, the largest first."""
    found = [path for path in (root / "lake" / kind).rglob("*") if path.is_file()]
    return sorted(found, key=lambda path: -path.stat().st_size)


def read_damaged(root, path, direct):
    """Read a file, which must fail, and another, which must not; the error."""
    with running_server(root) as server, Client(server.grpc_address, direct=direct) as client:
        with pytest.raises(Damaged) as caught:
            client.get_file(f"r@{path[1:]}", path)
        assert b"small" == client.get_file("r@small", "/small")
        client.put_file("r@other", "/new", b"new")
        assert b"new" == client.get_file("r@other", "/new")
    return caught.value


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "through"])
def test_a_truncated_chunk_is_named_with_what_refers_to_it(root, direct):
    """A file that lost bytes is an error, never a shorter file."""
    chunk = objects(root, "chunk")[0]
    chunk.write_bytes(chunk.read_bytes()[:-100])

    error = read_damaged(root, "/big", direct)

    assert error.kind in (ErrorKind.OBJECT_CORRUPT, ErrorKind.OBJECT_MISSING)
    assert chunk.name in error.message
    assert "/big" in error.message


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "through"])
def test_a_missing_chunk_is_named_with_what_refers_to_it(root, direct):
    """The file cannot be read; others can."""
    chunk = objects(root, "chunk")[0]
    chunk.unlink()

    error = read_damaged(root, "/big", direct)

    assert ErrorKind.OBJECT_MISSING is error.kind
    assert chunk.name in error.message
    assert "/big" in error.message


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "through"])
def test_a_flipped_bit_in_a_chunk_is_never_served(root, direct):
    """In the middle of its bytes."""
    chunk = objects(root, "chunk")[0]
    flip(chunk)

    error = read_damaged(root, "/big", direct)

    assert ErrorKind.OBJECT_CORRUPT is error.kind
    assert chunk.name in error.message


@pytest.mark.parametrize("kind", ["range", "node"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "through"])
def test_a_flipped_bit_in_metadata_is_never_believed(root, kind, direct):
    """In each range and root of the lake; the error names the object, and what refers to it."""
    for each in objects(root, kind):
        flip(each)
    with running_server(root) as server, Client(server.grpc_address, direct=direct) as client:
        with pytest.raises(Damaged) as caught:
            client.get_file("r@big", "/big")
        repos = [str(info.repo) for info in client.list_repos()]

    assert ErrorKind.OBJECT_CORRUPT is caught.value.kind
    assert f"{kind}/" in caught.value.message
    assert "default/r@" in caught.value.message
    assert ["default/r"] == repos


def test_a_lake_of_a_newer_format_is_refused(root):
    """By both numbers, with the way out."""
    rewrite_lake(root, format=99)

    with pytest.raises(Unsupported) as caught, opened(root):
        pass

    assert ErrorKind.FORMAT_UNKNOWN is caught.value.kind
    assert "has format 99 and this howdah knows 2; use a newer one" in caught.value.message


def test_a_lake_file_that_is_not_one_is_refused(root):
    """The error names it."""
    (root / "lake" / "lake.json").write_text("{")

    with pytest.raises(Damaged) as caught, opened(root):
        pass

    assert "lake.json" in caught.value.message


def test_a_database_of_a_newer_version_is_refused_and_not_touched(root):
    """Its version is named; it is not migrated back."""
    database(root, "UPDATE alembic_version SET version_num = '9999'")
    before = (root / "metadata.db").read_bytes()

    with pytest.raises(Unsupported) as caught, opened(root):
        pass

    assert ErrorKind.FORMAT_UNKNOWN is caught.value.kind
    assert "9999" in caught.value.message
    assert "newer" in caught.value.message
    assert before == (root / "metadata.db").read_bytes()


def test_a_database_that_is_none_is_refused_and_not_touched(root):
    """The error names the file."""
    for extra in ("-wal", "-shm"):
        (root / f"metadata.db{extra}").unlink(missing_ok=True)
    (root / "metadata.db").write_bytes(b"these are notes, no database " * 200)

    with pytest.raises((Damaged, Unsupported)) as caught, opened(root):
        pass

    assert "metadata.db" in caught.value.message
    assert (root / "metadata.db").read_bytes().startswith(b"these are notes")


def test_a_database_of_somebody_else_is_refused_and_not_touched(root):
    """A database with other tables is not ours to change."""
    (root / "metadata.db").unlink()
    with sqlite3.connect(root / "metadata.db") as connection:
        connection.execute("CREATE TABLE notes (text)")

    with pytest.raises(Unsupported) as caught, opened(root):
        pass

    assert "metadata.db" in caught.value.message
    with sqlite3.connect(root / "metadata.db") as connection:
        assert [("notes",)] == list(connection.execute("SELECT name FROM sqlite_master"))


def test_a_database_without_its_store_is_refused(root):
    """Its commits would name objects that are nowhere; no new lake is made in their place."""
    shutil.rmtree(root / "lake")

    with pytest.raises((Damaged, NotFound, Unsupported)) as caught, opened(root):
        pass

    assert str(root) in caught.value.message
    assert not (root / "lake" / "lake.json").exists()


def flip(path):
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def rewrite_lake(root, **fields):
    path = root / "lake" / "lake.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def database(root, statement):
    with sqlite3.connect(root / "metadata.db") as connection:
        connection.execute(statement)
        connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()

# SPDX-License-Identifier: Apache-2.0
"""SQLite's own: what survives, how it is set up, and what its errors mean to our callers."""

import os
import shutil
import sqlite3
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, make_url, select, text

from howdah.db.engine import Database
from howdah.db.events import read_events
from howdah.db.sqlite import SqliteBackend
from howdah.db.tables import project, repo
from howdah.errors import BadRequest, Damaged, ErrorKind, NotFound, Refused, Unavailable, Unsupported
from howdah.kit import fail


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metadata.db"


def add(db, name):
    with db.write() as tx:
        tx.execute(insert(project), {"name": name, "created_at": tx.now})
        tx.emit(f"project/{name}", "created")


def names(db):
    with db.read() as tx:
        return list(tx.execute(select(project.c.name).order_by(project.c.id)).scalars())


def crashed(path, folder):
    """The database's files as a crash would leave them now: the shared memory is lost."""
    folder.mkdir()
    for file in (path, path.with_name(path.name + "-wal")):
        shutil.copy(file, folder)
    return folder / path.name


def test_a_database_opened_again_has_what_was_written(path):
    """Closing and opening changes nothing; event numbers go on."""
    with Database.open(path) as db:
        add(db, "a")
    with Database.open(f"sqlite:///{path}") as db:
        add(db, "b")

        assert ["a", "b"] == names(db)
        with db.read() as tx:
            assert [1, 2] == [event.n for event in read_events(tx, 0)]


def test_a_crash_keeps_every_committed_block(path, tmp_path):
    """Without close, without checkpoint: what write() returned for is there, the open block is not."""
    with Database.open(path) as db:
        add(db, "a")
        with db.write() as tx:
            tx.execute(insert(project), {"name": "open", "created_at": tx.now})
            copy = crashed(path, tmp_path / "crash")

    with Database.open(copy) as db:
        assert ["a"] == names(db)
        add(db, "b")
        assert ["a", "b"] == names(db)


@pytest.mark.parametrize(("point", "survivors"), [("db.before_commit", []), ("db.after_commit", ["a"])])
def test_a_crash_around_the_commit_is_all_or_nothing(path, tmp_path, point, survivors):
    """Stopped before the commit, nothing is there; stopped right after it, everything is."""
    copies = []
    with Database.open(path) as db, fail.during(point, lambda: copies.append(crashed(path, tmp_path / "crash"))):
        add(db, "a")

    with Database.open(copies[0]) as db:
        assert survivors == names(db)
        with db.read() as tx:
            assert len(survivors) == len(read_events(tx, 0))


def test_a_file_is_durable_at_each_commit(path):
    """Write-ahead log, synced at every commit, references checked."""
    with Database.open(path) as db, db.write() as tx:
        pragmas = [tx.execute(text(f"PRAGMA {p}")).scalar() for p in ("journal_mode", "synchronous", "foreign_keys")]

    assert ["wal", 2, 1] == pragmas


def test_two_memory_databases_share_nothing_and_leave_nothing(tmp_path, monkeypatch):
    """Each is private; close() removes it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Database.open(":memory:") as one, Database.open(":memory:") as two:
        add(one, "a")

        assert [] == names(two)
    assert [] == list(tmp_path.iterdir())


def test_a_full_disk_is_no_space_and_passes(path):
    """The block is undone, the error says what to do, and with space the same call works."""
    with Database.open(path) as db:
        with db.write() as tx:
            pages = tx.execute(text("PRAGMA page_count")).scalar()
            tx.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(Unavailable, match=str(path)) as error, db.write() as tx:
            tx.execute(insert(project), {"name": "a" * 100_000, "created_at": tx.now})
        with db.write() as tx:
            tx.execute(text("PRAGMA max_page_count = 1000000"))
        add(db, "b")

        assert ErrorKind.NO_SPACE == error.value.kind
        assert ["b"] == names(db)


def test_a_read_only_database_is_read_and_not_written(path):
    """Opening and reading works; a write is refused."""
    with Database.open(path) as db:
        add(db, "a")

    with Database.open(f"sqlite:///file:{path}?mode=ro&uri=true") as db:
        assert ["a"] == names(db)
        with pytest.raises(Refused) as error:
            add(db, "b")
    assert ErrorKind.READ_ONLY == error.value.kind


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_read_only(tmp_path):
    """A new database in a folder that we may not write is refused, not damaged."""
    tmp_path.chmod(0o500)

    with pytest.raises(Refused) as error:
        Database.open(tmp_path / "metadata.db")

    assert ErrorKind.READ_ONLY == error.value.kind


def test_a_file_that_is_no_database_is_damaged(path):
    """And it is left as it was."""
    path.write_bytes(b"not a database " * 100)

    with pytest.raises(Damaged) as error:
        Database.open(path)

    assert ErrorKind.OBJECT_CORRUPT == error.value.kind
    assert b"not a database " * 100 == path.read_bytes()


def test_a_broken_page_is_damaged(path):
    """Bytes lost in the middle are found when they are read, as an error that names the file."""
    with Database.open(path) as db:
        add(db, "a")
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    with pytest.raises(Damaged, match=str(path)) as error:
        Database.open(path)

    assert ErrorKind.OBJECT_CORRUPT == error.value.kind


def test_another_process_that_holds_the_lock_is_told_of(path):
    """A foreign write lock refuses our write after the time given, and ours works when it is gone."""
    with Database.open(path, busy_seconds=0) as db:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Refused) as error:
            add(db, "a")
        other.execute("ROLLBACK")
        other.close()
        add(db, "b")

        assert ErrorKind.LAKE_LOCKED == error.value.kind
        assert ["b"] == names(db)


def test_a_migration_finds_rows_that_refer_to_nothing(path):
    """While references are not checked, a migration may break one; it is found before the commit."""
    Database.open(path).close()
    backend = SqliteBackend(make_url(f"sqlite:///{path}"))
    connection = backend.migrator()
    backend.begin_write(connection)

    sound = backend.broken_reference(connection)
    connection.execute(insert(repo), {"project_id": 9, "name": "r", "type": "user", "created_at": datetime.now(UTC)})
    broken = backend.broken_reference(connection)
    connection.close()

    assert sound is None
    assert "repo" == broken


def test_a_missing_folder_is_named(tmp_path):
    """We make the file, not the folders above it."""
    with pytest.raises(NotFound, match="make that first") as error:
        Database.open(tmp_path / "nowhere" / "metadata.db")

    assert ErrorKind.LAKE_NOT_FOUND == error.value.kind


def test_a_folder_is_no_database(tmp_path):
    """The text asks for a file in it."""
    with pytest.raises(BadRequest) as error:
        Database.open(tmp_path)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


def test_another_product_is_unsupported_and_the_password_is_kept():
    """The message names the kind alone."""
    with pytest.raises(Unsupported) as error:
        Database.open("postgresql://ana:secret@host/lake")

    assert "postgresql" in error.value.message
    assert "secret" not in error.value.message


def test_the_database_can_be_closed_from_another_thread(path):
    """Connections belong to no thread."""
    db = Database.open(path)
    add(db, "a")

    thread = threading.Thread(target=db.close)
    thread.start()
    thread.join(10)

    assert not path.with_name(path.name + "-wal").exists()


def test_closing_inside_a_write_block_is_told_off(path):
    """The thread would wait for itself."""
    with Database.open(path) as db:
        with pytest.raises(RuntimeError, match="inside a write block"), db.write():
            db.close()

        add(db, "a")
        assert ["a"] == names(db)

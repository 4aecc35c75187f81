# SPDX-License-Identifier: Apache-2.0
"""The schema of a new database is that of the tables, and a strange or newer one is left alone."""

import re
import sqlite3
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from howdah.db.engine import Database
from howdah.db.migrate import current_version, head_version
from howdah.db.tables import metadata
from howdah.errors import ErrorKind, Unsupported


@pytest.fixture
def path(tmp_path):
    """A database as the migrations make it, closed."""
    path = tmp_path / "metadata.db"
    Database.open(path).close()
    return path


def schema(path):
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'").fetchall()
    connection.close()
    # A column that a later step added stands on the line of the one before it.
    return {
        name: sorted(line.strip(" ,\t") for line in re.split(r"\n|, (?=\w+ [A-Z])", sql)) for name, sql in rows if sql
    }


def test_the_migrations_make_the_tables(path):
    """Alembic finds no difference between the migrated database and the metadata."""
    engine = create_engine(f"sqlite:///{path}")

    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert [] == differences


def test_the_migrations_make_the_same_sql(path, tmp_path):
    """Nor do the statements differ in what Alembic overlooks: names of constraints, numbering."""
    created = tmp_path / "created.db"
    metadata.create_all(create_engine(f"sqlite:///{created}"))

    assert schema(created) == schema(path)


def test_a_database_knows_its_version(path):
    """It is the newest step of the code."""
    with create_engine(f"sqlite:///{path}").connect() as connection:
        assert head_version() == current_version(connection)


def test_opening_again_writes_nothing(path):
    """A database at the newest step is opened as it is, byte for byte."""
    before = path.read_bytes()

    Database.open(path).close()

    assert before == path.read_bytes()


def test_a_newer_database_is_refused_with_both_versions(path):
    """Nothing in it is touched, and the text says what wrote it and what this is."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(Unsupported, match=rf"9999.*{head_version()}") as error:
        Database.open(path)

    assert ErrorKind.FORMAT_UNKNOWN == error.value.kind
    assert before == path.read_bytes()


def test_a_strange_database_is_refused(tmp_path):
    """A file of another program gets no tables of ours."""
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photo (id INTEGER)")
    connection.close()

    with pytest.raises(Unsupported, match="name another file") as error:
        Database.open(path)

    assert ErrorKind.FORMAT_UNKNOWN == error.value.kind
    assert ["photo"] == list(schema(path))


def test_two_threads_may_make_databases_at_once(tmp_path):
    """Each gets its whole schema, or finds it there; here: two files, each by two threads."""
    opened = []
    paths = [tmp_path / "a.db", tmp_path / "b.db"] * 2

    def make(path):
        with Database.open(path):
            opened.append(path)

    threads = [threading.Thread(target=make, args=(path,), daemon=True) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(paths) == sorted(opened)
    assert schema(paths[0]) == schema(paths[1])

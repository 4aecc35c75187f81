# SPDX-License-Identifier: Apache-2.0
"""A lake that the last howdah of an earlier format made is opened, migrated and read; and its pipelines go on.

How the archives were made is in README.md; `make_lake.py` says what is in them.
"""

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from howdah.client import Client
from howdah.db import migrate
from howdah.errors import Damaged, ErrorKind, Unavailable, Unsupported
from howdah.kit import fail
from howdah.model.states import JobState
from howdah.model.upkeep import Fault
from howdah.server.app import opened
from howdah.storage import lake as lake_module
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.lake import FORMAT, LAKE_KEY, open_lake
from howdah.testing.server import running_server
from tests.lakes.make_lake import commits, files_of

ARCHIVES = sorted(Path(__file__).parent.glob("format-*.tar.xz"))
WAIT_SECONDS = 60.0


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.name.partition(".")[0])
def packed(request, tmp_path_factory):
    """The folder of an archive, not to be touched."""
    folder = tmp_path_factory.mktemp("packed")
    with tarfile.open(request.param) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture
def old(packed, tmp_path):
    """The root of an old lake of the test's own, and what is expected of it."""
    shutil.copytree(packed / "root", tmp_path / "root")
    return tmp_path / "root", json.loads((packed / "expected.json").read_text())


def version(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def format_of(root):
    return json.loads((root / "lake" / LAKE_KEY).read_bytes())["format"]


def test_there_is_a_lake_of_each_earlier_format():
    """A format is raised only with a lake of the one before."""
    assert [f"format-{number}.tar.xz" for number in range(1, FORMAT)] == [path.name for path in ARCHIVES]


def test_opening_brings_schema_and_format_to_today(old):
    """Once; the lake keeps its id, and the next time nothing is left to do."""
    root, expected = old
    before = version(root / "metadata.db")

    with opened(root) as lake:
        first = lake.lake
    written = (root / "lake" / LAKE_KEY).stat().st_mtime_ns
    with opened(root) as lake:
        second = lake.lake

    assert before < migrate.head_version() == version(root / "metadata.db")
    assert lake_module.Lake(expected["lake"], FORMAT) == first == second
    assert written == (root / "lake" / LAKE_KEY).stat().st_mtime_ns
    assert [LAKE_KEY] == [path.name for path in (root / "lake").glob("*.json")]


def test_a_copy_of_the_database_is_kept_as_it_was(old):
    """Under the version that it had; with all its rows."""
    root, _ = old
    before = version(root / "metadata.db")
    with closing(sqlite3.connect(root / "metadata.db")) as connection:
        rows = list(connection.iterdump())

    with opened(root):
        pass

    with closing(sqlite3.connect(root / f"metadata.db.{before}")) as connection:
        assert rows == list(connection.iterdump())
    assert [f"metadata.db.{before}"] == [path.name for path in root.glob("metadata.db.*")]


def test_every_file_of_every_commit_is_what_it_was(old):
    """Open commits too, and jobs; a check finds nothing, and collecting garbage takes nothing."""
    root, expected = old

    with running_server(root) as server, Client(server.grpc_address) as client:
        found = {str(info.commit): files_of(client, info.commit) for info in commits(client)}
        jobs = {str(info.job): info.state.name for info in client.list_jobs()}
        datums = [each for info in client.list_jobs() for each in client.list_datums(info.job)]
        faults = [each for each in client.check() if isinstance(each, Fault)]
        client.collect_garbage(keep=timedelta())
        collected = {str(info.commit): files_of(client, info.commit) for info in commits(client)}

    assert expected["commits"] == found == collected
    assert expected["jobs"] == jobs
    assert {(0, timedelta(0))} == {
        (each.stats.memory_max_bytes, each.stats.cpu_time) for each in datums
    }  # not told then
    assert [] == faults


@pytest.mark.slow
def test_pipelines_of_an_old_lake_go_on(old):
    """A new file is a new datum, the others are not run again; and what was left open is finished."""
    root, _ = old

    with running_server(root, workers=1) as server, Client(server.grpc_address) as client:
        client.put_file("words@master", "/four.txt", b"four")
        job = next(iter(client.list_jobs("loud"))).job
        loud = client.wait_job(job, timeout=WAIT_SECONDS)
        last = client.wait_job(next(iter(client.list_jobs("sum"))).job, timeout=WAIT_SECONDS)
        client.finish_commit("many@master")
        late = client.get_file("many@master", "/late-1")
        output = {each.path: client.get_file("loud@master", each.path) for each in client.list_files("loud@master")}

    assert (JobState.SUCCESS, 1, 2) == (loud.state, loud.processed, loud.carried_over)
    assert JobState.SUCCESS is last.state
    assert (b"FOUR", b"TWO" * 9 + b"MORE") == (output["/four.txt"], output["/two.txt"])
    assert b"1 late" == late


def test_an_older_howdah_refuses_the_lake_afterwards(old, monkeypatch):
    """It would not look into the trash; the text says what to do."""
    root, _ = old
    with opened(root):
        pass
    monkeypatch.setattr(lake_module, "FORMAT", FORMAT - 1)

    with pytest.raises(Unsupported, match=f"has format {FORMAT} .* knows {FORMAT - 1}; use a newer one") as error:
        open_lake(DirectoryStore(root / "lake"))

    assert ErrorKind.FORMAT_UNKNOWN == error.value.kind


def test_a_lake_of_a_newer_format_is_left_as_it_is(old):
    """Neither its number is lowered nor anything stored."""
    root, _ = old
    path = root / "lake" / LAKE_KEY
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))
    before = {each: each.stat().st_mtime_ns for each in (root / "lake").rglob("*")}

    with pytest.raises(Unsupported, match="use a newer one"), opened(root):
        pass

    assert before == {each: each.stat().st_mtime_ns for each in (root / "lake").rglob("*")}


def test_a_stop_while_the_format_is_raised_is_made_up_for(old):
    """The lake has its old number until it has the new one."""
    root, expected = old

    def stop():
        raise Unavailable(ErrorKind.STORE_FAILED, "the power is gone")

    with fail.during("format.stored", stop), pytest.raises(Unavailable), opened(root):
        pass
    between = format_of(root)
    with opened(root) as lake:
        after = lake.lake

    assert between < FORMAT
    assert lake_module.Lake(expected["lake"], FORMAT) == after
    assert [LAKE_KEY] == [path.name for path in (root / "lake").glob("*.json")]


def test_a_migration_that_fails_leaves_lake_and_database(old, monkeypatch):
    """An older howdah can go on with them as if nothing had been tried."""
    root, _ = old
    before = version(root / "metadata.db"), format_of(root)
    monkeypatch.setattr("howdah.db.sqlite.SqliteBackend.broken_reference", lambda *_: "commit_")

    with pytest.raises(Damaged, match="restore a backup"), opened(root):
        pass

    assert before == (version(root / "metadata.db"), format_of(root))


def test_each_step_of_the_schema_can_be_taken_alone(old):
    """From the version of the old lake on, one after the other; no value that was there changes."""
    root, _ = old
    path = root / "metadata.db"
    known = columns(path)
    before = contents(path, known)

    steps = steps_after(version(path))
    for step in steps:
        take(path, step)

    assert migrate.head_version() == steps[-1] == version(path)
    assert before == contents(path, known)


def columns(path):
    """The columns of each table."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        names = [name for (name,) in found if name != "alembic_version" and not name.startswith("sqlite_")]
        return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}


def contents(path, known):
    """All values of these columns of these tables."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: sorted(map(repr, connection.execute(f"SELECT {', '.join(those)} FROM {name}")))
            for name, those in known.items()
        }


def steps_after(version):
    return [step.revision for step in migrate._script().walk_revisions() if step.revision > version][::-1]


def take(path, step):
    config = migrate._config()
    with create_engine(f"sqlite:///{path}").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, step)

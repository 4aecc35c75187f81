# SPDX-License-Identifier: Apache-2.0
"""When a server's own workers start, and what they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.db.engine import Database
from howdah.model.refs import Repo
from howdah.model.spec import parse_spec
from howdah.pfs.lake import Pfs
from howdah.pps.pps import Pps
from howdah.server.workers import Workers, worker_command
from howdah.storage.memory_store import MemoryStore
from howdah.storage.storage import Storage

SPEC = parse_spec(
    {"pipeline": {"name": "p"}, "transform": {"cmd": ["a"]}, "input": {"pfs": {"repo": "words", "glob": "/*"}}}
)


class Pool:
    """An execution that keeps count of what it is told."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.stopped = 0

    def start(self, workers: int) -> None:
        self.started.append(workers)

    def stop(self) -> None:
        self.stopped += 1

    def alive(self) -> int:
        return sum(self.started)


@pytest.fixture
def lake() -> Iterator[tuple[Pfs, Pps]]:
    """An empty lake with a repo."""
    with Database.open(":memory:") as db, Storage(MemoryStore()) as storage:
        pfs = Pfs.open(db, storage)
        pfs.catalog.repos.create(Repo("default", "words"))
        yield pfs, Pps.open(pfs.catalog, db, storage)


def test_workers_start_once_and_with_the_first_pipeline(lake):
    """A server without pipelines has none; a second pipeline starts no more."""
    pfs, pps = lake
    pool = Pool()
    workers = Workers(pool, pfs.db, pps, 3)

    workers.start()
    before = list(pool.started)
    pps.pipelines.create(SPEC)
    pps.pipelines.create(SPEC, update=True, reprocess=True)

    assert [] == before
    assert [3] == pool.started


def test_workers_start_at_once_where_there_are_pipelines(lake):
    """A server that comes back goes on with the work."""
    pfs, pps = lake
    pps.pipelines.create(SPEC)
    pool = Pool()

    Workers(pool, pfs.db, pps, 2).start()

    assert [2] == pool.started


def test_no_worker_starts_after_the_stop(lake):
    """Nor where none are wanted."""
    pfs, pps = lake
    pool = Pool()
    stopped, none = Workers(pool, pfs.db, pps, 2), Workers(pool, pfs.db, pps, 0)
    for workers in (stopped, none):
        workers.start()
    stopped.stop()

    pps.pipelines.create(SPEC)

    assert ([], 1) == (pool.started, pool.stopped)


def test_a_worker_has_a_folder_of_its_own_and_hides_the_lake():
    """Its command names the server, the folder, and the root that user code must not see."""
    words = worker_command(Path("/data/lake"), "127.0.0.1:30650")("worker-1")

    options = dict(zip(words[3::2], words[4::2], strict=True))

    assert ["-m", "howdah.worker"] == list(words[1:3])
    assert {
        "--server": "127.0.0.1:30650",
        "--work": "/data/lake/workers/worker-1",
        "--id": "worker-1",
        "--hidden": "/data/lake",
    } == options

# SPDX-License-Identifier: Apache-2.0
"""Versioned files, put together: what `pps` and the APIs are given."""

from dataclasses import dataclass
from typing import Self

from howdah.db.engine import Database
from howdah.kit import ids
from howdah.kit.ids import NewId
from howdah.pfs.cache import Cache
from howdah.pfs.catalog import Catalog
from howdah.pfs.file_sets import FileSets
from howdah.pfs.files import Files
from howdah.pfs.finish import Finisher
from howdah.pfs.held_leases import HeldLeases
from howdah.pfs.open_commits import OpenCommits
from howdah.pfs.trigger_watch import Triggers
from howdah.pfs.writes import LEASE_SECONDS, Writes
from howdah.storage.storage import Storage

__all__ = ["Pfs"]


@dataclass(frozen=True)
class Pfs:
    """The versioned file system of one lake. Safe for many threads."""

    db: Database
    storage: Storage
    catalog: Catalog
    files: Files
    writes: Writes
    finisher: Finisher
    file_sets: FileSets
    triggers: Triggers
    open_commits: OpenCommits
    held: HeldLeases
    cache: Cache

    @classmethod
    def open(cls, db: Database, storage: Storage, *, new_id: NewId = ids.new_id) -> Self:
        """Put it together over an open database and store; the project `default` exists afterwards.

        Triggers are pulled from `triggers.start()` on.
        """
        catalog = Catalog.open(db, new_id=new_id)
        held = HeldLeases(catalog.leases, LEASE_SECONDS, db.clock)
        open_commits = OpenCommits(db, storage, held)
        files = Files(db, storage, open_commits)
        writes = Writes(db, storage, catalog.works, catalog.leases, held, files, open_commits)
        file_sets = FileSets(db, storage, files, writes, new_id)
        finisher = Finisher(db, storage, open_commits)
        triggers = Triggers(db, catalog.works)
        return cls(db, storage, catalog, files, writes, finisher, file_sets, triggers, open_commits, held, Cache(db))

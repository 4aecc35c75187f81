# SPDX-License-Identifier: Apache-2.0
"""Where a lake is: the database in the root folder, and the store that belongs to it and to no other.

The store is the folder `lake/` in the root, or any other by its URL, which the database remembers. What `server.app`
puts over them is none of this module's business.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from howdah.db.engine import Database
from howdah.errors import Damaged, ErrorKind, Refused
from howdah.kit.clock import Clock
from howdah.kit.ids import new_id
from howdah.pfs.identity import Identity, identity, record_identity
from howdah.storage.cached_store import near
from howdah.storage.disk_cache import CacheSettings
from howdah.storage.lake import LAKE_KEY, Lake, create_lake, open_lake, open_store, raise_format
from howdah.storage.objects import ObjectStore
from howdah.storage.probe import PROBE_PREFIX, probe

__all__ = ["DATABASE_NAME", "STORE_NAME", "StoreSettings", "opened_place"]

STORE_NAME: Final = "lake"
DATABASE_NAME: Final = "metadata.db"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Which store a server was told to use; None for the one that its lake has, which is a folder in the root at first.

    With `force` a lake is made also in a store that fails the probe. `cache` is for one that is far away.
    """

    url: str | None = None
    force: bool = False
    cache: CacheSettings | None = None


@contextmanager
def opened_place(root: Path, settings: StoreSettings, clock: Clock) -> Iterator[tuple[Lake, Database, ObjectStore]]:
    """The lake of a root, made if there is none: its database, which is open inside the block, and its store.

    One of an older version gets the schema and the format of this one; a copy of its database is kept (`db.migrate`).

    Raises:
        Refused: LAKE_MISMATCH: the store holds another lake, or the root is new and the lake is not.
            STORE_UNFIT: no lake can be made there safely.
        Unsupported: lake or database are of a newer version.
        Damaged: there is a database, and no lake in its store.
    """
    path = root / DATABASE_NAME
    with ExitStack() as stack:
        # A new lake's store is made before its database, so a database without a store is no start that was broken off.
        db = stack.enter_context(Database.open(path, clock=clock)) if path.exists() else None
        known = _known(db)
        store = open_store(settings.url or (known and known.store_url) or str(root / STORE_NAME))
        if db is None:
            lake = _made_lake(store, settings, clock)
            db = stack.enter_context(Database.open(path, clock=clock))
        else:
            lake = _lake_of(path, store)
        if known is not None and known.lake_id != lake.id:
            text = f"database {path} belongs to lake {known.lake_id}, and store {store.url} holds lake {lake.id}"
            raise Refused(ErrorKind.LAKE_MISMATCH, f"{text}; put the right store back, or name it with --store")
        # Last: a lake that was refused, or whose database could not be migrated, keeps its number.
        lake = raise_format(store)
        _remember(db, known, Identity(lake.id, "" if _is_default(store, root) else store.url))
        yield lake, db, near(store, settings.cache)


def _known(db: Database | None) -> Identity | None:
    if db is None:
        return None
    with db.read() as tx:
        return identity(tx)


def _remember(db: Database, known: Identity | None, now: Identity) -> None:
    if known != now:
        with db.write() as tx:
            record_identity(tx, now)


def _is_default(store: ObjectStore, root: Path) -> bool:
    """Whether the store moves with the root: then its address is nothing to remember."""
    return store.url == open_store(str(root / STORE_NAME)).url


def _lake_of(database: Path, store: ObjectStore) -> Lake:
    """The lake in the store of a database that is there."""
    if not store.exists(LAKE_KEY):
        text = f"database {database} is there, and {LAKE_KEY} in its store {store.url} is not"
        raise Damaged(ErrorKind.OBJECT_MISSING, f"{text}; put the store back, or choose another folder with --root")
    return open_lake(store)


def _made_lake(store: ObjectStore, settings: StoreSettings, clock: Clock) -> Lake:
    """The lake in the store of a new database; a store that somebody chose is tried before one is made."""
    if settings.url and store.exists(LAKE_KEY):
        _refuse_anothers(store)
    elif settings.url and not settings.force:
        for check in probe(store, new_id=new_id):
            if not check.passed:
                text = f"store {store.url} cannot hold a lake safely: {check.name}: {check.finding}"
                raise Refused(ErrorKind.STORE_UNFIT, f"{text}; use another, or take the risk with --force-store")
    return create_lake(store, clock=clock, new_id=new_id)


def _refuse_anothers(store: ObjectStore) -> None:
    """Let a new database take over what a start that was broken off has left, but no lake with data in it."""
    if any(info.key != LAKE_KEY and not info.key.startswith(PROBE_PREFIX) for info in store.list()):
        text = f"store {store.url} holds lake {open_lake(store).id}, and the database of this root is new"
        raise Refused(ErrorKind.LAKE_MISMATCH, f"{text}; give the root of that lake, or another bucket or prefix")

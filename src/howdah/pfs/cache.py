# SPDX-License-Identifier: Apache-2.0
"""A cache for callers: values under keys of their own, to remember what a long work came to.

Owner of the tables `cache_entry` and `cache_file_set`. The file sets that an entry names live as long as the entry
(`pfs.file_set_rows`). It is bounded: of many entries those that nobody used for the longest time are forgotten.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, func, insert, select, update

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.texts import one_line
from howdah.pfs import file_set_rows

__all__ = ["ENTRIES_MAX", "VALUE_BYTES_MAX", "Cache"]

ENTRIES_MAX: Final = 10_000
VALUE_BYTES_MAX: Final = 1 << 20  # values are rows of the database; what is bigger belongs into a file set

_E: Final = tables.cache_entry.c
_F: Final = tables.cache_file_set.c


class Cache:
    """The cache of a lake. Each method is one transaction."""

    def __init__(self, db: Database, *, entries_max: int = ENTRIES_MAX) -> None:
        self._db = db
        self._entries_max = entries_max

    def put(self, key: str, value: bytes, file_sets: Collection[str] = (), tag: str = "") -> None:
        """Remember a value, in the place of one that was there under the key. A repetition changes nothing.

        Raises:
            NotFound: FILESET_NOT_FOUND: one of the file sets; then nothing is remembered.
            BadRequest: BAD_ARGUMENT: the value is too big.
        """
        if len(value) > VALUE_BYTES_MAX:
            text = f"a cached value of {len(value)} bytes is too big; put up to {VALUE_BYTES_MAX}, or a file set"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        with self._db.write() as tx:
            for file_set in file_sets:
                file_set_rows.get(tx, file_set)
            _forget(tx, [key])
            tx.execute(insert(tables.cache_entry), {"key": key, "tag": tag, "value": value, "used_at": tx.now})
            if named := [{"key": key, "file_set_id": each} for each in dict.fromkeys(file_sets)]:
                tx.execute(insert(tables.cache_file_set), named)
            self._make_room(tx)

    def get(self, key: str) -> bytes:
        """The value under a key.

        Raises:
            NotFound: CACHE_ENTRY_NOT_FOUND.
        """
        with self._db.write() as tx:
            used = update(tables.cache_entry).where(_E.key == key).values(used_at=tx.now).returning(_E.value)
            value: bytes | None = tx.execute(used).scalar_one_or_none()
        if value is None:
            text = f"cache entry {one_line(key)} not found; it never was or was forgotten: work it out, and put it"
            raise NotFound(ErrorKind.CACHE_ENTRY_NOT_FOUND, text)
        return value

    def clear(self, tag_prefix: str = "") -> int:
        """Forget the entries whose tag begins so, all with an empty prefix; how many."""
        with self._db.write() as tx:
            begins = func.substr(_E.tag, 1, len(tag_prefix)) == tag_prefix
            keys = tx.execute(select(_E.key).where(begins)).scalars().all()
            _forget(tx, keys)
        return len(keys)

    def _make_room(self, tx: Transaction) -> None:
        count: int = tx.execute(select(func.count()).select_from(tables.cache_entry)).scalar_one()
        if count > self._entries_max:
            oldest = select(_E.key).order_by(_E.used_at, _E.key).limit(count - self._entries_max)
            _forget(tx, tx.execute(oldest).scalars().all())


def _forget(tx: Transaction, keys: Collection[str]) -> None:
    """Take entries away; their file sets live on only as long as they have time left."""
    for key in keys:
        tx.execute(delete(tables.cache_file_set).where(_F.key == key))
        tx.execute(delete(tables.cache_entry).where(_E.key == key))

# SPDX-License-Identifier: Apache-2.0
"""Every fileset and every chunk that the database names, and what names it. Whatever is not here is garbage.

The rows of all tables are read, whoever owns them: a column that was forgotten here would cost somebody's
data. So each binary column is a root of a fileset unless `_NO_ROOTS` says otherwise; a test looks at all.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, unique
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, Table, select

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import Damaged, ErrorKind, HowdahError
from howdah.pps.handed_in import decode_hand_in
from howdah.storage import changes
from howdah.storage.extents import NAME_BYTES
from howdah.storage.marks import chunks_of
from howdah.storage.name_sets import NO_NAMES, Names, NameSet, names_in

__all__ = ["Holder", "Root", "RootList", "binary_columns", "find_roots"]


@unique
class Holder(Enum):
    """What kind of row names a fileset."""

    COMMIT = "commit"
    PIPELINE = "pipeline"
    JOB = "job"
    JOB_INPUT = "input of job"  # a commit named it first; the job only remembers
    OTHER = "row"


@dataclass(frozen=True, slots=True)
class Root:
    """A fileset that a row names, or chunks that it names without one. `key` is that of the commit, pipeline or job."""

    holder: Holder
    key: int
    name: bytes | None
    chunks: Names = field(default_factory=lambda: NO_NAMES)
    table: str = ""

    @property
    def text(self) -> str:
        """What errors call the row."""
        return f"{self.holder.value} number {self.key}" if not self.table else f"a row of table {self.table}"


class RootList:
    """Many roots in little memory: some 50 bytes for each. Iterates over names and what errors call their rows."""

    def __init__(self) -> None:
        self.chunks: Final = NameSet()
        self._names = bytearray()
        self._keys = array("q")
        self._kinds: list[tuple[Holder, str]] = []

    def add(self, root: Root) -> None:
        """Add a root, or the chunks that it names without one."""
        if root.name is None:
            self.chunks.update(root.chunks)
            return
        self._names += root.name
        self._keys.append(root.key)
        self._kinds.append((root.holder, root.table))

    def __iter__(self) -> Iterator[tuple[bytes, str]]:
        for at, (holder, table) in enumerate(self._kinds):
            name = bytes(self._names[at * NAME_BYTES : (at + 1) * NAME_BYTES])
            yield name, Root(holder, self._keys[at], name, table=table).text


_JOB: Final = tables.job.c

# Binary columns that hold no root, but bodies; those that hold names are looked into below.
_NO_ROOTS: Final = {
    ("secret", "sealed"),
    ("cache_entry", "value"),
    ("commit_change", "body"),
    ("commit_touched", "paths"),
    ("datum_result", "body"),
    ("file_set", "body"),
    ("log_chunk", "body"),
    ("log_chunk", "body_object"),
    ("log_part", "datums"),
    ("log_segment", "object"),
    ("transaction_request", "body"),
}
# Roots whose row belongs to something that can be named.
_HELD: Final = {
    "commit_": (Holder.COMMIT, "id"),
    "pipeline": (Holder.PIPELINE, "id"),
    "job": (Holder.JOB, "id"),
}


def binary_columns() -> dict[tuple[str, str], bool]:
    """Every binary column of the schema, by table and name: whether it holds roots."""
    found = [(table.name, column.name) for table in tables.metadata.sorted_tables for column in _binary(table)]
    return {each: each not in _NO_ROOTS for each in found}


def find_roots(tx: Transaction) -> Iterator[Root]:
    """All that the database names at one moment, row by row; the same fileset as often as it is named.

    Raises:
        Damaged: a row holds what cannot be read, so nothing may be said about what it names.
    """
    for table in tables.metadata.sorted_tables:
        if columns := [column for column in _binary(table) if (table.name, column.name) not in _NO_ROOTS]:
            yield from _of_table(tx, table, columns)
    for key, detail in tx.execute(select(_JOB.id, _JOB.detail)):
        yield from _of_detail(key, detail)
    change, result, log = tables.commit_change.c, tables.datum_result.c, tables.log_segment.c
    for body in tx.execute(select(tables.file_set.c.body)).scalars():
        yield from _of_change(Holder.OTHER, 0, partial(changes.decode, body), "file_set")
    for key, body in tx.execute(select(change.commit_id, change.body)):
        yield from _of_change(Holder.COMMIT, key, partial(changes.decode, body))
    for key, body in tx.execute(select(result.job_id, result.body)):
        yield from _of_change(Holder.JOB, key, partial(_change_of, body))
    for name in tx.execute(select(log.object)).scalars():
        yield Root(Holder.OTHER, 0, None, names_in(name), "log_segment")


def _binary(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, LargeBinary)]


def _of_table(tx: Transaction, table: Table, columns: list[Column[Any]]) -> Iterator[Root]:
    holder, key = _HELD.get(table.name, (Holder.OTHER, ""))
    named = "" if key else table.name
    for row in tx.execute(select(*([table.c[key]] if key else []), *columns)):
        number, *names = row if key else (0, *row)
        for name in names:
            if name is not None and len(name) == NAME_BYTES:
                yield Root(holder, number, name, table=named)


def _of_detail(key: int, detail: Any) -> Iterator[Root]:
    """What a planned job remembers: what is to be done, and the filesets of its inputs."""
    if "todo" in detail:
        yield Root(Holder.JOB, key, bytes.fromhex(detail["todo"]))
    for each in detail.get("inputs", ()):
        yield Root(Holder.JOB_INPUT, key, bytes.fromhex(each["root"]))


def _change_of(body: bytes) -> changes.Change:
    change = decode_hand_in(body).change
    return changes.decode(change) if change else ()


def _of_change(holder: Holder, key: int, decode: Callable[[], changes.Change], table: str = "") -> Iterator[Root]:
    """What a change that was handed in brings: stored filesets, and rows at hand with their chunks."""
    try:
        change = decode()
    except (HowdahError, ValueError, KeyError) as error:
        what = Root(holder, key, None, table=table).text
        text = f"a change of {what} cannot be read; restore the database from a copy"
        raise Damaged(ErrorKind.OBJECT_CORRUPT, text) from error
    for layer in change:
        for source in (layer.puts, layer.appends):
            if isinstance(source, bytes):
                yield Root(holder, key, source, table=table)
            elif source is not None:
                yield Root(holder, key, None, chunks_of(source), table)

# SPDX-License-Identifier: Apache-2.0
"""Rows: the entries of a fileset as Arrow columns, their bytes on disk and their digest.

One row is one file (path, datum). Rows are handled as vectors: nothing here loops over them in
Python but the one hash a path that decides where ranges end. `nodes` groups ranges into a tree,
`filesets` stores both.
"""

from collections.abc import Iterable, Sequence
from typing import Final, cast

import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from howdah.storage import columnar
from howdah.storage.entries import Entry
from howdah.storage.extents import Extents

__all__ = [
    "EMPTY",
    "FANOUT_BITS",
    "RANGE_BITS",
    "SCHEMA",
    "Entry",
    "bounds",
    "cut_level",
    "decode",
    "digests",
    "duplicate",
    "encode",
    "entries",
    "from_entries",
    "join",
    "path_at",
    "sort",
]

# A range ends after a path whose hash has this many zero bits: 512 rows on average. With 4,096 the range that holds
# one random path weighs 340 KB (a random path falls into long ranges more often), so a commit of one file would not
# keep below 256 KiB; see docs/papers/0002-range-size.md.
RANGE_BITS: Final = 9
# Each further level of the tree asks for this many more zero bits: a fan-out of 128 on average.
FANOUT_BITS: Final = 7

SCHEMA: Final = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("datum", pa.string(), nullable=False),
        pa.field("size", pa.uint64(), nullable=False),
        pa.field("hash", pa.binary(32), nullable=False),
        pa.field("peaks", pa.binary(), nullable=False),
        pa.field("names", pa.binary(), nullable=False),
        pa.field("lengths", pa.binary(), nullable=False),
        pa.field("offsets", pa.binary(), nullable=False),
    ]
)
EMPTY: Final = pa.RecordBatch.from_arrays([pa.array([], type=f.type) for f in SCHEMA], schema=SCHEMA)


def from_entries(entries: Sequence[Entry]) -> pa.RecordBatch:
    """Columns of the given entries, in the given order."""
    columns: list[list[object]] = [
        [e.path for e in entries],
        [e.datum for e in entries],
        [e.size for e in entries],
        [e.hash for e in entries],
        [e.peaks for e in entries],
        [e.extents.names for e in entries],
        [e.extents.lengths for e in entries],
        [e.extents.offsets for e in entries],
    ]
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def entries(rows: pa.RecordBatch) -> list[Entry]:
    """The rows as values; for a few of them, never for a million."""
    paths, datums, sizes, hashes, peaks, names, lengths, offsets = (column.to_pylist() for column in rows.columns)
    return [
        Entry(path, datum, size, hash_, peak, Extents(name, length, offset))
        for path, datum, size, hash_, peak, name, length, offset in zip(
            paths, datums, sizes, hashes, peaks, names, lengths, offsets, strict=True
        )
    ]


def sort(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows in the order of filesets: by bytes of the path, then of the datum."""
    order = pc.sort_indices(rows, sort_keys=[("path", "ascending"), ("datum", "ascending")])
    return rows.take(order)


def join(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of all rows, in the given order."""
    some = [batch for batch in batches if batch.num_rows]
    if not some:
        return EMPTY
    return some[0] if len(some) == 1 else pa.concat_batches(some)


def path_at(rows: pa.RecordBatch, index: int) -> str:
    """The path of one row; negative counts from the end."""
    column = rows.column(0)
    return cast(str, column[index if index >= 0 else len(column) + index].as_py())


def bounds(rows: pa.RecordBatch, lower: str, upper: str | None) -> tuple[int, int]:
    """Where `lower <= path < upper` begins and ends in sorted rows; no upper bound for None."""
    begin = _search(rows, lower)
    return begin, (rows.num_rows if upper is None else max(begin, _search(rows, upper)))


def _search(rows: pa.RecordBatch, path: str) -> int:
    column = rows.column(0)
    wanted = path.encode()
    low, high = 0, len(column)
    while low < high:
        middle = (low + high) // 2
        if column[middle].as_buffer().to_pybytes() < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def duplicate(rows: pa.RecordBatch) -> tuple[str, str, str] | None:
    """The first path that stands twice in sorted rows, with the datums of both; None if each stands once."""
    paths = rows.column(0)
    twice = pc.equal(paths[:-1], paths[1:]) if len(paths) > 1 else None
    if twice is None or not pc.any(twice).as_py():
        return None
    at = pc.index(twice, True).as_py()
    datums = rows.column(1)
    return path_at(rows, at), datums[at].as_py(), datums[at + 1].as_py()


def cut_level(path: str) -> int:
    """How many levels end after this path: 0 none, 1 its range, 2 also the node above it, and so on.

    A function of the path alone, so that any history of edits that leads to the same paths cuts at the same places.
    """
    value = int.from_bytes(blake3(path.encode()).digest(length=8), "little")
    if value & ((1 << RANGE_BITS) - 1):
        return 0
    zeros = (value & -value).bit_length() - 1 if value else 64
    return 1 + (zeros - RANGE_BITS) // FANOUT_BITS


def encode(rows: pa.RecordBatch) -> bytes:
    """The rows as bytes: equal rows give equal bytes. See `columnar`."""
    return columnar.encode(rows)


def decode(data: bytes | memoryview) -> pa.RecordBatch:
    """What `encode` was given. Raises ValueError for anything else."""
    return columnar.decode(data, SCHEMA)


class digests:  # noqa: N801 - reads as a function of rows: digests(rows).of(begin, end)
    """Digests of slices of sorted rows: what they are (paths, sizes, hashes), never who wrote them or where they lie.

    The buffers are looked up once, so that a slice costs a few microseconds however many are asked for.
    """

    def __init__(self, rows: pa.RecordBatch) -> None:
        self._paths = columnar.Strings(rows.column(0))
        self._sizes = columnar.numbers(rows.column(2))
        self._hashes = columnar.fixed(rows.column(3))

    def of(self, begin: int, end: int) -> bytes:
        """The digest of rows begin..end (end excluded)."""
        hasher = blake3((end - begin).to_bytes(8, "little"))
        for part in self._paths.part(begin, end):
            hasher.update(part)
        hasher.update(self._sizes[begin:end].tobytes())
        hasher.update(self._hashes[begin * 32 : end * 32])
        return hasher.digest()

    def size(self, begin: int, end: int) -> int:
        """The sum of the sizes of rows begin..end."""
        return int(self._sizes[begin:end].sum())

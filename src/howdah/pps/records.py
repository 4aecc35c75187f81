# SPDX-License-Identifier: Apache-2.0
"""Records: small JSON objects kept as the files of a fileset, many in one chunk.

Plans, what was done, and results are filesets of records. What is asked of many records at once (a key, a
state) stands in the column `datum` of their rows, so that no record is read for it. Many records are written
in the order of their paths, so that neighbours lie in one chunk, and are handled as columns.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from howdah.errors import Damaged, ErrorKind
from howdah.pps.rewriting import grouped
from howdah.storage import rows
from howdah.storage.extents import Extents
from howdah.storage.filehash import hash_small
from howdah.storage.storage import Storage

__all__ = ["RECORDS", "encode", "in_groups", "quoted", "read_bytes", "read_records", "record_batch", "stored"]

RECORDS: Final = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("datum", pa.string(), nullable=False),
        pa.field("data", pa.binary(), nullable=False),
        pa.field("hash", pa.binary(32), nullable=False),
    ]
)
"""Records on their way to a fileset."""

# One chunk of records; a reader of one record reads one frame of it.
_CHUNK_BYTES: Final = 4 << 20
# Up to so many records of a chunk are read frame by frame; for more, the chunk is read once.
_SINGLE_MAX: Final = 16
# Records whose bytes are held at a time.
_GROUP: Final = 20_000
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

quoted: Final = json.encoder.encode_basestring
"""A text as it stands in a record, with its quotes."""


def encode(value: Mapping[str, Any]) -> bytes:
    """The bytes of a record: equal values, written in the same order of keys, have equal bytes."""
    return _ENCODER.encode(value).encode()


def record_batch(paths: Sequence[str], tags: Sequence[str], data: Sequence[bytes]) -> pa.RecordBatch:
    """Records as columns, in the given order."""
    hashes = pa.py_buffer(b"".join([hash_small(each) for each in data]))
    columns = [
        pa.array(paths, pa.string()),
        pa.array(tags, pa.string()),
        pa.array(data, pa.binary()),
        pa.Array.from_buffers(pa.binary(32), len(data), [None, hashes]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RECORDS)


def stored(storage: Storage, batches: Iterable[pa.RecordBatch] | None) -> Iterator[pa.RecordBatch]:
    """Store records (`RECORDS`) and answer their rows, in the given order and never an empty batch of them.

    The chunks are durable after the store's `sync`, which making a fileset of the rows calls.
    """
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches or ():
        offsets = _offsets(batch.column(2))
        begin = 0
        while begin < batch.num_rows:
            # As many more as fill the chunk; one that is larger than a chunk has one of its own.
            room = int(offsets[begin]) + _CHUNK_BYTES - size
            end = int(np.searchsorted(offsets, room, side="right")) - 1
            if end <= begin:
                if size:
                    yield _chunk_of(storage, held)
                    held, size = [], 0
                    continue
                end = begin + 1
            held.append(batch.slice(begin, end - begin))
            size += int(offsets[end] - offsets[begin])
            begin = end
    if held:
        yield _chunk_of(storage, held)


def read_records(storage: Storage, batches: Iterable[pa.RecordBatch], what: str) -> Iterator[tuple[str, str, Any]]:
    """Path, tag and value of each record; `what` is named by errors: "datum of job …".

    Raises:
        Damaged: a record is missing or corrupt.
    """
    for batch in batches:
        paths, tags = (batch.column(index).to_pylist() for index in (0, 1))
        for path, tag, data in zip(paths, tags, read_bytes(storage, batch, what), strict=True):
            yield path, tag, json.loads(data)


def read_bytes(storage: Storage, batch: pa.RecordBatch, what: str) -> list[bytes]:
    """The bytes of each record of a batch of rows. Raises as `read_records`."""
    paths, sizes, hashes = (batch.column(index).to_pylist() for index in (0, 2, 3))
    extents = list(zip(*(batch.column(index).to_pylist() for index in (5, 6, 7)), strict=True))
    found: list[bytes] = [b""] * len(paths)
    for name, members in _by_chunk(extents).items():
        # One after the other out of a chunk that is there anyway, or frame by frame.
        if len(members) <= _SINGLE_MAX and storage.chunks.cached(name) is None:
            for at in members:
                referrer = f"{what} {paths[at]}"
                found[at] = storage.reader.read_small(Extents(*extents[at]), sizes[at], hashes[at], referrer)
            continue
        plain = storage.chunks.read_cached(name[:32], f"{what} {paths[members[0]]}")
        for at in members:
            begin = int.from_bytes(extents[at][2], "little")
            found[at] = bytes(plain[begin : begin + sizes[at]])
            if len(found[at]) != sizes[at]:
                text = f"{what} {paths[at]}: its bytes are not in chunk {name.hex()}; restore it from a copy"
                raise Damaged(ErrorKind.OBJECT_CORRUPT, text)
    return found


def in_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of records in batches whose bytes may be held at once."""
    for batch in grouped(batches, _GROUP):
        for begin in range(0, batch.num_rows, _GROUP):
            yield batch.slice(begin, _GROUP)


def _by_chunk(extents: Sequence[tuple[bytes, bytes, bytes]]) -> dict[bytes, list[int]]:
    """The numbers of the records in each chunk: neighbours of a fileset may have been stored at different times."""
    chunks: dict[bytes, list[int]] = {}
    for at, (name, _, _) in enumerate(extents):
        chunks.setdefault(name, []).append(at)
    return chunks


def _offsets(column: pa.Array) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Where the values of a binary column begin, and where the last one ends, counted from the first."""
    found = np.frombuffer(column.buffers()[1], "<i4", len(column) + 1, 4 * column.offset).astype(np.int64)
    found -= found[0]
    return found


def _chunk_of(storage: Storage, held: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Store some records as one chunk; their rows."""
    batch = pa.concat_batches(held) if len(held) > 1 else held[0]
    offsets = _offsets(batch.column(2))
    _, ends, data = batch.column(2).buffers()
    begin = int(np.frombuffer(ends, "<i4", 1, 4 * batch.column(2).offset)[0])
    plain = memoryview(data)[begin : begin + int(offsets[-1])]
    name = storage.chunks.put(plain)
    count = batch.num_rows
    sizes = offsets[1:] - offsets[:-1]
    # An offset of 0 is not written (`storage.extents`), so the first record has none.
    places = np.arange(count + 1, dtype="<i4") * 4
    starts = np.maximum(places - 4, 0)
    columns = [
        batch.column(0),
        batch.column(1),
        pa.array(sizes.astype("<u8"), pa.uint64()),
        batch.column(3),
        pa.repeat(pa.scalar(b"", pa.binary()), count),
        pa.repeat(pa.scalar(name, pa.binary()), count),
        _binary(places, sizes.astype("<u4").tobytes()),
        _binary(starts, offsets[1:-1].astype("<u4").tobytes()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=rows.SCHEMA)


def _binary(places: "np.ndarray[tuple[int], np.dtype[np.int32]]", data: bytes) -> pa.Array:
    buffers = [None, pa.py_buffer(np.ascontiguousarray(places, "<i4")), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(places) - 1, buffers)

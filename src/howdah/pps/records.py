# SPDX-License-Identifier: Apache-2.0
"""Records: small JSON objects kept as the files of a fileset, many in one chunk.

Plans, what was done, and results are filesets of records. What is asked of many records at once (a key, a
state) stands in the column `datum` of their rows, so that no record is read for it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from howdah.storage import rows
from howdah.storage.extents import Extents
from howdah.storage.filehash import hash_small
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage

__all__ = ["encode", "read_records", "store_records"]

# One chunk of records; a reader of one record reads one frame of it.
_CHUNK_BYTES: Final = 4 << 20
# Up to so many records of a chunk are read frame by frame; for more, the chunk is read once.
_SINGLE_MAX: Final = 16
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(value: Mapping[str, Any]) -> bytes:
    """The bytes of a record: equal values, written in the same order of keys, have equal bytes."""
    return _ENCODER.encode(value).encode()


def store_records(storage: Storage, records: Sequence[tuple[str, str, bytes]]) -> pa.RecordBatch:
    """Store records given as (path, tag, bytes), and answer their rows in the given order.

    The chunks are durable after the store's `sync`, which making a fileset of the rows calls.
    """
    entries: list[Entry] = []
    for part in _parts(records):
        name = storage.chunks.put(b"".join([data for _, _, data in part]))
        at = 0
        for path, tag, data in part:
            entries.append(Entry(path, tag, len(data), hash_small(data), b"", Extents.one(name, at, len(data))))
            at += len(data)
    return rows.from_entries(entries)


def read_records(storage: Storage, batches: Iterable[pa.RecordBatch], what: str) -> Iterator[tuple[str, str, Any]]:
    """Path, tag and value of each record; `what` is named by errors: "datum of job …".

    Raises:
        Damaged: a record is missing or corrupt.
    """
    for batch in batches:
        found = rows.entries(batch)
        contents: dict[str, bytes] = {}
        for members in _by_chunk(found):
            contents |= _contents(storage, members, what)
        for entry in found:
            yield entry.path, entry.datum, json.loads(contents.pop(entry.path))


def _by_chunk(found: Sequence[Entry]) -> Iterable[list[Entry]]:
    """The entries by the chunk that they lie in: neighbours of a fileset may have been stored at different times."""
    chunks: dict[bytes, list[Entry]] = {}
    for entry in found:
        chunks.setdefault(entry.extents.names, []).append(entry)
    return chunks.values()


def _contents(storage: Storage, members: list[Entry], what: str) -> dict[str, bytes]:
    """The bytes of some records of one chunk, by path."""
    if len(members) <= _SINGLE_MAX:
        return {
            each.path: storage.reader.read_small(each.extents, each.size, each.hash, f"{what} {each.path}")
            for each in members
        }
    wanted = [(next(iter(each.extents)), f"{what} {each.path}") for each in members]
    views = storage.reader.read_many(wanted)
    return {each.path: bytes(view) for each, view in zip(members, views, strict=True)}


def _parts(records: Sequence[tuple[str, str, bytes]]) -> Iterator[Sequence[tuple[str, str, bytes]]]:
    begin = size = 0
    for index, (_, _, data) in enumerate(records):
        if size and size + len(data) > _CHUNK_BYTES:
            yield records[begin:index]
            begin, size = index, 0
        size += len(data)
    if begin < len(records):
        yield records[begin:]

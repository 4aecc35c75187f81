# SPDX-License-Identifier: Apache-2.0
"""The plan of a job: all its datums, as a fileset of records.

    path   /<datum id>          32 hex digits: which parts of which inputs, whatever is in them
    datum  <key>                64 hex digits: id, content and salt; what succeeded under a key never runs again
    bytes  {"key": …, "inputs": [{"name", "path", "hash", "size"}, …]}; a part has "branch" if its name does not say it

The plan is built over that of an earlier job, so datums that did not change are stored once and for all, and
two plans are compared without reading what they share. `pps.done` says which keys succeeded before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from howdah.pps.input_pages import Page, Slot, Source
from howdah.pps.records import encode, store_records
from howdah.pps.rewriting import SortedRows, rewrite
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = ["KEY_DIGITS", "build_plan", "identify", "inputs_of"]

ID_DIGITS: Final = 32
KEY_DIGITS: Final = 64
# Datums that are compared with the earlier plan at a time, and whose records are stored in the order of their ids:
# with fewer, neighbours of a large plan would lie in many chunks.
_COMPARED: Final = 200_000


@dataclass(frozen=True, slots=True)
class _Identified:
    """A page with the paths and keys of its datums."""

    page: Page
    paths: list[str]
    keys: list[str]


def identify(page: Page, salt: str) -> tuple[list[str], list[str]]:
    """The ids and the keys of a page's datums.

    The id covers name, project, repo, branch and path of each part; the key covers the id, the content of each
    part that is no reference, and the salt. All texts are length-prefixed, so that no two datums collide by
    the way their names are cut.
    """
    names, contents = [b""] * len(page), [b""] * len(page)
    for slot in page.slots:
        prefix, paths = _prefix(slot.source), [path.encode() for path in slot.paths]
        pieces = slot.joined([prefix + len(path).to_bytes(4, "little") + path for path in paths])
        names = [name + piece for name, piece in zip(names, pieces, strict=True)]
        if not slot.source.reference:
            hashes = slot.joined(slot.hashes)
            contents = [content + hashed for content, hashed in zip(contents, hashes, strict=True)]
    ids = [blake3(name).hexdigest(length=ID_DIGITS // 2) for name in names]
    head, tail = ID_DIGITS.to_bytes(4, "little"), _sized(salt)
    keys = [
        blake3(head + datum.encode() + content + tail).hexdigest() for datum, content in zip(ids, contents, strict=True)
    ]
    return ids, keys


def build_plan(storage: Storage, base: bytes, pages: Iterable[Page], salt: str, referrer: str) -> bytes:
    """The plan of the datums in `pages`, over the earlier plan `base`; durable when this returns.

    Equal datums are one. Memory grows by the ids alone, some 150 bytes for each datum; the rest is passed on.
    """
    earlier = _Earlier.read(storage.fileset(base, referrer))
    fresh = SortedRows(storage.filesets, referrer)
    seen: list[pa.Array] = []
    written: set[str] = set()
    for group in _groups(pages, salt):
        keys = pa.array([key for each in group for key in each.keys], pa.string())
        seen.append(pa.array([path for each in group for path in each.paths], pa.string()))
        known = pc.is_in(keys, value_set=earlier.keys).to_pylist()
        fresh.add(_store(storage, group, known, written))
    paths = pa.chunked_array(seen, pa.string())
    gone = pc.array_filter(earlier.paths, pc.invert(pc.is_in(earlier.paths, value_set=paths)))
    return rewrite(storage.filesets, base, gone, fresh.finish(), referrer, replace=True).root


def inputs_of(record: dict[str, Any]) -> list[tuple[str, str, bytes, int]]:
    """The parts of a planned datum: input's name, path, hash and size of each."""
    return [(part["name"], part["path"], bytes.fromhex(part["hash"]), part["size"]) for part in record["inputs"]]


@dataclass(frozen=True, slots=True)
class _Earlier:
    """Paths and keys of an earlier plan. A key includes its id, so a known key is a known record."""

    paths: pa.Array
    keys: pa.Array

    @classmethod
    def read(cls, plan: Fileset) -> "_Earlier":
        batches = [] if plan.root == EMPTY_ROOT else list(plan.batches())
        paths, keys = (_joined([batch.column(index) for batch in batches]) for index in (0, 1))
        return cls(paths, keys)


def _joined(columns: list[pa.Array]) -> pa.Array:
    return pa.concat_arrays(columns) if columns else pa.array([], pa.string())


def _groups(pages: Iterable[Page], salt: str) -> Iterator[list[_Identified]]:
    """The pages with their ids, some of them at a time."""
    group: list[_Identified] = []
    held = 0
    for page in pages:
        ids, keys = identify(page, salt)
        group.append(_Identified(page, ["/" + datum for datum in ids], keys))
        held += len(ids)
        if held >= _COMPARED:
            yield group
            group, held = [], 0
    if group:
        yield group


def _store(storage: Storage, group: list[_Identified], known: list[bool], written: set[str]) -> pa.RecordBatch:
    """Store the records that the earlier plan has not; each path once."""
    records: list[tuple[str, str, bytes]] = []
    at = 0
    for each in group:
        for number, (path, key) in enumerate(zip(each.paths, each.keys, strict=True)):
            if not known[at + number] and path not in written:
                written.add(path)
                records.append((path, key, _record(each.page, number, key)))
        at += len(each.paths)
    records.sort()
    return store_records(storage, records)


def _record(page: Page, number: int, key: str) -> bytes:
    inputs = [_part(slot, at) for slot in page.slots for at in slot.parts(number)]
    return encode({"key": key, "inputs": inputs})


def _part(slot: Slot, at: int) -> dict[str, Any]:
    part = {"name": slot.source.name, "path": slot.paths[at], "hash": slot.hashes[at].hex(), "size": slot.sizes[at]}
    if label := slot.source.label:
        part["branch"] = label
    return part


def _prefix(source: Source) -> bytes:
    return b"".join(map(_sized, (source.name, source.project, source.repo, source.branch)))


def _sized(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data

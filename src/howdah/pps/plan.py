# SPDX-License-Identifier: Apache-2.0
"""The plan of a job: all its datums, as a fileset of records.

    path   /<datum id>          32 hex digits: which parts of which inputs, whatever is in them
    datum  <key>                64 hex digits: id, content and salt; what succeeded under a key never runs again
    bytes  {"key": …, "inputs": [{"name", "path", "hash", "size"}, …]}; a part has "branch" if its name does not say it

The plan is built over that of an earlier job, so datums that did not change are stored once and for all, and
two plans are compared without reading what they share. `pps.replan` builds it from what changed alone, where it
can. `pps.done` says which keys succeeded before.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from howdah.pps.input_pages import Page, Slot, Source
from howdah.pps.records import quoted, record_batch, stored
from howdah.pps.rewriting import SortedRows, distinct, rewrite
from howdah.storage import rows
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = [
    "ID_DIGITS",
    "KEY_DIGITS",
    "branch_in",
    "build_plan",
    "identify",
    "inputs_of",
    "parts_of",
    "paths_of",
    "planned",
]

ID_DIGITS: Final = 32
KEY_DIGITS: Final = 64
# Paths of which a cross remembers what stands in names, keys and records; many more, and it forgets them all.
_PARTS_MAX: Final = 50_000
_HEAD: Final = ID_DIGITS.to_bytes(4, "little")
_BEFORE_PARTS: Final = len('{"key":"","inputs":[') + KEY_DIGITS
_BETWEEN_PARTS: Final = '},{"name":"'
_BRANCH: Final = ',"branch":"'

_Part = tuple[bytes, bytes, str, bytes]
"""What one part of a datum adds to the name, to the content and to the record; and its hash."""


class Identifier:
    """Turns pages into records of a plan. For one thread; remembers parts, since those of a cross come again."""

    def __init__(self, salt: str) -> None:
        self._tail = _sized(salt)
        self._known: dict[Source, dict[str, _Part]] = {}
        self._count = 0

    def records(self, page: Page) -> pa.RecordBatch:
        """The records of the datums of a page, in its order.

        The id covers name, project, repo, branch and path of each part; the key covers the id, the content of each
        part that is no reference, and the salt. All texts are length-prefixed, so that no two datums collide by
        the way their names are cut.
        """
        slots = [_joined(slot, self._parts(slot.source, slot.paths, slot.hashes, slot.sizes)) for slot in page.slots]
        if len(slots) == 1:
            names, contents, texts, _ = zip(*slots[0], strict=True) if slots[0] else ((), (), (), ())
        else:
            datums = list(zip(*slots, strict=True))
            names = tuple(b"".join([part[0] for part in datum]) for datum in datums)
            contents = tuple(b"".join([part[1] for part in datum]) for datum in datums)
            texts = tuple(",".join([part[2] for part in datum if part[2]]) for datum in datums)
        tail, size = self._tail, ID_DIGITS // 2
        ids = [blake3(name).hexdigest(length=size) for name in names]
        keys = [
            blake3(b"".join((_HEAD, datum.encode(), content, tail))).hexdigest()
            for datum, content in zip(ids, contents, strict=True)
        ]
        data = [f'{{"key":"{key}","inputs":[{text}]}}'.encode() for key, text in zip(keys, texts, strict=True)]
        return record_batch(["/" + datum for datum in ids], keys, data)

    def _parts(self, source: Source, paths: list[str], hashes: list[bytes], sizes: list[int]) -> list[_Part]:
        """What each of some paths adds to the datum that it is a part of."""
        if self._count > _PARTS_MAX:
            self._known, self._count = {}, 0
        known = self._known.setdefault(source, {})
        before = len(known)
        prefix, name = _prefix(source), f'{{"name":{quoted(source.name)},"path":'
        end = f',"branch":{quoted(source.label)}}}' if source.label else "}"
        found: list[_Part] = []
        for path, hashed, size in zip(paths, hashes, sizes, strict=True):
            part = known.get(path)
            if part is None or part[3] != hashed:
                text = f'{name}{quoted(path)},"hash":"{hashed.hex()}","size":{size}{end}'
                encoded = path.encode()
                content = b"" if source.reference else hashed
                part = known[path] = prefix + len(encoded).to_bytes(4, "little") + encoded, content, text, hashed
            found.append(part)
        self._count += len(known) - before
        return found


def identify(page: Page, salt: str) -> tuple[list[str], list[str]]:
    """The ids and the keys of a page's datums; see `Identifier.records`."""
    records = Identifier(salt).records(page)
    return [path[1:] for path in records.column(0).to_pylist()], records.column(1).to_pylist()


def planned(pages: Iterable[Page], salt: str) -> Iterator[pa.RecordBatch]:
    """The records of all datums, in no order, equal datums as often as they come."""
    identifier = Identifier(salt)
    for page in pages:
        yield identifier.records(page)


def build_plan(storage: Storage, base: bytes, pages: Iterable[Page], salt: str, referrer: str) -> bytes:
    """The plan of the datums in `pages`, over the earlier plan `base`; durable when this returns.

    Equal datums are one. Memory does not grow with their number: records are sorted outside of it.
    """
    found = SortedRows()
    for batch in planned(pages, salt):
        found.add(batch)
    records = found.finish()
    if records is None:
        return EMPTY_ROOT
    if base == EMPTY_ROOT:
        return rewrite(
            storage.filesets, EMPTY_ROOT, _NONE, stored(storage, distinct(records)), referrer, replace=True
        ).root
    gone, fresh = _compared(storage.fileset(base, referrer), distinct(records))
    added = fresh.finish()
    put = None if added is None else stored(storage, added)
    return rewrite(storage.filesets, base, gone, put, referrer, replace=True).root


def inputs_of(record: dict[str, Any]) -> list[tuple[str, str, bytes, int]]:
    """The parts of a planned datum: input's name, path, hash and size of each."""
    return [(part["name"], part["path"], bytes.fromhex(part["hash"]), part["size"]) for part in record["inputs"]]


def parts_of(record: str) -> list[tuple[str, str]]:
    """The parts in the text of a plan's record: the input's name with its quotes, and the part's text without its `}`.

    A text within a record has no quote that is not escaped, so a part can be told where it ends.
    """
    found = record[_BEFORE_PARTS:-3].split(_BETWEEN_PARTS)
    texts = found[:1] + ['{"name":"' + each for each in found[1:]]
    return [(text[8 : text.index('","path":"') + 1], text) for text in texts]


def branch_in(text: str) -> str:
    """The branch that the text of a part says; "" if it says none. No path has these quotes: its own are escaped."""
    at = text.rfind(_BRANCH)
    return text[at + len(_BRANCH) : -1] if at >= 0 else ""


def paths_of(record: str) -> list[tuple[str, str, str]]:
    """The name, the path and, if the record says it, the branch of each part in the text of a plan's record."""
    found: list[tuple[str, str, str]] = []
    for name, text in parts_of(record):
        begin = len('{"name":') + len(name) + len(',"path":')
        path = text[begin : text.rindex('","hash":"') + 1]
        found.append((_plain(name), _plain(path), branch_in(text)))
    return found


def _plain(quotation: str) -> str:
    text: str = json.loads(quotation) if "\\" in quotation else quotation[1:-1]
    return text


def _compared(earlier: Fileset, records: Iterator[pa.RecordBatch]) -> tuple[pa.Array, SortedRows]:
    """The paths of an earlier plan that are not among some sorted records, and those that it has not, or otherwise."""
    fresh = SortedRows()
    gone: list[pa.Array] = []
    lower = ""
    for batch in records:
        upper = rows.path_at(batch, -1) + "\0"
        before = rows.join(earlier.batches(lower, upper))
        at = pc.index_in(batch.column(0), value_set=before.column(0))
        same = pc.fill_null(pc.equal(before.column(3).take(at), batch.column(3)), False)
        fresh.add(batch.filter(pc.invert(same)))
        gone.append(before.column(0).filter(pc.invert(pc.is_in(before.column(0), value_set=batch.column(0)))))
        lower = upper
    gone += [batch.column(0) for batch in earlier.batches(lower)]
    return pa.concat_arrays(gone), fresh


def _joined(slot: Slot, parts: list[_Part]) -> list[_Part]:
    """What each datum has of a slot, as if it were one part: in a group there are many, or none."""
    if slot.ends is None:
        return parts
    datums = [parts[own.start : own.stop] for own in map(slot.parts, range(slot.datums))]
    return [
        (b"".join([part[0] for part in own]), b"".join([part[1] for part in own]), ",".join([p[2] for p in own]), b"")
        for own in datums
    ]


def _prefix(source: Source) -> bytes:
    return b"".join(map(_sized, (source.name, source.project, source.repo, source.branch)))


def _sized(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data


_NONE: Final = pa.array([], pa.string())

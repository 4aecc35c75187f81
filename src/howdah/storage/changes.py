# SPDX-License-Identifier: Apache-2.0
"""Changes: what a writer hands in, in a form that is small to pass on and needs no order inside.

A change is a row of *layers*. A layer first clears directories and paths, then puts files (each replaces
whatever its path had), then appends to files. Few rows travel in the change itself; many are stored as
a fileset first, so that the change of a million files is as small as that of one. `edits` makes layers,
`merge` is how they are applied.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from howdah.errors import BadRequest, ErrorKind
from howdah.storage import rows
from howdah.storage.entries import CHANGE_MAGIC, Entry
from howdah.storage.filesets import EMPTY_ROOT, Builder, Filesets
from howdah.storage.merge import Source, add_union, children_of, without

__all__ = ["Applied", "Change", "Layer", "apply", "decode", "encode", "extents_of"]

Change: TypeAlias = tuple["Layer", ...]

Append: TypeAlias = Callable[[Entry, Entry], Entry]
"""Given a file's entry and that of what is appended, the entry of both; see `content`."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of a change.

    `directories` end in a slash; `deletes` are (path, datum), all parts of the path if the datum is None; both sorted.
    """

    directories: tuple[str, ...] = ()
    deletes: tuple[tuple[str, str | None], ...] = ()
    puts: Source | None = None
    appends: Source | None = None

    @property
    def inline(self) -> bool:
        """Whether all its rows are at hand."""
        return not isinstance(self.puts, bytes) and not isinstance(self.appends, bytes)


@dataclass(frozen=True, slots=True)
class Applied:
    """The fileset that a change led to; `duplicate` is the first path that two datums have, with both of them."""

    root: bytes
    duplicate: tuple[str, str, str] | None = None


def encode(change: Change) -> bytes:
    """The change as bytes: a JSON header that names stored filesets, and the rows at hand behind it."""
    blobs: list[bytes] = []

    def source(value: Source | None) -> Any:
        if isinstance(value, bytes):
            return {"root": value.hex()}
        if value is None or not value.num_rows:
            return None
        blobs.append(rows.encode(value))
        return {"rows": len(blobs[-1])}

    layers = [
        {
            "directories": layer.directories,
            "deletes": layer.deletes,
            "puts": source(layer.puts),
            "appends": source(layer.appends),
        }
        for layer in change
    ]
    header = json.dumps(layers, ensure_ascii=False, separators=(",", ":")).encode()
    return CHANGE_MAGIC + len(header).to_bytes(4, "little") + header + b"".join(blobs)


def decode(data: bytes) -> Change:
    """What `encode` was given.

    Raises:
        BadRequest: these are not the bytes of a change.
    """
    try:
        return tuple(_layers(data))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        text = f"the bytes handed in are not a change ({' '.join(str(error).split())}); use the client of this version"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from error


def _layers(data: bytes) -> Iterator[Layer]:
    if data[:4] != CHANGE_MAGIC:
        raise ValueError("they do not begin with HWX1")
    at = 8 + int.from_bytes(data[4:8], "little")
    header = json.loads(data[8:at])
    view = memoryview(data)

    def source(value: Any) -> Source | None:
        nonlocal at
        if value is None:
            return None
        if "root" in value:
            return bytes.fromhex(value["root"])
        begin, at = at, at + int(value["rows"])
        return rows.decode(view[begin:at])

    for layer in header:
        puts = source(layer["puts"])
        deletes = tuple((str(path), datum) for path, datum in layer["deletes"])
        yield Layer(tuple(layer["directories"]), deletes, puts, source(layer["appends"]))


def apply(filesets: Filesets, base: bytes, layers: Sequence[Layer], append: Append, referrer: str) -> Applied:
    """The fileset that `layers`, one after the other, make of `base`. It is durable when this returns.

    The same base and layers always give the same root; unchanged parts of `base` are referred to, not rewritten.
    """
    applied = Applied(base)
    for layer in layers:
        root, duplicate = _apply_layer(filesets, applied.root, layer, append, referrer)
        applied = Applied(root, duplicate or applied.duplicate)
    return applied


def _apply_layer(
    filesets: Filesets, base: bytes, layer: Layer, append: Append, referrer: str
) -> tuple[bytes, tuple[str, str, str] | None]:
    if layer.puts is None and layer.appends is None and not layer.directories and not layer.deletes:
        return base, None
    both = layer.puts is not None and layer.appends is not None
    if both:
        base = _apply_layer(filesets, base, replace(layer, appends=None), append, referrer)[0]
        layer = Layer(appends=layer.appends)
    builder = Builder(filesets, referrer)
    kept = without(filesets, children_of(filesets, base, referrer), layer.directories, layer.deletes)
    if layer.puts is not None:
        add_union(builder, filesets, kept, children_of(filesets, layer.puts, referrer), _replaced)
    else:
        added = children_of(filesets, layer.appends, referrer)
        add_union(builder, filesets, kept, added, lambda old, new: _appended(old, new, append))
    return builder.finish(), builder.duplicate


def _replaced(old: pa.RecordBatch, new: pa.RecordBatch) -> pa.RecordBatch:
    kept = old.filter(pc.invert(pc.is_in(old.column(0), value_set=new.column(0))))
    return rows.sort(rows.join([kept, new])) if kept.num_rows else new


def _appended(old: pa.RecordBatch, new: pa.RecordBatch, append: Append) -> pa.RecordBatch:
    match = pc.is_in(old.column(0), value_set=new.column(0))
    before = {(entry.path, entry.datum): entry for entry in rows.entries(old.filter(match))}
    if not before:
        return rows.sort(rows.join([old, new]))
    for entry in rows.entries(new):
        there = before.get((entry.path, entry.datum))
        before[entry.path, entry.datum] = entry if there is None else append(there, entry)
    return rows.sort(rows.join([old.filter(pc.invert(match)), rows.from_entries(list(before.values()))]))


def extents_of(filesets: Filesets, change: Change, referrer: str) -> Iterator[pa.RecordBatch]:
    """All rows that a change brings, batch by batch: to check that what they name exists."""
    for layer in change:
        for source in (layer.puts, layer.appends):
            if isinstance(source, bytes):
                yield from _all_rows(filesets, source, referrer)
            elif source is not None:
                yield source


def _all_rows(filesets: Filesets, root: bytes, referrer: str) -> Iterator[pa.RecordBatch]:
    if root == EMPTY_ROOT:
        return
    node = filesets.node(root, referrer)
    for child in node.children:
        if child.level:
            yield from _all_rows(filesets, child.name, referrer)
        else:
            yield filesets.rows(child.name, referrer)

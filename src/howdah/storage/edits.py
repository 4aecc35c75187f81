# SPDX-License-Identifier: Apache-2.0
"""Edits: the operations of one writer, in their order, folded into a layer that needs no order.

A later operation acts on what an earlier one left: a delete removes a put, an append to a put file is a
longer put file. What remains says only what to do to the base.
"""

from collections.abc import Iterable

import pyarrow as pa

from howdah.storage import rows
from howdah.storage.changes import Append, Layer
from howdah.storage.filesets import Builder, Filesets
from howdah.storage.merge import Source
from howdah.storage.rows import Entry

__all__ = ["Edits", "folded"]

# Rows that travel inside a change; more are stored as a fileset. 256 rows are about 25 KB.
_INLINE_ROWS = 256
# Bytes of extents that travel inside a change: the entry of a file of 2 GiB has 18 KB.
_INLINE_BYTES = 64 << 10


class Edits:
    """Collects operations. Paths are clean; directories end in a slash. Not for several threads at once."""

    def __init__(self, append: Append) -> None:
        self._append = append
        self._directories: list[str] = []
        self._deletes: dict[tuple[str, str | None], None] = {}
        # Files that replace whatever their path had, by datum.
        self._puts: dict[str, dict[str, Entry]] = {}
        self._appends: dict[str, dict[str, Entry]] = {}

    def __len__(self) -> int:
        return len(self._puts) + len(self._appends) + len(self._deletes) + len(self._directories)

    def delete_directory(self, directory: str) -> None:
        """Remove everything below `directory`."""
        for paths in (self._puts, self._appends):
            for path in [path for path in paths if path.startswith(directory)]:
                del paths[path]
        self._deletes = {key: None for key in self._deletes if not key[0].startswith(directory)}
        self._directories = [d for d in self._directories if not d.startswith(directory)]
        if not self._gone(directory):
            self._directories.append(directory)

    def delete(self, path: str, datum: str | None = None) -> None:
        """Remove a file, or only the part that `datum` wrote."""
        for paths in (self._puts, self._appends):
            parts = paths.get(path)
            if parts is not None:
                parts.pop(datum, None) if datum is not None else parts.clear()
                if not parts and not (paths is self._puts and datum is not None):
                    del paths[path]
        if path not in self._puts and not self._gone(path):
            self._deletes[path, datum] = None

    def put(self, entry: Entry) -> None:
        """Replace whatever the entry's path has by the entry."""
        self._appends.pop(entry.path, None)
        self._deletes.pop((entry.path, None), None)
        self._puts[entry.path] = {entry.datum: entry}

    def append(self, entry: Entry) -> None:
        """Append the entry's content to what its path and datum have; a new file if there is nothing."""
        path = entry.path
        if path in self._puts:
            parts = self._puts[path]
        elif (path, None) in self._deletes or self._gone(path):
            self._deletes.pop((path, None), None)
            parts = self._puts.setdefault(path, {})
        else:
            parts = self._appends.setdefault(path, {})
        there = parts.get(entry.datum)
        parts[entry.datum] = entry if there is None else self._append(there, entry)

    def replaces(self, path: str) -> bool:
        """Whether what the base has under a path is deleted, and nothing was written there yet."""
        if path in self._puts or path in self._appends:
            return False
        return (path, None) in self._deletes or self._gone(path)

    def layer(self, filesets: Filesets, referrer: str) -> Layer:
        """What the operations come to. Many rows are stored; they are durable when this returns."""
        deletes = sorted(self._deletes, key=lambda key: (key[0], key[1] or ""))
        puts = _source(filesets, self._puts, referrer)
        return Layer(tuple(sorted(self._directories)), tuple(deletes), puts, _source(filesets, self._appends, referrer))

    def _gone(self, path: str) -> bool:
        return any(path.startswith(directory) for directory in self._directories)


def _source(filesets: Filesets, paths: dict[str, dict[str, Entry]], referrer: str) -> Source | None:
    entries = [parts[datum] for _, parts in sorted(paths.items()) for datum in sorted(parts)]
    if not entries:
        return None
    if len(entries) <= _INLINE_ROWS and sum(len(e.extents.names) for e in entries) <= _INLINE_BYTES:
        return rows.from_entries(entries)
    builder = Builder(filesets, referrer)
    for begin in range(0, len(entries), 4096):
        builder.add_rows(rows.from_entries(entries[begin : begin + 4096]))
    return builder.finish()


def folded(filesets: Filesets, layers: Iterable[Layer], append: Append, referrer: str) -> list[Layer]:
    """The same change in fewer layers: neighbours whose rows are at hand become one."""
    result: list[Layer] = []
    edits: Edits | None = None
    for layer in layers:
        if layer.inline:
            edits = edits or Edits(append)
            _replay(edits, layer)
            continue
        if edits is not None:
            result.append(edits.layer(filesets, referrer))
            edits = None
        result.append(layer)
    if edits is not None:
        result.append(edits.layer(filesets, referrer))
    return result


def _replay(edits: Edits, layer: Layer) -> None:
    for directory in layer.directories:
        edits.delete_directory(directory)
    for path, datum in layer.deletes:
        edits.delete(path, datum)
    if isinstance(layer.puts, pa.RecordBatch):
        seen: set[str] = set()
        for entry in rows.entries(layer.puts):
            edits.append(entry) if entry.path in seen else edits.put(entry)
            seen.add(entry.path)
    if isinstance(layer.appends, pa.RecordBatch):
        for entry in rows.entries(layer.appends):
            edits.append(entry)

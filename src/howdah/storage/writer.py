# SPDX-License-Identifier: Apache-2.0
"""Writing: the operations of one writer turned into chunks and a change, in bounded memory.

Whoever has bytes to add runs this, beside the object store: a client, a worker, or the server for a
caller that cannot reach the store. What comes out is small and is handed to the server (`changes`).
"""

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from howdah.storage import rows
from howdah.storage.changes import Change, Layer
from howdah.storage.chunks import Chunks
from howdah.storage.content import ContentWriter, Stored, small_or_stream
from howdah.storage.edits import Edits
from howdah.storage.extents import Extents
from howdah.storage.filehash import hash_small
from howdah.storage.objects import Buffer
from howdah.storage.old_version import OldVersion
from howdah.storage.packs import Pack, Packer
from howdah.storage.reader import Fileset
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage

__all__ = ["ChangeWriter"]

# Operations that are held in memory before they are laid down as a layer: some 100 MB.
_SPILL = 200_000
# Below so many paths each is looked up in the base by itself.
_LOOKUPS_MAX = 32

_Key = tuple[str, str, bool, int, bytes]
"""Path, datum, append, size, hash of a small file that waits for its pack."""


class ChangeWriter:
    """Collects puts, appends, copies and deletes, in order. For one thread. Paths are clean.

    `base` is what the target holds: a small file that is there with the same content keeps its extents, so that
    putting a folder again stores next to nothing. Nothing is visible before the change is handed in; a
    writer that is given up leaves only garbage. `chunks` and `content` are used instead of the storage's own by a
    caller who wants to know what they do; `note` is told each file that was put, when its bytes are stored.
    """

    def __init__(
        self,
        storage: Storage,
        base: Fileset,
        *,
        chunks: Chunks | None = None,
        content: ContentWriter | None = None,
        note: Callable[[Entry], None] | None = None,
    ) -> None:
        self._storage = storage
        self._chunks = chunks or storage.chunks
        self._content = content or storage.content
        self._note = note
        self._base = base
        self._edits = Edits(storage.append)
        self._layers: list[Layer] = []
        self._packer: Packer[_Key] | None = None
        # A lone small file that would be the first of a pack, and the paths that wait for their packs.
        self._first: tuple[_Key, bytes] | None = None
        self._waiting: set[str] = set()

    def __enter__(self) -> "ChangeWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, path: str, pieces: Iterable[Buffer], *, datum: str = "", append: bool = False) -> None:
        """Write a file from pieces of any size; `append` adds them to what the path has."""
        content = small_or_stream(pieces)
        if isinstance(content, bytes):
            self.put_small([(path, content)], datum=datum, append=append)
        else:
            self._add_stored(
                path, datum, append, self._content.put_file(content, self.old_version(path, append=append))
            )

    def put_local(self, path: str, local: str | int, *, datum: str = "", append: bool = False) -> None:
        """Write a file of 1 MiB or more from a local file, or from one that is open, by its number."""
        self._add_stored(path, datum, append, self._content.put_file(local, self.old_version(path, append=append)))

    def old_version(self, path: str, *, append: bool = False) -> OldVersion | None:
        """The big file that a put would replace: what the base has, which the writer's lease protects.

        Callers of the protocol replace a file by deleting it and appending to nothing.
        """
        if append and not self._edits.replaces(path):
            return None
        parts = [entry.extents for entry in self._base.find(path)]
        return OldVersion.of(Extents().concat(*parts), f"file {path} of {self._base.referrer}") if parts else None

    def put_small(self, files: Sequence[tuple[str, bytes]], *, datum: str = "", append: bool = False) -> None:
        """Write files under 1 MiB from their content; quickest with many at a time, in order of path."""
        known = self._known([path for path, _ in files])
        fresh: list[tuple[_Key, bytes, bytes]] = []
        for path, data in files:
            hashed = hash_small(data)
            there = known.get((path, datum))
            if there is not None and there.hash == hashed and there.size == len(data):
                self._add(Entry(path, datum, there.size, hashed, there.peaks, there.extents), append)
            elif not data:
                self._add(Entry(path, datum, 0, hashed, b"", Extents()), append)
            else:
                if path in self._waiting:
                    self._pack(fresh)
                    fresh = []
                    self._flush()
                self._waiting.add(path)
                fresh.append(((path, datum, append, len(data), hashed), data, hashed))
        self._pack(fresh)

    def put_entries(self, entries: Iterable[Entry], *, append: bool = False) -> None:
        """Write files whose content is in the store already: a copy moves no bytes."""
        for entry in entries:
            self._add(entry, append)

    def delete(self, path: str, datum: str | None = None) -> None:
        """Remove a file, or the part that `datum` wrote; nothing happens if there is none."""
        self._settle(path)
        self._edits.delete(path, datum)

    def delete_directory(self, directory: str) -> None:
        """Remove everything below a directory, which ends in a slash."""
        self._flush()
        self._edits.delete_directory(directory)

    def finish(self) -> Change:
        """Store what is left and answer the change. All that it refers to is durable when this returns."""
        self._lay_down()
        self._storage.store.sync()
        self.close()
        return tuple(self._layers)

    def close(self) -> None:
        """Give up what was not finished; closing again does nothing."""
        if self._packer is not None:
            self._packer.close()
            self._packer = None

    def _known(self, paths: list[str]) -> dict[tuple[str, str], Entry]:
        if len(paths) <= _LOOKUPS_MAX:
            return {(e.path, e.datum): e for path in paths for e in self._base.find(path)}
        wanted = pa.array(sorted(paths), pa.string())
        found: dict[tuple[str, str], Entry] = {}
        for batch in self._base.batches(wanted[0].as_py(), wanted[-1].as_py() + "\0"):
            for entry in rows.entries(batch.filter(pc.is_in(batch.column(0), value_set=wanted))):
                found[entry.path, entry.datum] = entry
        return found

    def _add_stored(self, path: str, datum: str, append: bool, stored: Stored) -> None:
        self._settle(path)
        self._add(Entry(path, datum, stored.size, stored.hash, stored.peaks, stored.extents), append)

    def _add(self, entry: Entry, append: bool) -> None:
        self._settle(entry.path)
        self._record(entry, append)

    def _record(self, entry: Entry, append: bool) -> None:
        self._keep(entry, append)
        if len(self._edits) >= _SPILL and not self._waiting:
            self._lay_down()

    def _keep(self, entry: Entry, append: bool) -> None:
        self._edits.append(entry) if append else self._edits.put(entry)
        if self._note is not None:
            self._note(entry)

    def _settle(self, path: str) -> None:
        """Keep the order of operations on one path: what waits for its pack comes first."""
        if path in self._waiting:
            self._flush()

    def _pack(self, files: list[tuple[_Key, bytes, bytes]]) -> None:
        if not files:
            return
        if self._packer is None:
            if self._first is None and len(files) == 1:
                self._first = (files[0][0], files[0][1])
                return
            self._packer = Packer(self._chunks)
            if self._first is not None:
                (key, data), self._first = self._first, None
                files = [(key, data, key[4]), *files]
        self._packed(self._packer.add(files))
        if len(self._waiting) + len(self._edits) >= _SPILL:
            self._lay_down()

    def _packed(self, packs: list[Pack[_Key]]) -> None:
        for pack in packs:
            for (path, datum, append, size, hashed), offset, length in pack.members:
                self._waiting.discard(path)
                self._keep(Entry(path, datum, size, hashed, b"", Extents.one(pack.name, offset, length)), append)

    def _flush(self) -> None:
        if self._first is not None:
            (path, datum, append, _, _), data = self._first
            self._first = None
            self._waiting.discard(path)
            stored = self._content.put_small(data)
            self._keep(Entry(path, datum, stored.size, stored.hash, stored.peaks, stored.extents), append)
        if self._packer is not None:
            self._packed(self._packer.flush())

    def _lay_down(self) -> None:
        self._flush()
        if len(self._edits):
            self._layers.append(self._edits.layer(self._storage.filesets, self._base.referrer))
            self._edits = Edits(self._storage.append)

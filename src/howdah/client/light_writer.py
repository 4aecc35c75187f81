# SPDX-License-Identifier: Apache-2.0
"""Writing a few files at the object store, without Arrow: loading it takes longer than a small file does.

A few puts and deletes of different paths need no order and no fileset; they are handed in as they are. Whatever is
more (a folder, a copy, a path twice, many files) is given, with what was done so far, to a `direct_writer`.
"""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from howdah.client.sources import file_path, is_local_path, local_size, pieces_of, through_only
from howdah.client.values import Transferred, Written
from howdah.client.ways import Buffer, Excluded, LocalPath, Source
from howdah.client.write_session import WriteSession
from howdah.errors import NotFound, Unsupported
from howdah.model.refs import File
from howdah.storage.content import Stored, small_or_stream
from howdah.storage.cutting import BIG_FILE
from howdah.storage.entries import Entry, encode_change
from howdah.storage.extents import Extents
from howdah.storage.filehash import hash_small
from howdah.storage.old_version import OldVersion
from howdah.storage.tree_put import LocalFile, read_small_files
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pb

if TYPE_CHECKING:
    from howdah.client.direct_writer import DirectWriter

__all__ = ["LightWriter"]

_FILES_MAX: Final = 16
"""With more small files than this, a pack of them is worth the time that Arrow takes to load."""


class LightWriter:
    """A writer within a session. `full` makes the writer that takes over; it is asked at most once."""

    def __init__(self, session: WriteSession, full: Callable[[], "DirectWriter"]) -> None:
        self._session = session
        self._make_full = full
        self._full: DirectWriter | None = None
        # Different paths, each in one of these.
        self._puts: dict[str, Entry] = {}
        self._appends: dict[str, Entry] = {}
        self._deletes: set[str] = set()

    @property
    def written(self) -> Written:
        """What was put, when it is finished."""
        return self._session.tally.written

    def put(self, path: str, source: Source, append: bool) -> None:
        """Store a file's bytes; what is equal to what is there already is not stored again."""
        clean = file_path(path)
        if not self._is_light(clean):
            return self._loaded().put(path, source, append)
        entry = self._stored(clean, source, append)
        (self._appends if append else self._puts)[clean] = entry
        self._session.done(0, 1)
        return None

    def put_all(self, files: Iterable[tuple[str, bytes]], append: bool) -> None:
        """Store many files."""
        self._loaded().put_all(files, append)

    def put_folder(self, path: str, folder: LocalPath, append: bool, excluded: Excluded | None) -> Transferred:
        """Store all files of a folder."""
        return self._loaded().put_folder(path, folder, append, excluded)

    def put_url(self, path: str, url: str, recursive: bool, concurrency: int, append: bool) -> None:  # noqa: ARG002
        """Refuse: only the server fetches, and only what is sent through it is applied together with that."""
        raise through_only(url)

    def delete(self, path: str) -> None:
        """Remove a file or, if the path ends in a slash, a directory."""
        if path.endswith("/") or not self._is_light(clean := file_path(path)):
            self._loaded().delete(path)
        else:
            self._deletes.add(clean)

    def copy(self, source: File, path: str, append: bool) -> None:
        """Copy a file or directory by reference."""
        self._loaded().copy(source, path, append)

    def finish(self) -> None:
        """Make all of it durable, and hand the change in."""
        if self._full is not None:
            self._full.finish()
            return
        for entry in (*self._puts.values(), *self._appends.values()):
            self._session.tally.note(entry)
        self._session.store.sync()
        self._session.hand_in(encode_change(self._deletes, self._puts.values(), self._appends.values()))

    def close(self) -> None:
        """Give up what was not handed in."""
        if self._full is not None:
            self._full.close()
        self._session.close()

    def _is_light(self, path: str) -> bool:
        if self._full is not None:
            return False
        done = len(self._puts) + len(self._appends) + len(self._deletes)
        return done < _FILES_MAX and not any(path in there for there in (self._puts, self._appends, self._deletes))

    def _loaded(self) -> "DirectWriter":
        """The writer that takes over, with all that was done so far."""
        if self._full is None:
            self._full = self._make_full()
            for path in self._deletes:
                self._full.delete(path)
            for entries, append in ((self._puts, False), (self._appends, True)):
                for entry in entries.values():
                    self._full.put_stored(entry, append)
        return self._full

    def _stored(self, path: str, source: Source, append: bool) -> Entry:
        if is_local_path(source):
            local, size = local_size(source)
            data = _small_file(local, size) if size < BIG_FILE else None
            if data is None:
                return _entry(path, self._session.local.put_file(local, self._old_version(path, append)))
        else:
            content = small_or_stream(pieces_of(source))
            if not isinstance(content, bytes):
                old = self._old_version(path, append)
                return _entry(path, self._session.content.put_file(self._counted(content), old))
            data = content
        self._session.done(len(data), 0)
        return self._small(path, data, append)

    def _small(self, path: str, data: bytes, append: bool) -> Entry:
        """A small file: as it is in the base if it is the same, else as a chunk of its own."""
        if not data:
            return Entry(path, "", 0, hash_small(data), b"", Extents())
        known = None if append else self._known(path)
        if known is not None and known.size_bytes == len(data) and known.hash == hash_small(data):
            return Entry(path, "", known.size_bytes, known.hash, known.peaks, _extents(known))
        return _entry(path, self._session.content.put_small(data))

    def _known(self, path: str) -> hd.OpenFileResponse | None:
        """What the target has, or recently had, under a path."""
        session = self._session
        if not session.base_root:
            return None
        file = pb.File(commit=commit_message(session.target), path=path)
        request = hd.OpenFileRequest(file=file, base_root=session.base_root)
        try:
            return session.wire.call(session.wire.lake.OpenFile, request)
        except (NotFound, Unsupported):
            return None

    def _old_version(self, path: str, append: bool) -> OldVersion | None:
        """The big file that a put replaces."""
        known = None if append else self._known(path)
        return None if known is None else OldVersion.of(_extents(known), f"file {path} of {self._session.target}")

    def _counted(self, pieces: Iterable[Buffer]) -> Iterable[Buffer]:
        for piece in pieces:
            yield piece
            self._session.done(len(piece), 0)


def _extents(known: hd.OpenFileResponse) -> Extents:
    return Extents(known.names, known.lengths, known.offsets)


def _entry(path: str, stored: Stored) -> Entry:
    return Entry(path, "", stored.size, stored.hash, stored.peaks, stored.extents)


def _small_file(local: str, size: int) -> bytes | None:
    """The bytes of a small file; None if it has grown big."""
    return read_small_files(os.path.dirname(local) or ".", [LocalFile(os.path.basename(local), size)])[0]

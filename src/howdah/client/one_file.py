# SPDX-License-Identifier: Apache-2.0
"""Reading one file at the object store: the server says where its bytes lie, and no fileset is opened here."""

from collections.abc import Iterator

from howdah.client import read_pfs
from howdah.client.channel import Wire
from howdah.client.sources import ranged, sendable
from howdah.client.values import Progress
from howdah.client.watched import watched
from howdah.client.ways import Buffer, LocalPath
from howdah.model.refs import Commitish
from howdah.storage.cutting import BIG_FILE
from howdah.storage.entries import Entry
from howdah.storage.extents import Extents
from howdah.storage.reading import ContentReader
from howdah.storage.whole_files import whole_file
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["OneFile", "open_file"]


def open_file(wire: Wire, reader: ContentReader, commit: Commitish, path: str) -> "OneFile":
    """The one file of a commit that a path or pattern means.

    Raises:
        NotFound: the commit or the file.
        Refused: NOT_A_FILE: it is a directory, or several match.
    """
    file = pb.File(commit=commit_message(commit), path=sendable(path))
    found = wire.call(wire.lake.OpenFile, hd.OpenFileRequest(file=file))
    extents = Extents(found.names, found.lengths, found.offsets)
    entry = Entry(found.path, "", found.size_bytes, found.hash, found.peaks, extents)
    return OneFile(entry, reader, f"file {entry.path} of commit {read_pfs.commit(found.commit)}")


class OneFile:
    """A file whose extents are known. `referrer` is what errors call it."""

    def __init__(self, entry: Entry, reader: ContentReader, referrer: str) -> None:
        self._entry = entry
        self._reader = reader
        self._referrer = referrer

    def read(self, offset: int, length: int | None) -> Iterator[Buffer]:
        """Its bytes from `offset` on, at most `length` of them; verified before they are given out.

        Raises:
            BadRequest: a negative offset or length.
            Damaged: they are missing or wrong in the store.
        """
        entry = self._entry
        ranged(entry.path, offset, length)
        wanted = max(0, entry.size - offset) if length is None else length
        if entry.size < BIG_FILE:
            data = self._reader.read_small(entry.extents, entry.size, entry.hash, self._referrer)
            return iter([memoryview(data)[offset : offset + wanted]])
        return self._reader.read(entry.extents, offset, wanted, self._referrer)

    def save(self, local: LocalPath, progress: Progress | None) -> int:
        """Write it to a local path, over what is there, whole and durably; the number of its bytes.

        Raises:
            Damaged: as `read`; what was there stays.
        """
        extents = self._entry.extents if progress is None else watched(self._entry.extents, progress)
        with whole_file(local) as place:
            self._reader.write_file(extents, place, self._referrer, sync=True)
        if progress is not None:
            progress(0, 1)
        return self._entry.size

# SPDX-License-Identifier: Apache-2.0
"""The direct way: files are cut, hashed, stored and read here, beside the object store.

The server gives a commit's root to read, and takes a small change when all that it refers to is durable. This
way is open when the store that the server names can be reached from here, is the same lake, and may be
written. The other way is `through`.
"""

import os
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from howdah.client import read_pfs
from howdah.client.channel import Wire
from howdah.client.direct_view import DirectView
from howdah.client.direct_writer import DirectWriter
from howdah.client.values import FileDiff, Progress
from howdah.errors import ErrorKind, HowdahError
from howdah.model.refs import Commit, Commitish, File
from howdah.storage.lake import open_lake, open_store
from howdah.storage.storage import Storage
from howdah.storage.tree import diff
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pfs

__all__ = ["DirectWay", "open_direct"]


def open_direct(wire: Wire) -> Storage | None:
    """The lake's store, if it can be used from here; None if not, for whatever reason."""
    try:
        lake = wire.call(wire.lake.GetLake, hd.GetLakeRequest())
        store = open_store(lake.store_url)
        if open_lake(store).id != lake.lake_id:
            return None
    except HowdahError as error:
        if error.kind is ErrorKind.UNREACHABLE:
            raise  # no way leads to a server that is not there
        return None
    parts = urlsplit(lake.store_url)
    if parts.scheme == "file" and not os.access(unquote(parts.path), os.R_OK | os.W_OK | os.X_OK):
        return None
    return Storage(store)


class DirectWay:
    """Reads and writes at the store."""

    def __init__(self, wire: Wire, storage: Storage, progress: Progress | None) -> None:
        self._wire = wire
        self._storage = storage
        self._progress = progress

    def view(self, commit: Commitish) -> DirectView:
        """The files that the commit has now."""
        request = hd.OpenFilesetRequest(commit=commit_message(commit))
        answer = self._wire.call(self._wire.lake.OpenFileset, request)
        return self._view(read_pfs.commit(answer.commit), answer.root)

    def writer(self, commit: Commitish) -> DirectWriter:
        """A writer with a lease of its own."""
        return DirectWriter(self._wire, self._storage, commit, self.view, self._progress)

    def diff(self, new: File, old: File | None, shallow: bool) -> Iterator[FileDiff]:
        """Compared here, by digests."""
        view = self.view(new.commit)
        before = self._parent(view.commit) if old is None else self.view(old.commit)
        pairs = diff(view.tree, new.path, before.tree, (old or new).path, shallow=shallow)
        return (FileDiff(*pair) for pair in pairs)

    def close(self) -> None:
        """Nothing: the store is shared with the client's other calls."""

    def _parent(self, commit: Commit) -> DirectView:
        request = pfs.InspectCommitRequest(commit=commit_message(commit))
        info = read_pfs.commit_info(self._wire.call(self._wire.pfs.InspectCommit, request))
        return self._view(commit, b"") if info.parent is None else self.view(info.parent)

    def _view(self, commit: Commit, root: bytes) -> DirectView:
        fileset = self._storage.fileset(root or None, f"commit {commit}")
        return DirectView(commit, fileset, self._storage, self._progress)

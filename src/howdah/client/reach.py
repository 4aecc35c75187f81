# SPDX-License-Identifier: Apache-2.0
"""A lake's object store, found and reached without the server; what reads and writes there is made when it is used.

A fileset is columns, so that whoever opens one needs Arrow, which takes longer to load than a small file to read.
Chunks are only bytes. So both are asked for apart: `storage` for filesets, `reader` for the bytes of one file.
"""

import os
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from howdah.client.channel import Wire
from howdah.errors import ErrorKind, HowdahError
from howdah.storage.cached_store import near
from howdah.storage.chunks import Chunks
from howdah.storage.disk_cache import default_cache
from howdah.storage.lake import LAKE_KEY, open_lake, open_store
from howdah.storage.objects import ObjectStore
from howdah.storage.patience import IMPATIENT
from howdah.storage.reading import ContentReader
from howdah.wire.stubs import howdah_v1_pb2 as hd

if TYPE_CHECKING:
    from howdah.storage.storage import Storage

__all__ = ["Reached", "open_direct"]


def open_direct(wire: Wire) -> "Reached | None":
    """The lake's store, if it can be used from here; None if not, for whatever reason."""
    try:
        lake = wire.call(wire.lake.GetLake, hd.GetLakeRequest())
        found = open_store(lake.store_url, IMPATIENT)
        # Who has no right to write there, or no credentials, is not told so by every file: the other way does it.
        if open_lake(found).id != lake.lake_id or (found.overlap and not found.touch(LAKE_KEY)):
            return None
        store = near(open_store(lake.store_url), default_cache())
    except HowdahError as error:
        if error.kind is ErrorKind.UNREACHABLE:
            raise  # no way leads to a server that is not there
        return None
    parts = urlsplit(lake.store_url)
    return Reached(store) if parts.scheme != "file" or _is_own(unquote(parts.path)) else None


def _is_own(folder: str) -> bool:
    """Whether this user may do all there and is who the server is, which could not add to what others made."""
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK) and os.stat(folder).st_uid == os.geteuid()


class Reached:
    """A store that this process may use. May be shared by threads; close it to end those of its own."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    @cached_property
    def storage(self) -> "Storage":
        """Filesets and chunks; loads Arrow."""
        from howdah.storage.storage import Storage  # noqa: PLC0415 - Arrow is loaded only when it is used

        return Storage(self.store)

    @cached_property
    def reader(self) -> ContentReader:
        """Reads the bytes of files whose extents are known."""
        return ContentReader(Chunks(self.store))

    def close(self) -> None:
        """End the threads; closing again does nothing."""
        for part in ("storage", "reader"):
            if part in self.__dict__:
                self.__dict__[part].close()

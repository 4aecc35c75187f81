# SPDX-License-Identifier: Apache-2.0
"""Reading one small file after another: from the second in a row that lies in the same pack, the pack is kept.

One file out of a pack costs one short read. Datums come in the order of paths, and so do files in packs, so the
next file is most likely beside the last one; then reading the whole pack once is cheaper.
"""

from howdah.storage.extents import NAME_BYTES
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage

__all__ = ["SmallFiles"]


class SmallFiles:
    """Reads files of at most 1 MiB. For one thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._last = b""

    def read(self, entry: Entry, referrer: str) -> bytes:
        """The verified content of a file.

        Raises:
            Damaged: its bytes are missing or wrong; the text names `referrer`.
        """
        name = entry.extents.names[:NAME_BYTES]
        if name and name == self._last and entry.extents.offsets:
            self._storage.chunks.read_cached(name, referrer)
        self._last = name
        return self._storage.reader.read_small(entry.extents, entry.size, entry.hash, referrer)

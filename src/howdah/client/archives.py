# SPDX-License-Identifier: Apache-2.0
"""Files of a commit as one tar or zip, written as they are read: nothing is held but a piece of one file."""

import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any, Final, cast

from howdah.client.values import Transferred
from howdah.client.ways import Buffer, View, base_of

__all__ = ["write_tar", "write_zip"]

_MODE: Final = 0o644
_ZIP_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name
_ZIP_LEVEL: Final = 1  # the higher ones take three times as long for a few per cent
_ZIP64: Final = 1 << 30  # room for what does not shrink


def write_tar(view: View, path: str, to: IO[bytes]) -> Transferred:
    """See `Client.get_tar`."""
    base = base_of(view, path).rstrip("/")
    files = total = 0
    with tarfile.open(fileobj=to, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as tar:
        for name, size, pieces in view.contents(path):
            info = tarfile.TarInfo(name[len(base) + 1 :])
            info.size, info.mode = size, _MODE
            tar.addfile(info, _Reading(pieces))  # type: ignore[arg-type]
            cast(Any, tar).members = []  # or it would keep every member until the end
            files, total = files + 1, total + size
    return Transferred(files, total)


def write_zip(view: View, path: str, to: IO[bytes]) -> Transferred:
    """See `Client.get_zip`."""
    base = base_of(view, path).rstrip("/")
    files = total = 0
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=_ZIP_LEVEL) as archive:
        for name, size, pieces in view.contents(path):
            info = zipfile.ZipInfo(name[len(base) + 1 :], _ZIP_EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, (0o100000 | _MODE) << 16
            with archive.open(info, "w", force_zip64=size >= _ZIP64) as file:
                for piece in pieces:
                    file.write(piece)
            files, total = files + 1, total + size
    return Transferred(files, total)


class _Reading:
    """Pieces as a file that is read in order."""

    def __init__(self, pieces: Iterator[Buffer]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        parts: list[memoryview] = []
        while size > 0:
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._rest = memoryview(piece).cast("B")
            parts.append(self._rest[:size])
            self._rest = self._rest[size:]
            size -= len(parts[-1])
        return b"".join(parts)

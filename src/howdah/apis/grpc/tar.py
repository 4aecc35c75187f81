# SPDX-License-Identifier: Apache-2.0
"""Files of a view as one tar stream, in pieces, with the memory of one piece.

Names are absolute and directories end with a slash, in the order of paths, as clients of the protocol expect:
they cut the prefix that they asked for off each name. Modes and owners are left empty.
"""

import tarfile
from collections.abc import Iterable, Iterator

from howdah.apis.grpc.options import STREAM_PAYLOAD_BYTES
from howdah.model import paths
from howdah.pfs.files import View
from howdah.storage import listing
from howdah.storage.rows import Entry

__all__ = ["bounded", "tar_stream"]


def tar_stream(view: View, path: str, *, lower: str = "", upper: str = "") -> Iterator[bytes | memoryview]:
    """A tar of every file at and below what `path`, or a pattern, means; no piece is empty or over some MiB.

    `lower` (included) and `upper` (excluded) bound the paths of its files.

    Raises:
        NotFound: FILE_NOT_FOUND: nothing has that path or matches; before the first piece.
    """
    return _gathered(_parts(view, bounded(view.files(path), lower, upper), _tops(view, path)))


def _parts(view: View, entries: Iterable[Entry], tops: Iterator[str]) -> Iterator[bytes | memoryview]:
    """Headers, contents and padding, as they come, of any size. Directories are shown from those in `tops` on."""
    top, before = next(tops, None), ""
    mtime = 0 if view.committed is None else int(view.committed.timestamp())
    for entry in entries:
        while top is not None and top.encode() < entry.path.encode() and not entry.path.startswith(top):
            top = next(tops, None)
        for directory in _entered(entry.path, before):
            if top is not None and directory.startswith(top):
                yield _header(directory, tarfile.DIRTYPE, 0, mtime)
        before = entry.path
        yield _header(entry.path, tarfile.REGTYPE, entry.size, mtime)
        yield from view.read(entry)
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _tops(view: View, path: str) -> Iterator[str]:
    """The directories that the path or pattern means, without those that lie in another of them."""
    last = ""
    for info in (info for batch in view.glob(path) for info in listing.infos(batch)):
        if info.is_dir and not (last and info.path.startswith(last)):
            last = info.path
            yield last


def _entered(path: str, before: str) -> Iterator[str]:
    """The directories of `path` that the file before it, in order of paths, was not in."""
    for name in paths.parents(path):
        directory = name if name == "/" else name + "/"
        if not before.startswith(directory):
            yield directory


def _header(name: str, kind: bytes, size: int, mtime: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime, info.mode = kind, size, mtime, 0
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def bounded(entries: Iterable[Entry], lower: str, upper: str) -> Iterator[Entry]:
    """The entries, which are in order of path, from `lower` on and below `upper`; an empty text is no bound."""
    begin, end = lower.encode(), upper.encode()
    for entry in entries:
        path = entry.path.encode()
        if end and path >= end:
            return
        if path >= begin:
            yield entry


def _gathered(parts: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same bytes in pieces of the size of a message: small ones joined, big ones cut."""
    waiting: list[bytes | memoryview] = []
    size = 0
    for part in parts:
        if waiting and size + len(part) > STREAM_PAYLOAD_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
        if len(part) > STREAM_PAYLOAD_BYTES:
            yield from (part[at : at + STREAM_PAYLOAD_BYTES] for at in range(0, len(part), STREAM_PAYLOAD_BYTES))
        elif part:
            waiting.append(part)
            size += len(part)
    if waiting:
        yield b"".join(waiting)

# SPDX-License-Identifier: Apache-2.0
"""The files of a tar, put as they are read: many small ones at once, big ones as streams."""

import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader, RawIOBase
from typing import IO, Any, Final, Self, cast

import zstandard

from howdah.client.sources import pieces_of
from howdah.client.values import Transferred
from howdah.client.ways import Buffer, Source, Writer
from howdah.errors import BadRequest, ErrorKind
from howdah.model import paths
from howdah.model.texts import one_line

__all__ = ["put_tar"]

_BIG: Final = 1 << 20
_HELD_BYTES: Final = 32 << 20
_HELD_FILES: Final = 4096
_PIECE: Final = 1 << 20
_NO_HEADER: Final = getattr(tarfile, "InvalidHeaderError")  # noqa: B009 - it has no type
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


def put_tar(writer: Writer, path: str, source: Source, append: bool) -> Transferred:
    """Put each regular file of a tar below `path`. See `CommitWriter.put_tar`."""
    with _explained():
        return _put(writer, paths.clean(path).rstrip("/"), source, append)


def _put(writer: Writer, base: str, source: Source, append: bool) -> Transferred:
    files = total = 0
    held: list[tuple[str, bytes]] = []
    size = 0
    for name, length, content in _members(source):
        files, total = files + 1, total + length
        if length >= _BIG:
            writer.put_all(held, append)
            held, size = [], 0
            writer.put(f"{base}/{name}", iter(partial(content.read, _PIECE), b""), append)
            continue
        held.append((f"{base}/{name}", content.read()))
        size += length
        if len(held) >= _HELD_FILES or size >= _HELD_BYTES:
            writer.put_all(held, append)
            held, size = [], 0
    if held:
        writer.put_all(held, append)
    return Transferred(files, total)


def _members(source: Source) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Name, size and content of each regular file; a content is read before the next member is asked for."""
    # A stream, so that a tar of any size passes in little memory.
    with tarfile.open(fileobj=_opened(source), mode="r|*", tarinfo=_Header) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None:
                yield _name(member.name), member.size, content
            cast(Any, tar).members = []  # or it would keep every member until the end


class _Header(tarfile.TarInfo):
    """A header of a tar; one that is damaged or missing is an error, which `tarfile` takes for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header from its block."""
        if len(buf) != tarfile.BLOCKSIZE:
            raise tarfile.ReadError("it ends without the mark of its end")
        try:
            return super().frombuf(buf, encoding, errors)
        except _NO_HEADER as error:
            raise tarfile.ReadError(str(error)) from error


@contextmanager
def _explained() -> Iterator[None]:
    """What reading a tar raises, as an error of ours."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
        text = f"this is not a whole tar ({one_line(str(error))}); it may be compressed by gzip, bzip2, xz or zstd"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from error


def _opened(source: Source) -> IO[bytes]:
    """The bytes of a source as a file; what zstd packed is unpacked, which `tarfile` does not do before Python 3.14."""
    file = BufferedReader(_Pieces(pieces_of(source)), _PIECE)
    if file.peek(4)[:4] != _ZSTD_MAGIC:
        return file
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)


def _name(name: str) -> str:
    """A member's path below the place where the tar goes; `./` in front, as tar writes it, does not count."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        text = f"the tar has a file {one_line(name)}, which leads out of it; make it anew from within its folder"
        raise BadRequest(ErrorKind.BAD_PATH, text)
    return "/".join(parts)


class _Pieces(RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[Buffer]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As much as there is at once; 0 at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece).cast("B")
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

# SPDX-License-Identifier: Apache-2.0
"""The bytes of a source, in pieces, whatever kind of source it is."""

import os
from collections.abc import Iterator
from typing import Final, cast

from howdah.client.ways import Buffer, LocalPath, Readable, Source
from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.model import paths
from howdah.model.texts import one_line
from howdah.storage.local_files import explained

__all__ = [
    "file_path",
    "is_local_path",
    "local_size",
    "opened_pieces",
    "pieces_of",
    "ranged",
    "sendable",
    "through_only",
]

_READ_BYTES: Final = 2 << 20
_KEPT_BYTES: Final = 1 << 20


def is_local_path(source: Source) -> bool:
    """Whether the source is the path of a local file."""
    return isinstance(source, str | os.PathLike)


def local_size(source: Source) -> tuple[str, int]:
    """The path of a local file, and how many bytes it has.

    Raises:
        NotFound, Refused: there is none, or it may not be looked at.
    """
    local = os.fspath(cast(LocalPath, source))
    with explained(local):
        return local, os.stat(local).st_size


def through_only(url: str) -> Unsupported:
    """The error for a URL that is to be put beside the server, which alone fetches."""
    text = f"{one_line(url)} is fetched by the server, and this write goes past it; open it by modify(…, through=True)"
    return Unsupported(ErrorKind.UNSUPPORTED, text)


def pieces_of(source: Source) -> Iterator[Buffer]:
    """The bytes of a source; a piece of 1 MiB or more is good until the next one is asked for."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield source
    elif is_local_path(source):
        yield from opened_pieces(cast(LocalPath, source))
    elif hasattr(source, "read"):
        # What reads once and not until it has all returns to Python after each, which is when Ctrl-C is seen.
        read = getattr(source, "read1", None) or cast(Readable, source).read
        while piece := read(_READ_BYTES):
            yield piece
    else:
        yield from cast(Iterator[Buffer], source)


def opened_pieces(local: LocalPath) -> Iterator[memoryview]:
    """The bytes of a local file; a piece of 1 MiB or more is good until the next one is asked for.

    Raises:
        NotFound, BadRequest, Refused: the file cannot be read.
    """
    buffer = memoryview(bytearray(_READ_BYTES))
    with explained(local):
        file = os.open(local, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while True:
            with explained(local):
                count = os.readv(file, [buffer])
            if count == 0:
                return
            # A short piece may be kept while the next one is asked for; a long one is used up before.
            yield buffer[:count] if count >= _KEPT_BYTES else memoryview(bytes(buffer[:count]))
    finally:
        os.close(file)


def file_path(path: str) -> str:
    """The clean path of a file.

    Raises:
        BadRequest: BAD_PATH: it is not good, or is the root.
    """
    clean = paths.clean(path)
    if clean == "/":
        raise BadRequest(ErrorKind.BAD_PATH, "path / is the root directory, not a file; name a file below it")
    return clean


def sendable(path: str) -> str:
    """A path or pattern itself, if it is text that a message can hold.

    Raises:
        BadRequest: BAD_PATH: it has a lone surrogate, as names of local files that are not UTF-8 do.
    """
    try:
        path.encode()
    except UnicodeEncodeError as error:
        text = f"path ({one_line(path)}) invalid: character {error.start} is a lone surrogate, which UTF-8 cannot hold"
        raise BadRequest(ErrorKind.BAD_PATH, f"{text}; rename the file") from error
    return path


def ranged(path: str, offset: int, length: int | None) -> None:
    """Check a range of bytes.

    Raises:
        BadRequest: BAD_ARGUMENT: one of them is negative.
    """
    if offset < 0 or (length is not None and length < 0):
        text = f"offset {offset} and length {length} of {path} must not be negative"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)

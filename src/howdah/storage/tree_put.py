# SPDX-License-Identifier: Apache-2.0
"""From a local folder: which files it holds, in the order of a fileset, and the bytes of the small ones.

A folder may have a million files, so both come in batches and nothing is held whole. Measured on 100,000
files of 1 to 10 KB: one thread reads them as fast as two threads or two processes do, since nearly all the
time is in the kernel. Big files are read by `storage.content`; the way back is in `storage.tree_get`.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from howdah.errors import BadRequest, ErrorKind
from howdah.storage.cutting import BIG_FILE
from howdah.storage.local_files import explained

__all__ = ["BATCH_BYTES", "BATCH_FILES", "LocalFile", "read_small", "read_small_files", "scan"]

BATCH_FILES: Final = 4096
BATCH_BYTES: Final = 32 << 20
"""Bytes of the small files of one batch, which a caller reads at once; a batch goes over it by one file at most."""


class LocalFile(NamedTuple):
    """A file below a folder: its path from there, with slashes, and its size when it was seen."""

    path: str
    size: int


def scan(
    folder: str | os.PathLike[str],
    *,
    skipped: Callable[[str], None] | None = None,
    excluded: Callable[[str], bool] | None = None,
) -> Iterator[list[LocalFile]]:
    """All files below `folder`, in batches, in the order of their paths' bytes.

    A link to a file counts as the file. A link to a folder is not followed, so that no loop is walked;
    `skipped` is told its path. What `excluded` says of a path below the folder, which ends in a slash if it is a
    folder's, is left out with all that is in it. Folders without files leave no trace. A file that is removed
    meanwhile may be missing.

    Raises:
        NotFound, Refused: the folder, or one below it, is missing or may not be read.
        BadRequest: something is neither file nor folder (a socket, a device, a link to nothing), or has a
            name that is not UTF-8.
    """
    batch: list[LocalFile] = []
    size = 0
    for file in _walk(os.fspath(folder), "", skipped or _ignore, excluded):
        batch.append(file)
        size += file.size if file.size < BIG_FILE else 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read_small_files(folder: str | os.PathLike[str], files: Iterable[LocalFile]) -> list[bytes | None]:
    """The bytes of each file, in order; None for one that has 1 MiB or more by now, which is not read.

    Raises:
        NotFound, Refused, Unavailable: a file is gone, or cannot be read.
    """
    base = os.fspath(folder)
    return [None if size >= BIG_FILE else _read_small(f"{base}/{path}", size) for path, size in files]


def _ignore(_: str) -> None:
    pass


def _walk(
    base: str, below: str, skipped: Callable[[str], None], excluded: Callable[[str], bool] | None
) -> Iterator[LocalFile]:
    """The files below a folder; `below` is its path from the start, with a slash at its end unless it is the start."""
    with explained(f"{base}/{below}"), os.scandir(f"{base}/{below}") as found:
        # A folder sorts as its name with the slash that follows in its files' paths. Text sorts as its UTF-8 does.
        entries = [(entry.name + "/" * entry.is_dir(follow_symlinks=False), entry) for entry in found]
    entries.sort(key=_first)
    for name, entry in entries:
        path = below + name
        if excluded is not None and excluded(path):
            continue
        if not path.isprintable():
            _check_name(path)
        if name.endswith("/"):
            yield from _walk(base, path, skipped, excluded)
        elif entry.is_symlink() and entry.is_dir():
            skipped(path)
        elif (size := _file_size(entry)) is not None:
            yield LocalFile(path, size)


def _first(entry: tuple[str, "os.DirEntry[str]"]) -> str:
    return entry[0]


def _check_name(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        text = f"the name of local file {os.fsencode(path)!r} is not UTF-8; rename it"
        raise BadRequest(ErrorKind.BAD_PATH, text) from error


def _file_size(entry: "os.DirEntry[str]") -> int | None:
    """The size of a file or of what a link leads to; None if the file is gone since the folder was read."""
    if not entry.is_file():
        if not os.path.lexists(entry.path):
            return None
        what = "a link to nothing" if entry.is_symlink() else "neither a file nor a folder"
        text = f"local path {entry.path!r} is {what} and cannot be put; remove it or leave it out"
        raise BadRequest(ErrorKind.BAD_PATH, text)
    with explained(entry.path):
        try:
            return entry.stat().st_size
        except FileNotFoundError:
            return None


def read_small(file: int, size: int) -> bytes | None:
    """The bytes of an open file that seemed to have so many; None if it has 1 MiB or more by now.

    Raises:
        OSError: it cannot be read.
    """
    # One byte more than expected: if it does not come, the file has not grown and ends here.
    data = os.read(file, size + 1)
    while len(data) > size:
        size = len(data)
        if size >= BIG_FILE:
            return None
        data += os.read(file, BIG_FILE - size)
    return data


def _read_small(path: str, size: int) -> bytes | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return read_small(file, size)
        finally:
            os.close(file)
    except OSError as error:
        with explained(path):
            raise error

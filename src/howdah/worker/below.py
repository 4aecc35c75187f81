# SPDX-License-Identifier: Apache-2.0
"""Files below a folder that user code may be changing at this moment: opened, given rights and removed, links or not.

A process that stays up (`batching`) still holds the folders of datums that it is done with, and can put a link in place
of a folder between two system calls. So nothing here is reached by a path that the system would resolve: each folder
is opened in the one above it, and never through a link. What that costs is kept low by holding the folder used last.
"""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self

__all__ = ["Below", "discard", "empty", "open_to_all", "opened", "remove", "rights_to"]

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that took a file's place would have an open wait for ever.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PATH_ONLY: Final = getattr(os, "O_PATH", 0)
_EVERYBODYS: Final = 0o777
# A folder each is held open on the way down; what is deeper is brought up first.
_LEVELS: Final = 64
_ROUNDS: Final = 10_000


class Below:
    """The files below one folder, which itself is nobody else's. For one thread; close it."""

    def __init__(self, folder: str) -> None:
        """
        Raises:
            OSError: it cannot be opened.
        """
        self._base = os.open(folder, FOLDER)
        self._held = self._base
        self._names = ""

    def folder(self, below: str) -> int:
        """A descriptor of the folder at `below`, which has no links in it; good until the next call.

        Raises:
            OSError: it is not there, or no folder; ELOOP or ENOTDIR where a link is on the way.
        """
        if below != self._names:
            self._let_go()
            if below:
                self._held, self._names = _reached(self._base, below), below
        return self._held

    @contextmanager
    def file(self, below: str) -> Iterator[int]:
        """A descriptor of the ordinary file at `below`, inside the block.

        Raises:
            OSError: as `folder`; or it is no ordinary file.
        """
        above, _, name = below.rpartition("/")
        found = os.open(name, _FILE, dir_fd=self.folder(above))
        try:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                raise OSError(errno.EISDIR, "it is no ordinary file")
            yield found
        finally:
            os.close(found)

    def close(self) -> None:
        """Close what is held."""
        self._let_go()
        os.close(self._base)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _let_go(self) -> None:
        if self._held != self._base:
            os.close(self._held)
        self._held, self._names = self._base, ""


@contextmanager
def opened(folder: str) -> Iterator[int]:
    """A descriptor of a folder that nobody else can put something else in place of, inside the block.

    Raises:
        OSError: it cannot be opened; it is a link, say.
    """
    found = os.open(folder, FOLDER)
    try:
        yield found
    finally:
        os.close(found)


def rights_to(folder: int, name: str, rights: int) -> None:
    """Give rights to what has a name in an open folder; a link is left as it is, and what it leads to as well.

    Raises:
        OSError: they cannot be given.
    """
    if not _PATH_ONLY:
        os.chmod(name, rights, dir_fd=folder, follow_symlinks=False)
        return
    found = os.open(name, _PATH_ONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not stat.S_ISLNK(os.fstat(found).st_mode):
            os.chmod(f"/proc/self/fd/{found}", rights)
    finally:
        os.close(found)


def open_to_all(folder: str, name: str) -> None:
    """Let everybody write into the folder of that name in `folder`. If it is no folder, nothing happens.

    Raises:
        OSError: that cannot be done.
    """
    with opened(folder) as above, suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            rights_to(above, name, _EVERYBODYS)


def remove(path: str) -> None:
    """Remove a folder with all that is in it, whatever rights and depth its parts have.

    Raises:
        OSError: something resists.
    """
    parent, name = os.path.split(path)
    with opened(parent) as above, suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=above)
            return
        with _entered(above, name) as folder:
            empty(folder)
        os.rmdir(name, dir_fd=above)


def discard(path: str) -> None:
    """As `remove`; what resists is left."""
    try:
        remove(path)
    except OSError:
        with suppress(RecursionError):
            shutil.rmtree(path, ignore_errors=True)


def empty(folder: int) -> None:
    """Remove all that is in an open folder.

    Raises:
        OSError: something resists, or comes as fast as it is removed.
    """
    for _ in range(_ROUNDS):
        brought_up = [_remove_one(folder, name, folder, _LEVELS) for name in os.listdir(folder)]
        if not any(brought_up):
            return


def _remove_one(parent: int, name: str, top: int, levels: int) -> bool:
    """Remove what has a name in an open folder; whether something of it was brought up to `top` instead."""
    try:
        os.unlink(name, dir_fd=parent)
        return False
    except FileNotFoundError:
        return False
    except IsADirectoryError:
        pass
    except PermissionError:  # also what macOS says of a folder
        os.fchmod(parent, stat.S_IRWXU)
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
            return False
    if not levels:
        os.rename(name, f".howdah-{secrets.token_hex(8)}", src_dir_fd=parent, dst_dir_fd=top)
        return True
    with _entered(parent, name) as inner:
        brought_up = [_remove_one(inner, below, top, levels - 1) for below in os.listdir(inner)]
    os.rmdir(name, dir_fd=parent)
    return any(brought_up)


@contextmanager
def _entered(parent: int, name: str) -> Iterator[int]:
    try:
        found = os.open(name, FOLDER, dir_fd=parent)
    except PermissionError:
        rights_to(parent, name, stat.S_IRWXU)
        found = os.open(name, FOLDER, dir_fd=parent)
    try:
        if os.fstat(found).st_mode & stat.S_IRWXU != stat.S_IRWXU:
            with suppress(PermissionError):  # somebody else's, who may have given rights to all
                os.fchmod(found, stat.S_IRWXU)
        yield found
    finally:
        os.close(found)


def _reached(base: int, below: str) -> int:
    """A descriptor of the folder at `below`."""
    here = os.dup(base)
    try:
        for name in below.split("/"):
            inner = os.open(name, FOLDER, dir_fd=here)
            os.close(here)
            here = inner
    except BaseException:
        os.close(here)
        raise
    return here

# SPDX-License-Identifier: Apache-2.0
"""Folders of files that one command sees beside `/pfs`: secrets. They are in memory, and gone with the command.

Each is a small file system of its own, read-only once its files are there. A folder that is not there is made in our
own root if its first component is new; below a folder of the host, which is never written to, that folder is covered by
a copy of its first level in which it can be made.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from . import kernel, root

__all__ = ["Mounts"]

_PAGE: Final = 4_096
_KEPT_FREE: Final = 16 * _PAGE
_FLAGS: Final = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC


class Mounts:
    """What is mounted for the command of now. Use it inside the namespaces, with their root built."""

    def __init__(self) -> None:
        # What undoes each step, in the order of the steps.
        self._undo: list[Callable[[], None]] = []

    def add(self, path: bytes, files: dict[bytes, bytes], owner: tuple[int, int]) -> None:
        """Show files in the folder `path`, over whatever is there; `owner` is user and group, -1 for ours.

        Raises:
            OSError: it cannot be done; `clear` undoes the half of it.
        """
        path = os.path.realpath(path)
        if not os.path.isdir(path):
            self._make_folder(path)
        size = sum(-len(data) // _PAGE * -_PAGE for data in files.values()) + _KEPT_FREE
        self._mount(path, b"mode=0700,size=%d" % size)
        for name, data in files.items():
            descriptor = os.open(os.path.join(path, name), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o400)
            with open(descriptor, "wb") as file:
                file.write(data)
                os.fchown(descriptor, *owner)
        os.chown(path, *owner)
        kernel.mount(None, path, None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | _FLAGS)

    def clear(self) -> None:
        """Take all of it away, even if something of it is still in use. Repeating is harmless."""
        while self._undo:
            with suppress(OSError):  # a folder that somebody else still uses stays, and is empty
                self._undo.pop()()

    def _mount(self, path: bytes, options: bytes) -> None:
        try:
            # So that no page of it is ever written to the disk.
            kernel.mount(b"tmpfs", path, b"tmpfs", _FLAGS, options + b",noswap")
        except OSError:  # this kernel knows no such option, or does not give it to this user
            kernel.mount(b"tmpfs", path, b"tmpfs", _FLAGS, options)
        self._undo.append(lambda: kernel.umount(path, kernel.MNT_DETACH))

    def _make_folder(self, path: bytes) -> None:
        above = path
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        if above != b"/":
            root.cover_with_copy(above)
            self._undo.append(lambda: kernel.umount(above, kernel.MNT_DETACH))
            os.makedirs(path, 0o755)
            return
        with _writable_root():
            os.makedirs(path, 0o755)
        self._undo.append(lambda: _remove(path))


def _remove(path: bytes) -> None:
    """Remove a folder of our own root, and those above it that were made for it."""
    with _writable_root():
        os.removedirs(path)


@contextmanager
def _writable_root() -> Iterator[None]:
    """Our own root may be written inside the block; no command runs meanwhile."""
    flags = kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID
    kernel.mount(None, b"/", None, flags)
    try:
        yield
    finally:
        kernel.mount(None, b"/", None, flags | kernel.MS_RDONLY)

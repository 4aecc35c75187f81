# SPDX-License-Identifier: Apache-2.0
"""The pipes between a worker and the keeper of its container.

The worker holds each open in both directions: its reads never end while it lives, and the keeper's all do when it dies.
User code is the same user as the keeper. So those by which the two talk lose their names before the first command runs
(`shut`), or one command could speak for another. What is left is its own: what it prints, and notes about it. Nothing
read here is believed without a look, and no name in a folder that user code can write is ever opened by the worker.
"""

import fcntl
import os
import select
import termios
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Pipes"]

_NAMES: Final = ("requests", "results", "cancels", "output", "notes")
_OPENED: Final = (0, 0)  # what the keeper says first; no command has that number
_READ_BYTES: Final = 65_536
_NOTES_BYTES_MAX: Final = 65_536


class Pipes:
    """The worker's ends. Not for two readers at once."""

    def __init__(self, folder: Path) -> None:
        """Make the pipes in `folder`, for every user, and open them."""
        self._folder = folder
        self._fds: dict[str, int] = {}
        for name in _NAMES:
            os.mkfifo(folder / name)
            os.chmod(folder / name, 0o666)
            self._fds[name] = os.open(folder / name, os.O_RDWR | os.O_NONBLOCK)
        self._notes = b""

    def shut(self, milliseconds: int) -> bool:
        """Have the keeper alone hold the other ends, as soon as it does; False if it does not after so long."""
        if "results" not in self.wait(milliseconds) or _OPENED not in self.results():
            return False
        for name in _NAMES:
            if name != "notes":
                os.unlink(self._folder / name)
        return True

    def ask(self, number: int) -> None:
        """Have the command of a number run."""
        os.write(self._fds["requests"], b"%d\n" % number)

    def cancel(self, number: int) -> None:
        """Have the command of a number killed."""
        with suppress(BlockingIOError):  # then so many are in there that another says nothing new
            os.write(self._fds["cancels"], b"%d\n" % number)

    def wake(self) -> None:
        """End a `wait` of another thread."""
        with suppress(BlockingIOError):
            os.write(self._fds["results"], b"\n")

    def wait(self, milliseconds: int) -> frozenset[str]:
        """Wait until something can be read, but not longer; the pipes of which it can be."""
        poll = select.poll()
        by_fd = {self._fds[name]: name for name in ("output", "results", "notes")}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        ready = frozenset(by_fd[fd] for fd, _ in poll.poll(milliseconds))
        if "notes" in ready:
            self._notes = (self._notes + self._read("notes"))[-_NOTES_BYTES_MAX:]
        return ready

    def output(self) -> bytes:
        """What was printed and not read yet, up to a pipe's length; empty if nothing."""
        return self._read("output")

    def unread(self) -> bool:
        """Whether something printed was not read yet."""
        count = array("i", [0])
        fcntl.ioctl(self._fds["output"], termios.FIONREAD, count)
        return count[0] > 0

    def results(self) -> Iterator[tuple[int, int]]:
        """The numbers of commands that ended, each with its exit code."""
        for line in self._read("results").splitlines():
            number, _, code = line.partition(b" ")
            if number.isdigit() and code.isdigit():
                yield int(number), int(code) & 0xFF

    def notes(self) -> list[str]:
        """What was noted about the command that ended; they are forgotten then."""
        notes = self._notes + self._read("notes")
        self._notes = b""
        return notes.decode(errors="replace").splitlines()

    def close(self) -> None:
        """Close all ends: the keeper ends then."""
        for fd in self._fds.values():
            os.close(fd)

    def _read(self, name: str) -> bytes:
        try:
            return os.read(self._fds[name], _READ_BYTES)
        except BlockingIOError:
            return b""

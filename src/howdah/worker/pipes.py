# SPDX-License-Identifier: Apache-2.0
"""Lazy inputs: named pipes in `/pfs` that are fed when user code opens them, and never downloaded if it does not.

A pipe can be read once, from its beginning to its end. As soon as it is opened another kind of file takes its name, a
socket: whoever opens that is told so at once ("no such device or address"), where a pipe would let him wait for ever.

A writer can only learn by trying that a pipe has a reader, so one thread tries all of them, a few hundred times a
second at most; each that was opened is fed by a thread of its own, since user code may read several side by side.
User code may do to its folder what it likes while we write there, hence: nothing is made by opening, links are not
followed, and what was opened is looked at before a byte goes into it.
"""

import os
import select
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from howdah.errors import HowdahError
from howdah.storage.objects import Buffer
from howdah.worker.below import Below
from howdah.worker.materialise import Pipe

__all__ = ["Fed", "Source", "feeding"]

# Between two looks whether a pipe has been opened. A look costs some 4 microseconds a pipe.
FIRST_LOOK_SECONDS: Final = 0.002
LONGEST_LOOK_SECONDS: Final = 0.05
# How soon a feeder that waits for its reader sees that the try is over.
_STOP_MILLISECONDS: Final = 100
_PIECE_BYTES: Final = 1 << 16  # what a pipe holds
_OPEN: Final = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class Source(Protocol):
    """Reads what goes into a pipe; a `Materialiser` is one."""

    def content(self, pipe: Pipe) -> Iterator[Buffer]: ...


class Fed:
    """What became of the pipes of a try: how many bytes user code took, and the first error that cut one short."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.bytes = 0
        self.error: HowdahError | None = None

    def took(self, count: int) -> None:
        """Count what was read."""
        with self._lock:
            self.bytes += count

    def failed(self, error: HowdahError) -> None:
        """Keep the first error."""
        with self._lock:
            self.error = self.error or error


@contextmanager
def feeding(source: Source, folder: str, pipes: Sequence[Pipe]) -> Iterator[Fed]:
    """Feed the pipes below `folder` until the block ends; at its end nobody must be waiting for more."""
    fed = Fed()
    if not pipes:
        yield fed
        return
    feeder = _Feeder(source, folder, pipes, fed)
    feeder.start()
    try:
        yield fed
    finally:
        feeder.stop()


class _Feeder:
    """Feeds the pipes of one try."""

    def __init__(self, source: Source, folder: str, pipes: Sequence[Pipe], fed: Fed) -> None:
        self._source = source
        self._folder = folder
        self._left = list(pipes)
        self._fed = fed
        self._stopped = threading.Event()
        # The look-out and those that feed. The look-out's own until it has ended.
        self._feeding: list[threading.Thread] = []
        self._looking = threading.Thread(target=self._look, name="look-at-pipes", daemon=True)

    def start(self) -> None:
        self._looking.start()

    def stop(self) -> None:
        self._stopped.set()
        self._looking.join()
        for each in self._feeding:
            each.join()

    def _look(self) -> None:
        pause = FIRST_LOOK_SECONDS
        while self._left and not self._stopped.wait(pause):
            opened = self._opened()
            for pipe, fd in opened:
                self._left.remove(pipe)
                _put_away(self._folder, pipe.below)
                thread = threading.Thread(target=self._feed, args=(pipe, fd), name="feed-pipe", daemon=True)
                self._feeding.append(thread)
                thread.start()
            pause = FIRST_LOOK_SECONDS if opened else min(LONGEST_LOOK_SECONDS, pause * 1.5)

    def _opened(self) -> list[tuple[Pipe, int]]:
        """The pipes that have a reader now, each with a descriptor that writes into it."""
        found: list[tuple[Pipe, int]] = []
        with Below(self._folder) as place:
            for pipe in self._left:
                above, _, name = pipe.below.rpartition("/")
                with suppress(OSError):  # user code has put something else on the way there
                    if (fd := _opened(place.folder(above), name)) is not None:
                        found.append((pipe, fd))
        return found

    def _feed(self, pipe: Pipe, fd: int) -> None:
        try:
            for piece in self._source.content(pipe):
                if not self._write(fd, memoryview(piece)):
                    break
        except BrokenPipeError:
            pass  # the reader has seen enough
        except HowdahError as error:
            self._fed.failed(error)
        finally:
            os.close(fd)

    def _write(self, fd: int, data: memoryview) -> bool:
        """Write a piece as the reader takes it; False if the try is over."""
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        while data:
            try:
                count = os.write(fd, data[:_PIECE_BYTES])
            except BlockingIOError:
                if self._stopped.is_set():
                    return False
                poll.poll(_STOP_MILLISECONDS)
                continue
            self._fed.took(count)
            data = data[count:]
        return True


def _opened(folder: int, name: str) -> int | None:
    """A descriptor that writes into a pipe, if it has a reader."""
    try:
        fd = os.open(name, _OPEN, dir_fd=folder)
    except OSError:  # nobody reads it; or user code has removed it
        return None
    if stat.S_ISFIFO(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return None


def _put_away(folder: str, below: str) -> None:
    """Put a socket where a pipe was, unless user code has put something else on the way there."""
    above, _, name = below.rpartition("/")
    with suppress(OSError), Below(folder) as entered:
        spent, place = ".howdah-spent", entered.folder(above)
        os.mknod(spent, stat.S_IFSOCK | 0o644, dir_fd=place)
        os.rename(spent, name, src_dir_fd=place, dst_dir_fd=place)

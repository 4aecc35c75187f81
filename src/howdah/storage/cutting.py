# SPDX-License-Identifier: Apache-2.0
"""Cutting by content: where a big file is divided into chunks (FastCDC), in bounded memory.

A cut depends on the 16 MiB after the last cut and on nothing else: not on how the bytes arrived, nor on
the size of anybody's buffer. So a stream is cut at the same places as a file, and an insertion moves the
cuts near it and no others. The bytes stand in *windows*, which are used again and again: a chunk is
hashed, compressed and written from where it was read, without a copy. What is done with the chunks, see
`storage.content`.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from pyfastcdc import FastCDC

from howdah.storage.objects import Buffer

__all__ = ["BIG_FILE", "CUT_MAX", "CUT_MIN", "FileSource", "Source", "StreamSource", "Window", "Windows", "cut"]

# Part of the format only in so far as writers that agree store a content once.
CUT_MIN: Final = 1 << 20
CUT_AVERAGE: Final = 4 << 20
CUT_MAX: Final = 16 << 20

BIG_FILE: Final = 1 << 20
"""A file of at least so many bytes is cut into chunks of its own; a smaller one goes into a pack."""

WINDOW_BYTES: Final = 32 << 20  # twice CUT_MAX: at least half of each filling is new bytes
WINDOWS_PER_STREAM: Final = 3  # one is filled while two are stored


class Source(Protocol):
    """What bytes are read from."""

    def read_into(self, view: memoryview) -> int:
        """Put bytes at the start of `view` and return their number; 0 at the end, and only there."""


class FileSource:
    """The bytes of an open file, from its present position on."""

    def __init__(self, file: int) -> None:
        self._file = file

    def read_into(self, view: memoryview) -> int:
        """As `Source.read_into`."""
        return os.readv(self._file, [view])


class StreamSource:
    """The bytes of buffers of any size, one after the other; a buffer is asked for only when there is room."""

    def __init__(self, pieces: Iterable[Buffer]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def read_into(self, view: memoryview) -> int:
        """As `Source.read_into`."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece).cast("B")
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class Window:
    """A buffer with a count of those who still read from it; the last one to release it gives it back."""

    __slots__ = ("_free", "_holders", "_lock", "view")

    def __init__(self, free: "queue.SimpleQueue[Window]") -> None:
        self.view = memoryview(bytearray(WINDOW_BYTES))  # takes memory only as far as it is filled
        self._free = free
        self._lock = threading.Lock()
        self._holders = 0  # guarded by _lock

    def hold(self) -> None:
        """Count one more holder; its owner does this before it gives a view away."""
        with self._lock:
            self._holders += 1

    def release(self) -> None:
        """Count one holder less, whose views may not be read any more."""
        with self._lock:
            self._holders -= 1
            free = self._holders == 0
        if free:
            self._free.put(self)


class Windows:
    """The windows of one stream: as many as the memory that it may use. Used again by the next stream."""

    def __init__(self, count: int = WINDOWS_PER_STREAM) -> None:
        self._free: queue.SimpleQueue[Window] = queue.SimpleQueue()
        self._left_to_make = count

    def take(self) -> Window:
        """A free window, held once; waits until there is one."""
        if self._free.empty() and self._left_to_make:
            self._left_to_make -= 1
            window = Window(self._free)
        else:
            window = self._free.get()
        window.hold()
        return window


def cut(source: Source, windows: Windows, see: Callable[[memoryview], None]) -> Iterator[tuple[Window, memoryview]]:
    """Cut all bytes of `source`; each step gives a chunk and the window that it lies in.

    `see` is given every byte once, in order, in pieces of any size. Who goes on reading a chunk after the
    next step holds its window until it is done; with every window held, the next step waits.
    """
    window, start, filled, ended = windows.take(), 0, 0, False
    try:
        while not ended:
            count = _fill(source, window.view[filled:])
            ended = filled + count < WINDOW_BYTES
            see(window.view[filled : filled + count])
            filled += count
            for length in _final_cuts(window.view[start:filled], ended=ended):
                yield window, window.view[start : start + length]
                start += length
            if not ended:
                fresh, rest = windows.take(), filled - start
                fresh.view[:rest] = window.view[start:filled]
                window.release()
                window, start, filled = fresh, 0, rest
    finally:
        window.release()


def _fill(source: Source, view: memoryview) -> int:
    """Read until `view` is full or the source at its end; the number of bytes."""
    filled = 0
    while filled < len(view) and (count := source.read_into(view[filled:])):
        filled += count
    return filled


def _final_cuts(view: memoryview, *, ended: bool) -> Iterator[int]:
    """The lengths of the chunks at the start of `view` that no byte after it can change.

    A cut before the last byte was found in the content; at the last byte it only means that the bytes are
    used up, which is final at the source's end, or when a whole CUT_MAX has been looked at.
    """
    left = len(view)
    for chunk in FastCDC(avg_size=CUT_AVERAGE, min_size=CUT_MIN, max_size=CUT_MAX).cut_buf(view):
        if chunk.length == left and left < CUT_MAX and not ended:
            return
        yield chunk.length
        left -= chunk.length

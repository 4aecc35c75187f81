# SPDX-License-Identifier: Apache-2.0
"""Storing a big file where another version of it was: only what is new becomes chunks (paper 7).

The new bytes are cut as always (`storage.cutting`). A chunk that the old version has too tells where both go on alike,
and so does a cut before which both are equal. What lies between two such places, a *gap*, is compared with the old
bytes from both ends, and what is equal becomes extents of the old chunks. Only the middle is stored. An edit so costs
what it is long and not what its chunk is, but leaves two extents more; so short neighbours are stored with the middle,
and when a file's extents would take more than they may, the gap is stored as it was cut, as if never edited.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Final, NamedTuple

from howdah.storage.chunks import Chunks, chunk_name
from howdah.storage.cutting import CUT_AVERAGE, CUT_MAX, CUT_MIN, Window
from howdah.storage.extents import Extent, Extents
from howdah.storage.old_version import OldVersion

__all__ = ["ABSORBED_MAX", "EXTENT_BYTES", "CutChunk", "Patching", "extents_allowed"]

CutChunk = tuple[Window, memoryview]

GAP_MAX: Final = 32 << 20
"""After so many bytes without a chunk of the old version the search ends until one comes."""

ABSORBED_MAX: Final = 1 << 20
"""An old extent is stored again with its new neighbour while both together have at most so many bytes."""

CONTEXT: Final = 64 << 10
"""Old bytes on each side of a short middle that are stored with it: the next edit is often near, and is in it then."""

MEETING: Final = 4 << 10
"""Both versions go on alike where so many bytes before a cut are equal; if they do not, more is stored, and no more."""

MEETINGS_TRIED: Final = 6

SAVED_MIN: Final = 256 << 10
"""A gap of which less would be saved is stored as it was cut."""

EXTENT_BYTES: Final = 36
_SIZE: Final = 8 << 20
_SIZE_BYTES: Final = 64  # for each 8 MiB of a file
_NODE_BYTES: Final = 400  # what a range and its node take besides
_FREE_BYTES: Final = 2048
_FREE_EXTENTS: Final = 5


def extents_allowed(size: int, cut: int) -> int:
    """How many extents a file of `size` bytes may have when its bytes are cut into `cut` chunks.

    As many as 64 bytes for each 8 MiB hold, or 2 KiB; a few at least, also where cutting alone gives more than those.
    """
    held = max(_FREE_BYTES, size * _SIZE_BYTES // _SIZE - _NODE_BYTES) // EXTENT_BYTES
    return max(held, cut + _FREE_EXTENTS)


class _Looked(NamedTuple):
    """A chunk of the new bytes. `plain`, in its window, is there only if the store has it not."""

    name: bytes
    length: int
    plain: memoryview | None


class Patching:
    """Stores one file beside its old version. For one call of `store`."""

    def __init__(self, chunks: Chunks, threads: ThreadPoolExecutor, old: OldVersion) -> None:
        self._chunks = chunks
        self._threads = threads
        self._old = old
        self._done: list[Extent | tuple[Future[bytes], int]] = []
        self._cut = 0  # chunks so far, as they were cut
        # Where in the old version the gap begins; None: unknown, and there is no gap.
        self._at: int | None = 0
        self._gap: list[tuple[bytes, bytes]] = []
        self._gap_bytes = 0
        self._equal = 0  # bytes at the beginning of the gap that the old version has, too
        # What is being stored, oldest first, and of the last gap.
        self._storing: deque[Future[bytes]] = deque()
        self._of_gap: list[Future[bytes]] = []

    def store(self, pieces: Iterator[CutChunk]) -> Extents:
        """Store what must be, and answer the extents of all. Raises what the store or the source of `pieces` raises."""
        pending: deque[tuple[Window, Future[_Looked]]] = deque()
        try:
            for window, chunk in pieces:
                # All of earlier windows: who waits for a free window must not hold one through what is pending here.
                while pending and (pending[0][0] is not window or pending[0][1].done()):
                    self._take(*pending.popleft())
                window.hold()
                pending.append((window, self._threads.submit(self._look, window, chunk)))
            while pending:
                self._take(*pending.popleft())
            self._close(self._old.size)
            return Extents.of(_joined([self._extent(each) for each in self._done]))
        except BaseException:
            for _, looked in pending:
                looked.cancel()
            for storing in self._storing:
                storing.cancel()
            raise

    def _look(self, window: Window, chunk: memoryview) -> _Looked:
        """Name a chunk, and see whether it has to be stored. One that has goes on holding its window."""
        keep = False
        try:
            name = chunk_name(chunk)
            if self._old.has(name, len(chunk)):
                self._chunks.put_named(name, chunk)  # mends it, if it is damaged
            elif not self._chunks.refresh(name, len(chunk)):
                keep = True
            return _Looked(name, len(chunk), chunk if keep else None)
        finally:
            if not keep:
                window.release()

    def _take(self, window: Window, future: "Future[_Looked]") -> None:
        name, length, plain = future.result()
        self._cut += 1
        if plain is None:
            self._take_stored(name, length)
        elif self._at is None:
            self._store(self._threads.submit(self._put, window, name, plain), length)
        else:
            copy = bytes(plain)
            window.release()
            self._widen(name, copy)

    def _take_stored(self, name: bytes, length: int) -> None:
        if not self._old.has(name, length):
            self._close(None)
            self._at = None
        else:
            place = self._old.place(name, length, self._at or 0)
            self._close(place)
            self._at = place + length
        self._done.append((name, 0, length))

    def _widen(self, name: bytes, plain: bytes) -> None:
        """Add a chunk to the gap; one that the old version has in other extents needs none."""
        assert self._at is not None
        if not self._gap:
            self._equal = self._old.equal_from(self._chunks, self._at, memoryview(plain))
            if self._equal == len(plain):
                self._reuse(self._old.between(self._at, self._at + len(plain)))
                self._at += len(plain)
                return
        self._gap.append((name, plain))
        self._gap_bytes += len(plain)
        if (end := self._meets(plain)) is not None:
            self._close(end)
            self._at = end
        elif self._gap_bytes >= GAP_MAX:
            self._close(None)
            self._at = None

    def _meets(self, plain: bytes) -> int | None:
        """Where the old version was cut as the new one is behind this chunk; None if nowhere near."""
        assert self._at is not None
        if len(plain) < MEETING:
            return None
        tail = memoryview(plain)[-MEETING:]
        near = self._old.ends_after(self._at + self._equal, MEETINGS_TRIED)
        return next((end for end in near if self._old.equal_to(self._chunks, end, tail) == MEETING), None)

    def _close(self, end: int | None) -> None:
        """Store the gap, which ends where the old version is at `end`, if that is known."""
        if not self._gap:
            return
        assert self._at is not None
        plain = memoryview(b"".join([each for _, each in self._gap]))
        low = self._equal
        high = len(plain) - (0 if end is None else self._old.equal_to(self._chunks, end, plain[low:]))
        head = self._old.between(self._at, self._at + low)
        tail = [] if end is None else self._old.between(end - (len(plain) - high), end)
        low, high = _absorbed(head, low, high, tail)
        borders = _borders(low, high, [len(each) for _, each in self._gap])
        for storing in self._of_gap:
            storing.result()  # no more than two gaps are in memory
        if len(plain) - (high - low) < SAVED_MIN or not self._fits(len(head) + len(borders) - 1 + len(tail), end):
            self._of_gap = [
                self._store(self._threads.submit(self._put_named, name, each), len(each)) for name, each in self._gap
            ]
        else:
            self._reuse(head)
            self._of_gap = [
                self._store(self._threads.submit(self._chunks.put, plain[begin:stop]), stop - begin)
                for begin, stop in pairwise(borders)
            ]
            self._reuse(tail)
        self._gap, self._gap_bytes = [], 0

    def _fits(self, more: int, end: int | None) -> bool:
        """Whether the file may have so many extents in the gap, if all that follows stays as it is."""
        after, uncut = self._old.count_after(self._old.size if end is None else end)
        return len(self._done) + more + after <= extents_allowed(self._old.size, self._cut + uncut)

    def _reuse(self, extents: list[Extent]) -> None:
        self._done += extents
        self._chunks.skip(sum(length for _, _, length in extents))

    def _store(self, storing: "Future[bytes]", length: int) -> "Future[bytes]":
        self._done.append((storing, length))
        self._storing.append(storing)
        while self._storing and self._storing[0].done():
            self._storing.popleft().result()  # a store that fails is noticed here, not at the end of a long stream
        return storing

    def _put(self, window: Window, name: bytes, plain: memoryview) -> bytes:
        try:
            return self._put_named(name, plain)
        finally:
            window.release()

    def _put_named(self, name: bytes, plain: bytes | memoryview) -> bytes:
        self._chunks.put_named(name, plain)
        return name

    @staticmethod
    def _extent(each: "Extent | tuple[Future[bytes], int]") -> Extent:
        if len(each) == 2:
            return each[0].result(), 0, each[1]
        return each


def _absorbed(head: list[Extent], low: int, high: int, tail: list[Extent]) -> tuple[int, int]:
    """Widen the middle `low` to `high` over its short neighbours, which are taken from `head` and `tail`.

    Nothing is stored again where the file only grew: its next end comes after this one.
    """
    if not tail:
        return low, high
    while neighbours := [each[-1 if each is head else 0][2] for each in (head, tail) if each]:
        if high - low + min(neighbours) > ABSORBED_MAX:
            break
        if not tail or (head and head[-1][2] <= tail[0][2]):
            low -= head.pop()[2]
        else:
            high += tail.pop(0)[2]
    if 0 < high - low < 2 * CONTEXT:
        # Each neighbour is longer than that: it would have been taken whole.
        if head:
            name, offset, length = head[-1]
            head[-1] = (name, offset, length - CONTEXT)
            low -= CONTEXT
        if tail:
            name, offset, length = tail[0]
            tail[0] = (name, offset + CONTEXT, length - CONTEXT)
            high += CONTEXT
    return low, high


def _borders(low: int, high: int, lengths: list[int]) -> list[int]:
    """Where the middle of a gap is divided into chunks: not at all if it is short, else where the gap was cut."""
    found = [low]
    if high - low > CUT_AVERAGE:
        at = 0
        for index, length in enumerate(lengths):
            at += length
            following = min(high, at + (lengths[index + 1] if index + 1 < len(lengths) else 0))
            if low < at < high and (at - found[-1] >= CUT_MIN or following - found[-1] > CUT_MAX):
                found.append(at)
    return [*found, high] if high > low else found


def _joined(extents: list[Extent]) -> list[Extent]:
    """The same bytes in fewer extents, where neighbours are neighbours in their chunk too."""
    found: list[Extent] = []
    for name, offset, length in extents:
        if found and found[-1][0] == name and found[-1][1] + found[-1][2] == offset:
            found[-1] = (name, found[-1][1], found[-1][2] + length)
        else:
            found.append((name, offset, length))
    return found

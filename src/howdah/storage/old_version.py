# SPDX-License-Identifier: Apache-2.0
"""What a path had before: the bytes that a new version can name instead of storing them again.

A version of a big file differs from the last one in a few places, as a rule, and `storage.patching` looks for what
stayed. Here is what it looks at: the old version's extents, as positions in the old file, and how many bytes two
contents have in common. Everything that is compared was proved by its chunk's name.
"""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Final

from howdah.errors import Damaged
from howdah.storage.chunks import Chunks
from howdah.storage.cutting import BIG_FILE
from howdah.storage.extents import Extent, Extents
from howdah.storage.objects import Buffer

__all__ = ["OldVersion", "common_prefix", "common_suffix"]

_STEP: Final = 64 << 10


class OldVersion:
    """The extents that a file had. `referrer` is what the file is called where its chunks are read."""

    def __init__(self, extents: Extents, referrer: str) -> None:
        self._extents = list(extents)
        self.referrer = referrer
        # Where each extent ends in the file.
        self._ends = list(accumulate(length for _, _, length in self._extents))
        self._starts: dict[tuple[bytes, int], list[int]] = {}
        for (name, offset, length), end in zip(self._extents, self._ends, strict=True):
            if not offset:
                self._starts.setdefault((name, length), []).append(end - length)

    @classmethod
    def of(cls, extents: Extents, referrer: str) -> "OldVersion | None":
        """None for a small file: nothing would be saved."""
        return cls(extents, referrer) if extents.total >= BIG_FILE else None

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._ends[-1] if self._ends else 0

    def has(self, name: bytes, length: int) -> bool:
        """Whether it has this chunk, from its first byte on and so long."""
        return (name, length) in self._starts

    def place(self, name: bytes, length: int, after: int) -> int:
        """Where it has a chunk that it `has`: the first place from `after` on, or the last one before."""
        starts = self._starts[name, length]
        return starts[min(bisect_left(starts, after), len(starts) - 1)]

    def between(self, start: int, end: int) -> list[Extent]:
        """The extents of the bytes from `start` to `end`."""
        found: list[Extent] = []
        for index in range(bisect_right(self._ends, start), len(self._ends)):
            name, offset, length = self._extents[index]
            begin = self._ends[index] - length
            if begin >= end:
                break
            low, high = max(start, begin), min(end, begin + length)
            found.append((name, offset + low - begin, high - low))
        return found

    def ends_after(self, position: int, count: int) -> list[int]:
        """Where the first extents that end after a position end, at most so many."""
        index = bisect_right(self._ends, position)
        return self._ends[index : index + count]

    def count_after(self, position: int) -> tuple[int, int]:
        """The number of extents that end after a position, and of those among them that are chunks as they were cut."""
        rest = self._extents[bisect_right(self._ends, position) :]
        return len(rest), sum(1 for _, offset, length in rest if not offset and length >= BIG_FILE)

    def equal_from(self, chunks: Chunks, start: int, data: memoryview) -> int:
        """How many bytes of `data` are those that it has from `start` on. A damaged chunk equals nothing."""
        done = 0
        for extent in self.between(start, start + len(data)):
            piece = self._read(chunks, extent)
            same = common_prefix(data[done : done + extent[2]], piece)
            done += same
            if same < extent[2]:
                break
        return done

    def equal_to(self, chunks: Chunks, end: int, data: memoryview) -> int:
        """How many bytes at the end of `data` are those that it has before `end`. A damaged chunk equals nothing."""
        left = len(data)
        for extent in reversed(self.between(max(0, end - len(data)), end)):
            piece = self._read(chunks, extent)
            same = common_suffix(data[left - extent[2] : left], piece) if len(piece) == extent[2] else 0
            left -= same
            if same < extent[2]:
                break
        return len(data) - left

    def _read(self, chunks: Chunks, extent: Extent) -> memoryview:
        name, offset, length = extent
        try:
            return chunks.read_cached(name, self.referrer)[offset : offset + length]
        except Damaged:
            return memoryview(b"")  # then it is stored again, which mends it


def common_prefix(left: Buffer, right: Buffer) -> int:
    """How many bytes two contents have in common at their beginning."""
    size = min(len(left), len(right))
    for at in range(0, size, _STEP):
        end = min(size, at + _STEP)
        one, other = bytes(left[at:end]), bytes(right[at:end])
        if one != other:
            # The highest bit that differs tells the first byte that does.
            differs = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
            return end - (differs.bit_length() + 7) // 8
    return size


def common_suffix(left: Buffer, right: Buffer) -> int:
    """How many bytes two contents have in common at their end."""
    size = min(len(left), len(right))
    for done in range(0, size, _STEP):
        some = min(_STEP, size - done)
        one = bytes(left[len(left) - done - some : len(left) - done])
        other = bytes(right[len(right) - done - some : len(right) - done])
        if one != other:
            differs = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
            return done + some - (differs.bit_length() + 7) // 8
    return size

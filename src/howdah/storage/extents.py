# SPDX-License-Identifier: Apache-2.0
"""Extents: where the bytes of a file lie, as packed columns.

A file is a row of extents (chunk, offset, length), in order. The columns are kept as bytes, because that
is how a fileset stores them and because a big file has many: 36 bytes for a piece of about 5 MiB. What a
chunk is, see `storage.chunks`; what the bytes hash to does not depend on extents, see `storage.filehash`.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["NAME_BYTES", "Extent", "Extents"]

NAME_BYTES = 32

Extent = tuple[bytes, int, int]
"""Name of the chunk, offset in its plain bytes, length."""


def _unpack(column: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(column) // 4}I", column)


def _pack(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


@dataclass(frozen=True, slots=True)
class Extents:
    """The extents of one file: n names of 32 bytes, n lengths and n offsets of 4 bytes, little end first.

    Invariant: `offsets` is empty when every offset is 0, so equal extents are equal values. An empty file has none.
    """

    names: bytes = b""
    lengths: bytes = b""
    offsets: bytes = b""

    def __post_init__(self) -> None:
        count, rest = divmod(len(self.names), NAME_BYTES)
        if rest or len(self.lengths) != 4 * count or len(self.offsets) not in (0, 4 * count):
            sizes = f"{len(self.names)}, {len(self.lengths)} and {len(self.offsets)}"
            raise ValueError(f"columns of extents do not fit together: {sizes} bytes")

    @classmethod
    def one(cls, name: bytes, offset: int, length: int) -> "Extents":
        """The extents of a file that lies in one piece."""
        return cls(name, length.to_bytes(4, "little"), offset.to_bytes(4, "little") if offset else b"")

    @classmethod
    def of(cls, extents: list[Extent]) -> "Extents":
        """Pack a list of (name, offset, length)."""
        offsets = [offset for _, offset, _ in extents]
        names = b"".join([name for name, _, _ in extents])
        return cls(names, _pack([length for _, _, length in extents]), _pack(offsets) if any(offsets) else b"")

    def __len__(self) -> int:
        return len(self.names) // NAME_BYTES

    def __iter__(self) -> Iterator[Extent]:
        names = [self.names[at : at + NAME_BYTES] for at in range(0, len(self.names), NAME_BYTES)]
        offsets = _unpack(self.offsets) if self.offsets else (0,) * len(names)
        return iter(list(zip(names, offsets, _unpack(self.lengths), strict=True)))

    @property
    def total(self) -> int:
        """The number of bytes that the extents hold together."""
        return sum(_unpack(self.lengths))

    def concat(self, *others: "Extents") -> "Extents":
        """These extents and then those of `others`: the file that has all their bytes in this order."""
        every = (self, *others)
        offsets = b""
        if any(each.offsets for each in every):
            offsets = b"".join([each.offsets or bytes(4 * len(each)) for each in every])
        return Extents(b"".join([each.names for each in every]), b"".join([each.lengths for each in every]), offsets)

    def slice(self, start: int, length: int) -> "Extents":
        """The extents of `length` bytes from byte `start` on; less where the file ends before."""
        end = start + length
        found: list[Extent] = []
        at = 0
        for name, offset, size in self:
            low, high = max(start, at), min(end, at + size)
            if low < high:
                found.append((name, offset + low - at, high - low))
            at += size
            if at >= end:
                break
        return Extents.of(found)

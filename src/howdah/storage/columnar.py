# SPDX-License-Identifier: Apache-2.0
"""Arrow columns as bytes: equal columns give equal bytes, always, so that they can be named by their hash.

    u32 number of rows, then column by column:
    string, binary      u32 length of each value, then the values
    uint64              8 bytes each
    binary(32)          32 bytes each

Little end first. Arrow's own stream format is not used, because what it writes for a slice depends on the
buffers that the slice was cut from.
"""

from typing import Final

import numpy as np
import pyarrow as pa

__all__ = ["Strings", "decode", "encode", "fixed", "numbers"]

_HASH: Final = 32


class Strings:
    """A string or binary column as its lengths and bytes, without a Python object per value."""

    def __init__(self, column: pa.Array) -> None:
        _, offsets, data = column.buffers()
        count = len(column)
        if count:
            self.offsets = np.frombuffer(offsets, dtype="<i4", count=count + 1, offset=4 * column.offset)
        else:
            self.offsets = np.zeros(1, "<i4")
        self._lengths = (self.offsets[1:] - self.offsets[:-1]).astype("<u4")
        self._data = memoryview(data) if data is not None else memoryview(b"")

    def part(self, begin: int, end: int) -> tuple[bytes, memoryview]:
        """The lengths (u32, little endian) and the bytes of the values begin..end."""
        return self._lengths[begin:end].tobytes(), self._data[self.offsets[begin] : self.offsets[end]]


def numbers(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A uint64 column as a vector, without a copy."""
    if not len(column):
        return np.empty(0, "<u8")
    return np.frombuffer(column.buffers()[1], dtype="<u8", count=len(column), offset=8 * column.offset)


def fixed(column: pa.Array) -> memoryview:
    """A binary(32) column as its bytes."""
    if not len(column):
        return memoryview(b"")
    start = _HASH * column.offset
    return memoryview(column.buffers()[1])[start : start + _HASH * len(column)]


def encode(batch: pa.RecordBatch) -> bytes:
    """The columns as bytes."""
    count = batch.num_rows
    parts: list[bytes | memoryview] = [count.to_bytes(4, "little")]
    for column, field in zip(batch.columns, batch.schema, strict=True):
        if pa.types.is_uint64(field.type):
            parts.append(numbers(column).tobytes())
        elif pa.types.is_fixed_size_binary(field.type):
            parts.append(fixed(column))
        else:
            parts.extend(Strings(column).part(0, count))
    return b"".join(parts)


def decode(data: bytes | memoryview, schema: pa.Schema) -> pa.RecordBatch:
    """What `encode` was given, as views of `data`. Raises ValueError if `data` is anything else."""
    view = memoryview(data)
    count = int.from_bytes(view[:4], "little")
    at = 4

    def take(size: int) -> memoryview:
        nonlocal at
        at += size
        if at > len(view):
            raise ValueError(f"its columns end after {len(view)} bytes")
        return view[at - size : at]

    arrays = []
    for field in schema:
        if pa.types.is_uint64(field.type) or pa.types.is_fixed_size_binary(field.type):
            width = 8 if pa.types.is_uint64(field.type) else _HASH
            buffers = [None, pa.py_buffer(take(width * count))]
        else:
            offsets = np.zeros(count + 1, "<i8")
            np.cumsum(np.frombuffer(take(4 * count), "<u4"), out=offsets[1:])
            size = int(offsets[-1])
            buffers = [None, pa.py_buffer(offsets.astype("<i4")), pa.py_buffer(take(size))]
        arrays.append(pa.Array.from_buffers(field.type, count, buffers))
    if at != len(view):
        raise ValueError(f"it has {len(view) - at} bytes after its columns")
    return pa.RecordBatch.from_arrays(arrays, schema=schema)

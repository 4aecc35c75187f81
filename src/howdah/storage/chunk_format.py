# SPDX-License-Identifier: Apache-2.0
"""The bytes of a chunk object: a header, for zstd a table of frames, and the payload.

    magic "HWC1"   4 bytes
    flags          1 byte: bit 0 set, the payload is frames; every other bit is 0
    reserved       3 bytes, 0
    plain length   8 bytes, little end first
    -- only with frames --
    frame count    4 bytes; then for each frame its stored length, 4 bytes

Frame i holds the plain bytes from i * 256 KiB on, so a small part is read by one range request; a frame as
long as its plain bytes is those bytes, any other is one zstd frame. See docs/format.md. Naming, storing
and checking are in `storage.chunks`.
"""

import struct
import threading
from dataclasses import dataclass
from typing import Final

import zstandard

from howdah.storage.objects import Buffer

__all__ = ["FRAME_BYTES", "HEADER_BYTES", "HEAD_BYTES", "PLAIN_MAX", "Layout", "MalformedError", "decode", "encode"]

MAGIC: Final = b"HWC1"
HEADER: Final = struct.Struct("<4sB3xQ")
HEADER_BYTES: Final = HEADER.size
FRAME_BYTES: Final = 256 << 10
PLAIN_MAX: Final = 16 << 20
"""Bytes of the longest chunk: the largest cut of `storage.cutting`. A reader refuses more before it allocates."""
HEAD_BYTES: Final = HEADER_BYTES + 4 + 4 * (PLAIN_MAX // FRAME_BYTES)
"""As many bytes from an object's start as its header and table can have."""

FRAMED: Final = 1
LEVEL: Final = 1  # 3 takes 30 to 40 % longer and saves at most 7 % (sources, binaries, tables measured)
SAMPLE_BYTES: Final = 64 << 10
SAMPLE_GAIN: Final = 0.05  # less is not worth the time: trying costs more than all the rest of the path

_own = threading.local()  # compressors may not be shared between threads


class MalformedError(Exception):
    """Bytes that are not a chunk object. `storage.chunks` turns it into `Damaged`, which names the object."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the plain bytes of a chunk lie in its object. `frames` holds stored lengths; it is None for a raw chunk."""

    plain_length: int
    frames: tuple[int, ...] | None

    @classmethod
    def parse(cls, head: Buffer) -> "Layout":
        """Read the layout from the first `HEAD_BYTES` of an object, or from the whole of it.

        Raises:
            MalformedError: these bytes do not begin a chunk object.
        """
        if len(head) < HEADER_BYTES:
            raise MalformedError(f"it has {len(head)} bytes, less than a header")
        magic, flags, plain_length = HEADER.unpack_from(head)
        if magic != MAGIC or flags & ~FRAMED or bytes(head[5:8]) != bytes(3) or plain_length > PLAIN_MAX:
            raise MalformedError("its header is not that of a chunk")
        if not flags & FRAMED:
            return cls(plain_length, None)
        count = _frame_count(plain_length)
        if len(head) < HEADER_BYTES + 4 + 4 * count or struct.unpack_from("<I", head, HEADER_BYTES) != (count,):
            raise MalformedError("its table of frames does not fit its length")
        layout = cls(plain_length, struct.unpack_from(f"<{count}I", head, HEADER_BYTES + 4))
        if any(not 0 < stored <= layout.plain_of(frame) for frame, stored in enumerate(layout.frames or ())):
            raise MalformedError("its table of frames holds an impossible length")
        return layout

    @property
    def payload_start(self) -> int:
        """Offset of the first byte after header and table."""
        return HEADER_BYTES + (0 if self.frames is None else 4 + 4 * len(self.frames))

    @property
    def stored_length(self) -> int:
        """Bytes of the whole object."""
        return self.payload_start + (self.plain_length if self.frames is None else sum(self.frames))

    def plain_of(self, frame: int) -> int:
        """The number of plain bytes in a frame."""
        return min(FRAME_BYTES, self.plain_length - frame * FRAME_BYTES)

    def frames_of(self, start: int, length: int) -> tuple[int, int, int, int]:
        """What to read for a part: first frame, frame after the last, offset in the object, stored length.

        Raises:
            MalformedError: the chunk ends before the part does.
        """
        if start < 0 or start + length > self.plain_length:
            raise MalformedError(f"it has {self.plain_length} bytes and was asked for {start} to {start + length}")
        if self.frames is None:
            return 0, 0, HEADER_BYTES + start, length
        first, end = start // FRAME_BYTES, _frame_count(start + length)
        offset = self.payload_start + sum(self.frames[:first])
        return first, end, offset, sum(self.frames[first:end])

    def unpack(self, stored: bytes, first: int, end: int, start: int, length: int) -> bytes:
        """The part's plain bytes, from the stored bytes of its frames as `frames_of` told them.

        Raises:
            MalformedError: a frame cannot be decompressed, or to another length.
        """
        if self.frames is None:
            return stored
        view, at, plain = memoryview(stored), 0, []
        for frame in range(first, end):
            plain.append(_unpack_frame(view[at : at + self.frames[frame]], self.plain_of(frame)))
            at += self.frames[frame]
        skipped = start - first * FRAME_BYTES
        joined = plain[0] if len(plain) == 1 else b"".join(plain)
        return bytes(joined[skipped : skipped + length])


def encode(plain: Buffer) -> list[Buffer]:
    """The parts of the object that holds these plain bytes: zstd where a sample shrinks by 5 %, raw otherwise."""
    view = memoryview(plain).cast("B")
    if not _shrinks(view):
        return [HEADER.pack(MAGIC, 0, len(view)), view]
    compressor = _compressor()
    frames: list[Buffer] = []
    for at in range(0, len(view), FRAME_BYTES):
        block = view[at : at + FRAME_BYTES]
        packed = compressor.compress(block)
        frames.append(packed if len(packed) < len(block) else block)
    table = struct.pack(f"<{1 + len(frames)}I", len(frames), *map(len, frames))
    return [HEADER.pack(MAGIC, FRAMED, len(view)), table, *frames]


def decode(stored: bytes) -> memoryview:
    """The plain bytes of a whole object; not checked against its name.

    Raises:
        MalformedError: these bytes are no chunk object, or not a whole one.
    """
    layout = Layout.parse(stored)
    if layout.stored_length != len(stored):
        raise MalformedError(f"it has {len(stored)} bytes instead of {layout.stored_length}")
    payload = memoryview(stored)[layout.payload_start :]
    if layout.frames is None:
        return payload
    plain, at = bytearray(layout.plain_length), 0
    for frame, length in enumerate(layout.frames):
        start, size = frame * FRAME_BYTES, layout.plain_of(frame)
        plain[start : start + size] = _unpack_frame(payload[at : at + length], size)
        at += length
    return memoryview(plain).toreadonly()


def _frame_count(plain_length: int) -> int:
    return -(-plain_length // FRAME_BYTES)


def _shrinks(view: memoryview) -> bool:
    start = max(0, (len(view) - SAMPLE_BYTES) // 2)
    sample = view[start : start + SAMPLE_BYTES]
    return len(_compressor().compress(sample)) <= (1 - SAMPLE_GAIN) * len(sample) if len(sample) else False


def _compressor() -> zstandard.ZstdCompressor:
    if not hasattr(_own, "compressor"):
        _own.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)
    compressor: zstandard.ZstdCompressor = _own.compressor
    return compressor


def _unpack_frame(stored: memoryview, plain_length: int) -> Buffer:
    if len(stored) == plain_length:
        return stored
    try:
        # The frame's own claim of its size is checked first: nothing longer than a frame is ever allocated.
        if zstandard.frame_content_size(stored) != plain_length:
            raise MalformedError("a frame has not the length that it should have")
        if not hasattr(_own, "decompressor"):
            _own.decompressor = zstandard.ZstdDecompressor()
        plain: bytes = _own.decompressor.decompress(stored)
    except zstandard.ZstdError as error:
        raise MalformedError("a frame cannot be decompressed") from error
    return plain

# SPDX-License-Identifier: Apache-2.0
"""One content, one hash: the hash of a file, however it was cut, packed, appended or copied.

A file of at most 1 MiB has the BLAKE3 of its bytes. A longer one is a row of aligned blocks of 1 MiB: each
block has the BLAKE3 of its bytes (a *leaf*), the complete blocks form a Merkle mountain range, and the
hash is taken over the size, the *peaks* of that range and the leaf of the incomplete last block. The
peaks are 32 bytes for each 1-bit of the number of complete blocks; a fileset keeps them, so that an append
reads at most the last, incomplete block. Chunks have names of their own, see `storage.chunks`.

The hashing is native code that releases the interpreter lock for all but the smallest inputs.
"""

from concurrent.futures import Executor
from typing import Final

from blake3 import blake3

from howdah.storage.objects import Buffer

__all__ = ["BLOCK", "HASH_BYTES", "NODE_KEY", "ROOT_KEY", "FileHasher", "hash_blocks", "hash_small"]

HASH_BYTES: Final = 32

BLOCK: Final = 1 << 20
"""Bytes of a block. Part of the format: another value would give every big file another hash."""

# Keys set inner nodes and roots apart from leaves and from each other, so that no file can be made whose
# bytes are the nodes of another. Part of the format.
NODE_KEY: Final = b"howdah file hash: inner node".ljust(32, b"\0")
ROOT_KEY: Final = b"howdah file hash: root".ljust(32, b"\0")


def hash_small(data: Buffer) -> bytes:
    """The hash of a file of at most 1 MiB: the BLAKE3 of its bytes. The caller knows that it is small."""
    return blake3(data).digest()


def hash_blocks(view: memoryview, executor: Executor | None = None) -> list[bytes]:
    """The leaf of each complete block in `view`, which begins at a block's first byte; the rest is left alone.

    With an `executor` the blocks are hashed in its threads.
    """
    blocks = [view[at : at + BLOCK] for at in range(0, len(view) - BLOCK + 1, BLOCK)]
    return list(executor.map(hash_small, blocks)) if executor else [hash_small(block) for block in blocks]


def _merged(left: bytes, right: bytes) -> bytes:
    return blake3(left + right, key=NODE_KEY).digest()


class FileHasher:
    """The hash of a file whose bytes come in pieces. Not for several threads at once."""

    __slots__ = ("_complete", "_partial", "_partial_bytes", "_peaks")

    def __init__(self) -> None:
        # Number of complete blocks; the hasher of the block that is not complete yet, and its bytes so far.
        # Invariant: _partial is None if and only if _partial_bytes is 0, and then the size is whole blocks.
        self._complete = 0
        self._partial: blake3 | None = None
        self._partial_bytes = 0
        self._peaks: list[bytes] = []  # largest first; as many as _complete has 1-bits

    @classmethod
    def new(cls) -> "FileHasher":
        """A hasher of an empty file."""
        return cls()

    @classmethod
    def resume(cls, size: int, peaks: bytes, tail: Buffer) -> "FileHasher":
        """Go on where a file of `size` bytes ended.

        `tail` holds the bytes after the last complete block, and `peaks` what `peaks()` gave. A file of at
        most 1 MiB may be given whole as `tail`, with no peaks.

        Raises:
            ValueError: the lengths of `peaks` and `tail` are not those of such a file.
        """
        hasher = cls()
        if size <= BLOCK and not peaks and len(tail) == size:
            hasher.update(tail)
            return hasher
        complete, rest = divmod(size, BLOCK)
        if len(peaks) != HASH_BYTES * complete.bit_count() or len(tail) != rest:
            raise ValueError(f"{len(peaks)} bytes of peaks and a tail of {len(tail)} do not belong to {size} bytes")
        hasher._complete = complete
        hasher._peaks = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]
        hasher.update(tail)
        return hasher

    @property
    def size(self) -> int:
        """The number of bytes hashed so far."""
        return self._complete * BLOCK + self._partial_bytes

    def peaks(self) -> bytes:
        """The peaks of the complete blocks, largest first: 32 bytes for each 1-bit of their number."""
        return b"".join(self._peaks)

    def digest(self) -> bytes:
        """The hash of the bytes so far; more may follow."""
        if self.size <= BLOCK:
            return self._peaks[0] if self._complete else self._tail_leaf() or hash_small(b"")
        content = self.size.to_bytes(8, "little") + self.peaks() + self._tail_leaf()
        return blake3(content, key=ROOT_KEY).digest()

    def update(self, data: Buffer) -> None:
        """Add bytes at the end. They are not copied, and not kept."""
        view = memoryview(data).cast("B")
        if self._partial_bytes:
            taken = min(BLOCK - self._partial_bytes, len(view))
            self._add_partial(view[:taken])
            view = view[taken:]
        for leaf in hash_blocks(view):
            self._add_leaf(leaf)
        if rest := len(view) % BLOCK:
            self._add_partial(view[-rest:])

    def _tail_leaf(self) -> bytes:
        return self._partial.digest() if self._partial else b""

    def _add_partial(self, view: memoryview) -> None:
        self._partial = self._partial or blake3()
        self._partial.update(view)
        self._partial_bytes += len(view)
        if self._partial_bytes == BLOCK:
            leaf = self._partial.digest()
            self._partial, self._partial_bytes = None, 0
            self._add_leaf(leaf)

    def _add_leaf(self, leaf: bytes) -> None:
        # Like adding 1 to a binary number: each carry merges two mountains of equal height.
        count = self._complete
        while count & 1:
            leaf = _merged(self._peaks.pop(), leaf)
            count >>= 1
        self._peaks.append(leaf)
        self._complete += 1

# SPDX-License-Identifier: Apache-2.0
"""Rows about what storage keeps of a big file, without a server."""

from pathlib import Path

import numpy as np
from blake3 import blake3

from bench.figures import Figure, Row
from bench.ground import Ground
from howdah.storage.cutting import FileSource, Windows, cut
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.extents import Extents
from howdah.storage.filehash import BLOCK
from howdah.storage.filesets import Builder, Filesets
from howdah.storage.rows import Entry, from_entries

__all__ = ["ROWS"]

_PIECE = 8 << 20


def metadata_of_a_big_file(ground: Ground) -> list[Figure]:
    """Cut random bytes to learn how long chunks are; then store the ranges and nodes of a file of such chunks."""
    lengths = chunk_lengths(ground.big_file(), ground.scale.sample_bytes)
    size = ground.scale.metadata_bytes
    entry = synthetic_entry("/big", size, lengths)
    root = ground.place.fresh("objects")
    filesets = Filesets(DirectoryStore(root), cache_bytes=64 << 20)
    builder = Builder(filesets, "the bench")
    builder.add_rows(from_entries([entry]))
    builder.finish()
    stored = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    mean = sum(lengths) / len(lengths)
    note = f"{stored:,} bytes for {len(entry.extents):,} chunks of {mean / (1 << 20):.2f} MiB on average"
    return [Figure("", stored / (size / _PIECE), "bytes", at_most=64, note=note)]


def chunk_lengths(path: Path, size: int) -> list[int]:
    """The lengths of the chunks that the first `size` bytes of a file are cut into, but for the last."""
    lengths: list[int] = []
    with open(path, "rb") as file:
        for _, chunk in cut(FileSource(file.fileno()), Windows(), lambda _: None):
            lengths.append(len(chunk))
            if sum(lengths) >= size:
                break
    return lengths[:-1] or lengths


def synthetic_entry(path: str, size: int, lengths: list[int]) -> Entry:
    """A file of chunks that are nowhere: random names, lengths drawn from the given ones."""
    numbers = np.random.default_rng(1)
    drawn: list[int] = []
    left = size
    while left:
        some = min(left, int(numbers.choice(lengths)))
        drawn.append(some)
        left -= some
    names = numbers.bytes(32 * len(drawn))
    extents = Extents(names, np.array(drawn, "<u4").tobytes())
    peaks = numbers.bytes(32 * (size // BLOCK).bit_count())
    return Entry(path, "", size, blake3(path.encode()).digest(), peaks, extents)


ROWS = [
    Row(
        "metadata",
        "ranges and nodes of a 64 GiB file of synthetic chunk names, per 8 MiB of the file",
        "",
        metadata_of_a_big_file,
    )
]

# SPDX-License-Identifier: Apache-2.0
"""Rows about a big file that is edited again and again, and put whole each time: what that stores, and its metadata.

The versions are never written as files: our client is given the old bytes with the new ones between them.
"""

import mmap
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from bench.data import SEED
from bench.figures import Figure, Row
from bench.ground import Ground
from bench.lakes import Lake
from howdah.client import Client

__all__ = ["ROWS"]

MIB = 1 << 20
_PIECE = 8 * MIB
_INSERTED = 100
_BOUNDED = 1 << 30  # what a file's range and node take whatever its size is too much for less


class Edited:
    """The big file with bytes inserted; any number of versions in the memory of their insertions."""

    def __init__(self, source: Path) -> None:
        with open(source, "rb") as file:
            self._whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self._parts: list[memoryview] = [self._whole]
        self.size = len(self._whole)

    def insert(self, place: int, data: bytes) -> None:
        """Put `data` before the byte that is at a place now."""
        at = 0
        for index, part in enumerate(self._parts):
            if at + len(part) >= place:
                self._parts[index : index + 1] = [part[: place - at], memoryview(data), part[place - at :]]
                break
            at += len(part)
        self.size += len(data)

    def pieces(self) -> Iterator[memoryview]:
        """All bytes, in pieces of some MiB."""
        for part in self._parts:
            for begin, end in pairwise([*range(0, len(part), _PIECE), len(part)]):
                yield part[begin:end]


def edits(ground: Ground) -> list[Figure]:
    """100 bytes more in the middle, so often; then as many at places all over the file."""
    count, numbers = ground.scale.edits, random.Random(SEED)
    version = Edited(ground.big_file())
    figures = []
    with ground.fresh_lake("edited") as lake, lake.client() as client:
        client.put_file("edited@master", "/big", version.pieces())
        figures.append(metadata(lake, client, version, "metadata of the first version", at_most=None))
        for where, place, at_most in (
            ("in the middle", lambda: version.size // 2, 1.5 * MIB),
            ("anywhere", lambda: numbers.randrange(version.size), None),
        ):
            sizes = sorted(newly_stored(lake, client, version, place, numbers) for _ in range(count))
            label = f"{count} edits {where}, the most that one stored"
            note = (
                f"{sum(sizes) / len(sizes) / MIB:.2f} MiB on average, the median {sizes[len(sizes) // 2] / MIB:.2f} MiB"
            )
            figures.append(Figure(label, sizes[-1], "bytes", at_most=at_most, note=note))
            bound = 64 if version.size >= _BOUNDED else None
            figures.append(metadata(lake, client, version, f"metadata then, {where}", at_most=bound))
    return figures


def newly_stored(lake: Lake, client: Client, version: Edited, place: Callable[[], int], numbers: random.Random) -> int:
    """Insert bytes and put the file; what all objects grow by."""
    before = lake.object_bytes()
    version.insert(place(), numbers.randbytes(_INSERTED))
    client.put_file("edited@master", "/big", version.pieces())
    return lake.object_bytes() - before


def metadata(lake: Lake, client: Client, version: Edited, label: str, at_most: float | None) -> Figure:
    """What the ranges and nodes of a repo with nothing but this file take, for each 8 MiB."""
    client.create_repo("alone")
    before = lake.object_bytes()
    client.copy_file("edited@master:/big", "alone@master", f"/{label}")
    stored = lake.object_bytes() - before
    client.delete_repo("alone")
    return Figure(label, stored / (version.size / (8 * MIB)), "bytes", at_most=at_most, note=f"{stored:,} bytes in all")


ROWS = [
    Row(
        "edits",
        "put the 2 GiB file 100 times, each time with 100 bytes inserted: newly stored; metadata per 8 MiB",
        "",
        edits,
        long=True,
    ),
]

# SPDX-License-Identifier: Apache-2.0
"""What is put and got, the same in every run: a file that nothing shrinks, a tree of small files, small contents."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

__all__ = ["FILE_BYTES", "FOLDER_FILES", "big_file", "small_content", "small_files", "tree", "words"]

SEED: Final = 20_240_607
FOLDER_FILES: Final = 1_000
FILE_BYTES: Final = 5_500  # of a small file, on average
_BLOCK: Final = 16 << 20
_NOISE: Final = random.Random(SEED).randbytes(1 << 20)


def big_file(path: Path, size: int) -> Path:
    """Write `size` random bytes."""
    source = np.random.default_rng(SEED)
    with open(path, "wb") as file:
        for at in range(0, size, _BLOCK):
            file.write(source.bytes(min(_BLOCK, size - at)))
    return path


def tree(folder: Path, files: int) -> Path:
    """Write files of 1 to 10 KB of words and numbers into folders of 1,000."""
    made: set[Path] = set()
    for number, content in enumerate(small_files(files)):
        below = folder / f"{number // FOLDER_FILES:03d}"
        if below not in made:
            below.mkdir(parents=True)
            made.add(below)
        (below / f"{number % FOLDER_FILES:03d}.txt").write_bytes(content)
    return folder


def small_files(count: int) -> Iterator[bytes]:
    """Contents of 1 to 10 KB, half of them random bytes and half of them text that shrinks."""
    numbers = random.Random(SEED)
    text = words(numbers, 1 << 20)
    for number in range(count):
        size = numbers.randint(1_000, 10_000)
        at = numbers.randrange((1 << 20) - size - 20)
        body = _NOISE if number % 2 else text
        yield b"%012d " % number + body[at : at + size - 13]


def small_content(number: int, version: int = 0) -> bytes:
    """The 1,000 bytes of file `number` of the million; other ones in each version."""
    at = (number * 7919 + version * 104_729) % (len(_NOISE) - 1_000)
    return b"%012d %06d " % (number, version) + _NOISE[at : at + 980]


def words(numbers: random.Random, size: int) -> bytes:
    """Text of about `size` bytes."""
    lexicon = [bytes(numbers.choices(b"abcdefghijklmnopqrstuvwxyz", k=numbers.randint(2, 9))) for _ in range(500)]
    text = bytearray()
    while len(text) < size:
        text += b" ".join(numbers.choices(lexicon, k=10)) + b"\n"
    return bytes(text[:size])

# SPDX-License-Identifier: Apache-2.0
"""Rows about many versions of a folder of files that change a little: how much more than their new bytes is stored.

Programs of others (`bench.peers`) are given the same folder at the same moments, where they are on this machine.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.data import SEED
from bench.figures import Figure, Row
from bench.ground import Ground
from bench.peers import PEERS, Peer, folder_bytes

__all__ = ["ROWS"]

_FILE_BYTES = 5_000_000
_APPENDED = 5  # files that grow in each version
_APPENDED_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Kept:
    """A program of others that takes part: its store, and what it is called."""

    peer: Peer
    program: str
    label: str
    store: Path

    @property
    def size(self) -> int:
        """What its store takes."""
        return folder_bytes(self.store)


def versions(ground: Ground) -> list[Figure]:
    """Put each version of the folder whole; at the end, all that is stored beside all bytes that were ever new."""
    folder = ground.place.fresh("versions")
    folder.mkdir()
    with ground.fresh_lake("versions") as lake:
        empty, unique = lake.stored(), 0
        taking_part = list(others(ground, folder))
        for number, new in enumerate(made(folder, ground.scale.version_files, ground.scale.versions)):
            unique += new
            lake.howdah("put", "file", "versions@master:/", "-r", "-f", folder)
            for kept in taking_part:
                kept.peer.keep(kept.program, kept.store, folder, number)
        stored = lake.stored() - empty
    missing = [peer.name for peer in PEERS if peer.name not in {kept.peer.name for kept in taking_part}]
    note = f"{stored:,} bytes for {unique:,} that were new"
    if missing:
        note += f"; not on this machine, and so not measured: {', '.join(missing)} (--peers installs them)"
    figures = [Figure("howdah", stored / unique, "times", at_most=1.05, note=note)]
    figures += [Figure(kept.label, kept.size / unique, "times", note=f"{kept.size:,} bytes") for kept in taking_part]
    for place in (folder, *(kept.store.parent for kept in taking_part)):
        ground.place.away(place)
    return figures


def others(ground: Ground, folder: Path) -> Iterator[Kept]:
    """The programs of others that are here, or are got because they were asked for; each with an empty store."""
    for peer in PEERS:
        if peer.found() is None and ground.peers:
            ground.say(f"installing {peer.name}")
            peer.install()
        program = peer.found()
        if program is None:
            continue
        above = ground.place.fresh(peer.command)
        above.mkdir()
        kept = Kept(peer, program, peer.label(program), above / "store")
        peer.prepare(program, kept.store, folder)
        yield kept


def made(folder: Path, files: int, count: int) -> Iterator[int]:
    """Make version after version in the folder; the new bytes of each."""
    source, numbers = np.random.default_rng(SEED), random.Random(SEED)
    for number in range(files):
        (folder / f"{number:03d}").write_bytes(source.bytes(_FILE_BYTES))
    yield files * _FILE_BYTES
    for _ in range(count - 1):
        rewritten, *appended = numbers.sample(range(files), 1 + _APPENDED)
        (folder / f"{rewritten:03d}").write_bytes(source.bytes(_FILE_BYTES))
        for number in appended:
            with open(folder / f"{number:03d}", "ab") as file:
                file.write(source.bytes(_APPENDED_BYTES))
        yield _FILE_BYTES + _APPENDED * _APPENDED_BYTES


ROWS = [
    Row(
        "versions",
        "20 versions of 500 MB (each rewrites 1 file of 100 and appends 64 KB to 5 others): stored over unique bytes",
        "git-lfs, DVC, Borg, restic",
        versions,
        long=True,
    ),
]

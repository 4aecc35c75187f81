# SPDX-License-Identifier: Apache-2.0
"""Where what a worker needs for a moment lies: on the disk in its work folder, or in memory beside those of others.

In memory are secrets, and `/pfs` of pipelines that want it there (`transform.memory_volume`). A folder there is named
by the work folder, so that a worker finds what an earlier one with that work folder left when it was killed.
"""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from howdah.storage.local_files import explained

__all__ = ["MEMORY", "left_in_memory", "memory", "prefix", "volume"]

MEMORY: Final = Path("/dev/shm")
_VOLUME: Final = "volume"
_OWNERS_ALONE: Final = 0o700


def memory() -> Path | None:
    """A folder in memory that this user can write; None if there is none."""
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            before, _, behind = line.partition(" - ")
            here = before.split()[4] == str(MEMORY)
            if here and behind.split()[0] == "tmpfs" and stat.S_ISDIR(os.stat(MEMORY).st_mode):
                return MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else None
    return None


def prefix(work: Path) -> str:
    """What the names of all folders begin with that belong to the worker of a work folder."""
    return f"howdah-{hashlib.blake2b(os.fsencode(os.path.realpath(work)), digest_size=8).hexdigest()}-"


def volume(work: Path, *, in_memory: bool) -> Path:
    """The folder below which `/pfs` folders lie: the work folder, or one in memory, which is made if need be.

    Where this machine has no memory to write to, it is the work folder.

    Raises:
        Refused, Unavailable: it cannot be made.
    """
    place = memory() if in_memory else None
    if place is None:
        return work
    made = place / f"{prefix(work)}{_VOLUME}"
    with explained(made):
        made.mkdir(mode=_OWNERS_ALONE, exist_ok=True)
    return made


def left_in_memory(work: Path) -> list[Path]:
    """All that is in memory of the worker of a work folder."""
    place = memory()
    return [] if place is None else list(place.glob(f"{prefix(work)}*"))

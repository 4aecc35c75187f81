# SPDX-License-Identifier: Apache-2.0
"""Copies of objects in a folder of this machine, shared by all its processes: server, workers, clients.

A file is an object under its key, whole or not there: it is written under `tmp/` and renamed. It is not
synced, and nobody vouches for its bytes; whoever reads one proves it by the object's name, as if it came from the store
(`storage.cached_store`). Objects are named by content, so the lakes of one user share the folder.

Reading a file refreshes its time; when there are too many bytes, the files that were read longest ago go. One process
at a time counts them, after it has added a 64th of what is allowed; over nine tenths it makes room down to eight.
"""

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from howdah.model.units import parse_size

__all__ = ["CACHE_BYTES_MAX", "CacheSettings", "DiskCache", "default_cache"]

CACHE_BYTES_MAX: Final = 10 << 30

_SWEEP_SHARE: Final = 64
_FULL_TENTHS: Final = 9
_KEPT_TENTHS: Final = 8
_LARGEST_SHARE: Final = 8  # an object of more than an eighth would push out all others
_LEFTOVER_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """Where copies are kept, and how many bytes of them."""

    folder: Path
    bytes_max: int = CACHE_BYTES_MAX


def default_cache(environment: Mapping[str, str] = os.environ) -> CacheSettings | None:
    """What $HOWDAH_CACHE and $HOWDAH_CACHE_SIZE say; else 10 GiB in this user's cache folder. None for `off` or 0.

    Raises:
        BadRequest: BAD_ARGUMENT: a size that cannot be read; it is written as `20GiB`.
    """
    place = environment.get("HOWDAH_CACHE", "")
    if place == "off":
        return None
    size = environment.get("HOWDAH_CACHE_SIZE", "")
    folder = Path(place).expanduser().absolute() if place else _user_folder(environment)
    bytes_max = parse_size(size) if size else CACHE_BYTES_MAX
    return CacheSettings(folder, bytes_max) if bytes_max else None


def _user_folder(environment: Mapping[str, str]) -> Path:
    """Where programs of this user keep what they can get again."""
    if folder := environment.get("XDG_CACHE_HOME"):
        return Path(folder) / "howdah"
    home = Path.home()
    return home / "Library" / "Caches" / "howdah" if sys.platform == "darwin" else home / ".cache" / "howdah"


class DiskCache:
    """Keeps copies while there is room. Nothing here ever fails: a disk that does is a cache without the object.

    May be shared by threads, and the folder by processes.
    """

    def __init__(self, settings: CacheSettings) -> None:
        self._objects = settings.folder / "objects"
        self._temporary = settings.folder / "tmp"
        self._lock_file = settings.folder / "lock"
        self._bytes_max = settings.bytes_max
        self._lock = threading.Lock()
        # Bytes that this process may still add before it counts what is there; guarded by _lock.
        self._allowance = 0
        with suppress(OSError):  # now, so that it can be hidden from user code
            settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def get(self, key: str) -> bytes | None:
        """The bytes of the copy, not proved; None if there is none."""
        try:
            with open(self._objects / key, "rb", buffering=0) as file:
                os.utime(file.fileno())
                return file.readall()
        except OSError:
            return None

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Exactly these bytes of the copy, not proved; None if there is none, or not so many."""
        try:
            with open(self._objects / key, "rb", buffering=0) as file:
                os.utime(file.fileno())
                data = os.pread(file.fileno(), length, start)
        except OSError:
            return None
        return data if len(data) == length else None

    def add(self, key: str, data: bytes) -> None:
        """Keep a copy, unless it is too big; others may have to go."""
        if len(data) > self._bytes_max // _LARGEST_SHARE:
            return
        temporary = self._temporary / os.urandom(12).hex()
        try:
            self._make_room(len(data))
            self._temporary.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary.write_bytes(data)
            place = self._objects / key
            place.parent.mkdir(parents=True, exist_ok=True)
            os.rename(temporary, place)
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)

    def drop(self, key: str) -> bool:
        """Remove the copy; True if there was one."""
        try:
            os.unlink(self._objects / key)
        except OSError:
            return False
        return True

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._allowance -= size
            if self._allowance >= 0:
                return
            self._allowance = self._bytes_max // _SWEEP_SHARE - size
            self._objects.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(self._lock_file, "ab") as lock, suppress(BlockingIOError):  # another process is at it
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._sweep()

    def _sweep(self) -> None:
        """Remove what was read longest ago if there is too much, and what dead writers left."""
        found = sorted(_files(self._objects))
        total = sum(size for _, size, _ in found)
        if total > self._bytes_max * _FULL_TENTHS // 10:
            for _, size, path in found:
                if total <= self._bytes_max * _KEPT_TENTHS // 10:
                    break
                with suppress(OSError):
                    os.unlink(path)
                total -= size
        oldest = time.time() - _LEFTOVER_SECONDS
        for at, _, path in _files(self._temporary):
            if at < oldest:
                with suppress(OSError):
                    os.unlink(path)


def _files(folder: Path) -> Iterator[tuple[float, int, str]]:
    """Time, size and path of each file below a folder that is there all along."""
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                status = os.stat(f"{place}/{name}")
                yield status.st_mtime, status.st_size, f"{place}/{name}"

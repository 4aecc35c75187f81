# SPDX-License-Identifier: Apache-2.0
"""On what it was measured: figures mean nothing without the machine."""

import datetime
import os
import platform
import sqlite3
from importlib import metadata
from pathlib import Path

import numpy as np

__all__ = ["describe", "filesystem", "load", "touch_memory"]

_PAGE = 4096

_PACKAGES = ("howdah", "blake3", "grpcio", "numpy", "pachyderm-sdk", "pyarrow", "pyfastcdc", "SQLAlchemy", "zstandard")


def describe(folder: Path, scale: str) -> dict[str, str]:
    """Facts about this machine and the libraries; `folder` is where everything is written."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _processor(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "system": system,
        "kernel": f"{platform.system()} {platform.release()}",
        "filesystem": filesystem(folder),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES),
        "load at the start": f"{load():.2f}",
        "scale": scale,
    }


def load() -> float:
    """How many processes wanted a core in the last minute."""
    return os.getloadavg()[0]


def touch_memory(size: int) -> None:
    """Use so much memory, or half of what is free, and give it back: what asks for memory next finds it there.

    A virtual machine may give free memory back to its host within seconds, and then waits a second and more for each
    GiB that it uses again. Whoever fills the page cache after a pause would pay for that, and the other side not.
    """
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(fields["MemAvailable"].split()[0]) * 1024
    piece = np.zeros(min(size, free // 2), np.uint8)
    piece[::_PAGE] = 1


def filesystem(folder: Path) -> str:
    """The type of the file system that holds a folder."""
    found, best = "", -1
    place = folder.resolve()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        point = Path(fields[4])
        if (place == point or point in place.parents) and len(point.parts) >= best:
            found, best = fields[fields.index("-") + 1], len(point.parts)
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()

# SPDX-License-Identifier: Apache-2.0
"""What the processes below one process use of this machine, from one reading to the next.

A command that is started for each datum tells what it took when it ends (`nest.Outcome`). One that stays up does not
end, so it is looked at from outside (`batching`): CPU time as the difference of what the whole tree of processes has
had, those that ended included, which their parents are credited with when they wait for them.
"""

import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from howdah.worker.values import Cost

__all__ = ["Meter"]

# How often new processes are looked for. One that was not seen yet is charged when it is, or when it has ended.
LOOK_SECONDS: Final = 0.05
# Looked at one by one; of more, those that are left are charged when they have ended.
PROCESSES_MAX: Final = 64
_READ_BYTES: Final = 4_096
# Where numbers stand in `/proc/<pid>/stat` behind the name, which may hold anything.
_FAULTS, _WAITED_USER, _WAITED_SYSTEM = 7, 13, 14
_SCHEDULED: Final = 2  # of a clock's number: the CPU time of a process, as clock_getcpuclockid makes it
_TICK_NS: Final = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class _Seen:
    """A process that is looked at: its files of `/proc`, open, and its peak of memory after so many page faults."""

    pid: int
    stat: int
    status: int
    faults: int = -1
    memory: int = 0

    def close(self) -> None:
        """Close its files."""
        os.close(self.stat)
        os.close(self.status)


class Meter:
    """Reads what the process `root` and all below it use. For one thread at a time; `close` it.

    Where the system tells nothing, all that is read is 0.
    """

    def __init__(self, root: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._monotonic = monotonic
        # Parents before their children: a child that ends while we read is counted once or not at all, never twice.
        self._seen: dict[int, _Seen] = {}
        self._looked = -math.inf
        self._closed = sys.platform != "linux"
        self._total_ns = 0
        # Whether the last reading was below the one before it, as when a process was just being waited for.
        self._fell = False
        self.read()

    def read(self) -> Cost:
        """What was used since the last reading: CPU time, and the most memory that one of those that live ever had."""
        if self._closed:
            return Cost()
        if self._monotonic() - self._looked >= LOOK_SECONDS:
            self._look()
        total, memory = 0, 0
        for seen in tuple(self._seen.values()):
            try:
                total += _cpu_ns(seen)
            except OSError:  # it has ended
                self._forget(seen.pid)
            else:
                memory = max(memory, seen.memory)
        return Cost(self._since(total) / 1e9, memory)

    def close(self) -> None:
        """Read nothing any more. Repeating is harmless."""
        self._closed = True
        for pid in tuple(self._seen):
            self._forget(pid)

    def _since(self, total: int) -> int:
        """The difference to the last total; a smaller one is believed when it is still so at the next reading."""
        if total >= self._total_ns or self._fell:
            found, self._total_ns, self._fell = max(0, total - self._total_ns), total, False
            return found
        self._fell = True
        return 0

    def _look(self) -> None:
        """See which processes there are now."""
        found = _tree(self._root)
        for pid in self._seen.keys() - found:
            self._forget(pid)
        for pid in found:
            if pid not in self._seen:
                with suppress(OSError):
                    self._seen[pid] = _opened(pid)
        self._looked = self._monotonic()

    def _forget(self, pid: int) -> None:
        self._seen.pop(pid).close()


def _tree(root: int) -> list[int]:
    """A process and those below it, parents first; not all if there are very many."""
    found = [root]
    for pid in found:
        with suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    found += map(int, file.read().split())
        if len(found) >= PROCESSES_MAX:
            break
    return found[:PROCESSES_MAX]


def _opened(pid: int) -> _Seen:
    stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _Seen(pid, stat, os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        os.close(stat)
        raise


def _cpu_ns(seen: _Seen) -> int:
    """The CPU time of a process and of what it waited for; its peak of memory is read again if it may have grown."""
    fields = os.pread(seen.stat, _READ_BYTES, 0).rpartition(b")")[2].split()
    waited = (int(fields[_WAITED_USER]) + int(fields[_WAITED_SYSTEM])) * _TICK_NS
    # Its own time in nanoseconds: the file has hundredths of a second, more than most datums take.
    own = time.clock_gettime_ns(~seen.pid << 3 | _SCHEDULED)
    if (faults := int(fields[_FAULTS])) != seen.faults:
        seen.faults, seen.memory = faults, max(seen.memory, _peak(seen.status))
    return own + waited


def _peak(status: int) -> int:
    """The most memory that a process had, in bytes; 0 for one that has none any more."""
    _, found, rest = os.pread(status, _READ_BYTES, 0).partition(b"\nVmHWM:")
    return int(rest.split(maxsplit=1)[0]) * 1024 if found else 0

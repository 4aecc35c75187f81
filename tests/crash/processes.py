# SPDX-License-Identifier: Apache-2.0
"""Processes of this machine, found by a variable in their environment or by what they were told to work on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GONE_SECONDS = 5.0  # within which all that belonged to a killed process must have ended


@dataclass(frozen=True, order=True)
class Process:
    """A process that lives; `started` tells it from a later one of the same number."""

    pid: int
    group: int
    started: int
    command: str

    @property
    def key(self) -> tuple[int, int]:
        return self.pid, self.started


def marked(mark: str) -> list[Process]:
    """The living processes whose environment has `mark` (NAME=value) in it."""
    return [process for process, variables, _ in _all() if mark.encode() in variables]


def working_on(folder: Path) -> list[Process]:
    """The living processes of which an argument is that folder or a path below it."""
    whole, below = str(folder).encode(), f"{folder}/".encode()
    return [
        process
        for process, _, arguments in _all()
        if any(each == whole or each.startswith(below) for each in arguments)
    ]


def kill_groups(processes: list[Process]) -> None:
    """SIGKILL to the process group of each, from outside."""
    for group in sorted({process.group for process in processes}):
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def wait_until_gone(alive: Callable[[], list[Process]], what: str) -> None:
    """Return when none is left.

    Raises:
        AssertionError: some are still there after some seconds; they are killed, so that nobody else trips over them.
    """
    until = time.monotonic() + GONE_SECONDS
    while left := alive():
        if time.monotonic() > until:
            for process in left:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            raise AssertionError(f"still alive after {GONE_SECONDS:g} s: {what}: {left}")
        time.sleep(0.005)


def _all() -> Iterator[tuple[Process, list[bytes], list[bytes]]]:
    """Every process with its variables and arguments; zombies have neither."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        folder = Path("/proc", entry)
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, IndexError):
            continue  # it ended while we looked, or is another user's
        command = b" ".join(arguments).decode(errors="replace").strip()
        yield Process(int(entry), int(fields[2]), int(fields[19]), command), variables, arguments

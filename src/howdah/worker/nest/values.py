# SPDX-License-Identifier: Apache-2.0
"""What goes into a nest and what comes out: a command, its outcome, and how well it is contained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path

__all__ = ["Command", "ModeName", "Mount", "NestMode", "Outcome"]


@unique
class ModeName(StrEnum):
    """How commands are contained."""

    NAMESPACES = "namespaces"
    FOLDER = "folder"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class NestMode:
    """How commands are contained, and why not better: `reason` is empty with namespaces."""

    name: ModeName
    reason: str = ""


def _ignore(line: bytes) -> None:
    """Drop a line of output."""


@dataclass(frozen=True, slots=True)
class Mount:
    """Files that a command sees in the folder `path`: readable alone, in memory, and gone with the command."""

    path: str
    files: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of user code, and all that it may know.

    `env` is its whole environment but for `PFS`, which the nest adds; in a container also what the image sets, and
    HOME. `pfs` lies in the nest's work folder. `cwd` is
    `/` unless the pipeline says otherwise: every host has it, and an image without WORKDIR starts there too; `/pfs`
    would tempt code to write by relative paths where a container of the same pipeline would not. `user` is whose the
    process is, by numbers of user, group and all groups; None for this one's. `on_output` is called
    in the thread that runs the command, with each line of stdout and stderr in their order, without its newline.
    `mounts` need namespaces. `port` is one of this machine's loopback that the command must reach by the same number.
    """

    argv: tuple[str, ...]
    pfs: Path
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    cwd: str = "/"
    timeout: float | None = None
    user: tuple[int, int, tuple[int, ...]] | None = None
    on_output: Callable[[bytes], None] = _ignore
    mounts: tuple[Mount, ...] = ()
    port: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended; everything that it had started was dead by then.

    `exit_code` is that of a shell: 128 + `signal` for a killed command, 127 for one not found, 126 for one that could
    not be executed; for the last two `error` says why in one line, and it is empty otherwise. `cpu_seconds` counts the
    command and the children that it waited for; `memory_max_bytes` is that of the largest single one of them, and
    never below the nest's own 12 MB, which every command is for a moment. `out_of_memory` tells that the system killed
    something of it because its memory limit was reached; `lost` why what ran the command is gone with it.
    """

    exit_code: int
    signal: int | None
    timed_out: bool
    cancelled: bool
    seconds: float
    cpu_seconds: float
    memory_max_bytes: int
    error: str
    out_of_memory: bool = False
    lost: str = ""

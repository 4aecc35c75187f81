# SPDX-License-Identifier: Apache-2.0
"""Where commands run: in namespaces of their own, or merely in a folder.

A ground does three things for `keeper`: it shows a command its folder, it kills everything that the command
started, and it takes the folder away. `Namespaces` is contained by the kernel; `Folder` is the best that
can be done without, by the process group and by adopting orphans.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import Final, Protocol

from . import kernel, root
from .mounts import Mounts

__all__ = ["Folder", "Ground", "Namespaces"]

# What programs of a root user keep: what container engines leave, without making device nodes. Above all not
# SYS_ADMIN, SYS_PTRACE and DAC_READ_SEARCH, by which the hidden folders could be uncovered or read past.
_CAPABILITIES_KEPT: Final = (
    0,  # CHOWN
    1,  # DAC_OVERRIDE
    3,  # FOWNER
    4,  # FSETID
    5,  # KILL
    6,  # SETGID
    7,  # SETUID
    8,  # SETPCAP
    10,  # NET_BIND_SERVICE
    13,  # NET_RAW
    18,  # SYS_CHROOT
    29,  # AUDIT_WRITE
    31,  # SETFCAP
)


class Ground(Protocol):
    """How commands are contained. One command at a time."""

    def show(self, pfs: bytes) -> None:
        """Make the folder `pfs`, relative to the work folder, the one the next command works in."""

    def add(self, path: bytes, files: dict[bytes, bytes], owner: tuple[int, int]) -> None:
        """Show the next command these files in the folder `path` as well; they are its user's, or for -1 ours."""

    def kill(self, leader: int) -> None:
        """Kill the command `leader` and everything it started, without waiting."""

    def reap(self, leader: int) -> None:
        """Kill what the command `leader`, dead and reaped, left behind; return when all of it is gone."""

    def hide(self) -> None:
        """Undo `show` and `add`."""


class Namespaces:
    """The inside of a pid namespace whose first process we are, and of a root with a `/pfs`."""

    def __init__(self) -> None:
        """Settle in: call it in the first process of a pid namespace, after `root.build`, once."""
        if os.getpid() != 1:
            # kill(-1) is said below; outside a namespace that would be every process of this user.
            raise RuntimeError("not the first process of a pid namespace")
        root.mount_proc()
        self._work = os.open(root.PFS, os.O_RDONLY | os.O_DIRECTORY)
        kernel.keep_capabilities(_CAPABILITIES_KEPT)
        kernel.become_unreadable()
        self._mounts = Mounts()

    def show(self, pfs: bytes) -> None:
        """Bind the folder on `/pfs`. It is found from inside the work folder, which no path leads to."""
        os.fchdir(self._work)
        kernel.mount(pfs, root.PFS, None, kernel.MS_BIND)

    def add(self, path: bytes, files: dict[bytes, bytes], owner: tuple[int, int]) -> None:
        """Mount them."""
        self._mounts.add(path, files, owner)

    def kill(self, leader: int) -> None:  # noqa: ARG002 - the namespace is the command's alone
        """Kill all of the namespace but ourselves; no fork escapes, the kernel does it under one lock."""
        with suppress(ProcessLookupError):  # nobody left, as after most commands
            os.kill(-1, signal.SIGKILL)

    def reap(self, leader: int) -> None:
        """Kill the rest, then wait for the last of it: orphans here are all our children."""
        self.kill(leader)
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return

    def hide(self) -> None:
        """Unbind `/pfs` and what was added, even if something of it is still in use; empty `/dev/shm`."""
        os.chdir(b"/")
        self._mounts.clear()
        kernel.umount(root.PFS, kernel.MNT_DETACH)
        root.empty_memory()


class Folder:
    """The host as it is. The worker has pointed the command's words to the folder; nothing is hidden."""

    def __init__(self) -> None:
        """Settle in: on Linux orphans of commands become our children from now on."""
        if sys.platform == "linux":
            kernel.adopt_orphans()

    def show(self, pfs: bytes) -> None:
        """Nothing: the words already say where it is."""

    def add(self, path: bytes, files: dict[bytes, bytes], owner: tuple[int, int]) -> None:  # noqa: ARG002 - it cannot be done
        """Refuse: the worker never asks for it. A folder of the host would show them to everybody."""
        raise OSError(0, "it needs namespaces")

    def kill(self, leader: int) -> None:
        """Kill the command's process group, and every child that we have adopted."""
        with suppress(ProcessLookupError, PermissionError):  # all gone; macOS says EPERM of a group of zombies
            os.killpg(leader, signal.SIGKILL)
        for child in _children():
            with suppress(PermissionError):  # it changed its user
                os.kill(child, signal.SIGKILL)

    def reap(self, leader: int) -> None:
        """Kill what is left, generation after generation, until we have no child.

        A grandchild in a session of its own becomes our child when its parent dies, so each death can bring
        new ones. Where orphans go to init instead (macOS), one that left the group is not found.
        """
        while True:
            self.kill(leader)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return

    def hide(self) -> None:
        """Leave the command's folder, so that it can be removed."""
        os.chdir(b"/")


def _children() -> list[int]:
    """List our children, zombies too, by /proc; none where there is no such thing."""
    ours: list[int] = []
    if sys.platform != "linux":
        return ours
    try:
        # After most commands there is no child: learnt without reading /proc, and without reaping one.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return ours
    for name in os.listdir("/proc"):
        # Whoever died since it was listed is not there any more.
        with suppress(FileNotFoundError, ProcessLookupError):
            if name.isdigit() and _parent(name) == os.getpid():
                ours.append(int(name))
    return ours


def _parent(pid: str) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        # pid (name) state parent ...; the name may hold anything, so look behind its end
        return int(file.read().rpartition(b")")[2].split()[1])

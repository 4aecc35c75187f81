# SPDX-License-Identifier: Apache-2.0
"""The few Linux calls that the standard library of Python 3.11 does not have, as functions that raise OSError.

Who may call what, and in which order, is told in `ground`.
"""

import ctypes
import os
import sys
from collections.abc import Iterable
from typing import Final

__all__ = [
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "MNT_DETACH",
    "MS_BIND",
    "MS_NODEV",
    "MS_NOEXEC",
    "MS_NOSUID",
    "MS_RDONLY",
    "MS_REC",
    "MS_REMOUNT",
    "MS_SLAVE",
    "MS_UNBINDABLE",
    "adopt_orphans",
    "become_unreadable",
    "keep_capabilities",
    "mount",
    "pivot_root",
    "signal_on_parent_death",
    "umount",
    "unshare",
]

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000

MS_RDONLY: Final = 0x1
MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_REMOUNT: Final = 0x20
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_UNBINDABLE: Final = 0x20000
MS_SLAVE: Final = 0x80000
MNT_DETACH: Final = 0x2

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_READ: Final = 23
_PR_CAPBSET_DROP: Final = 24
_PR_SET_CHILD_SUBREAPER: Final = 36
_CAPABILITIES_MAX: Final = 64  # the kernel's own sets are 64 bits wide

_libc: Final = ctypes.CDLL(None, use_errno=True)
if sys.platform == "linux":  # elsewhere this module may be imported, but none of it called
    _libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
    _libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the parent's namespaces of these kinds."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: bytes | None, target: bytes, kind: bytes | None, flags: int, options: bytes | None = None) -> None:
    """Mount, bind, remount or change propagation, as mount(2)."""
    _check(_libc.mount(source, target, kind, flags, options), f"mount on {os.fsdecode(target)}")


def umount(target: bytes, flags: int = 0) -> None:
    """Unmount the topmost mount on `target`."""
    _check(_libc.umount2(target, flags), f"unmount {os.fsdecode(target)}")


def pivot_root(new: bytes, old: bytes) -> None:
    """Make `new` the root of this mount namespace, and put the present root on `old`."""
    _check(_libc.pivot_root(new, old), "pivot_root")


def signal_on_parent_death(number: int) -> None:
    """Have this signal sent to us when the *thread* that made us ends; forgotten when credentials change."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl pdeathsig")


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, in place of init."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl subreaper")


def become_unreadable() -> None:
    """Keep others of the same user out of our /proc entry (environment, root, descriptors) and memory."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl dumpable")


def keep_capabilities(kept: Iterable[int]) -> None:
    """Bound what programs executed from here can ever hold. Our own capabilities stay until we execute."""
    wanted = frozenset(kept)
    for capability in range(_CAPABILITIES_MAX):
        if _libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) < 0:
            return  # beyond the last capability of this kernel
        if capability not in wanted:
            _check(_libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0), "prctl capbset")

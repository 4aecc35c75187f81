# SPDX-License-Identifier: Apache-2.0
"""Build the file tree that user code sees: the host's own, with `/pfs` added and some folders hidden.

Nothing is written on the host's root. A small tmpfs becomes the new root; every top-level entry of the host is
bound into it, with what is mounted below; `/pfs` is one more folder. Everything happens in a mount
namespace of our own, whose mounts receive what the host mounts later and pass nothing back, so the host
can still unmount a disk and never sees a mount of ours.
"""

import os
from contextlib import suppress

from . import kernel

__all__ = ["PFS", "build", "cover_with_copy", "empty_memory", "mount_proc"]

PFS = b"/pfs"

_MEMORY = b"/dev/shm"
_TMPFS_OPTIONS = b"mode=0755,size=1m"  # it holds empty mount points and links, and is made read-only


def build(work: bytes, hidden: list[bytes]) -> None:
    """Make the new root and move into it. Call it in a mount namespace of one's own; no way back.

    `work`, the folder that holds the commands' `/pfs` folders, is mounted on `/pfs` itself: there each
    command's folder is bound over it, so user code never sees it. At its own path it is hidden, as `hidden` are.

    Raises:
        OSError: the kernel or its rules do not allow it; the process should end.
    """
    kernel.mount(None, b"/", None, kernel.MS_REC | kernel.MS_SLAVE)
    work_fd = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    # The new root needs some folder to be mounted on before it is the root. `work` is the one that is surely
    # ours; unbindable, or binding the top-level entry that holds `work` would copy the new root into itself.
    kernel.mount(b"tmpfs", work, b"tmpfs", kernel.MS_NOSUID, _TMPFS_OPTIONS)
    kernel.mount(None, work, None, kernel.MS_UNBINDABLE)
    for entry in os.scandir(b"/"):
        if entry.path == work:
            os.mkdir(work + work)  # it cannot be bound any more, and is hidden anyway
        elif entry.path != PFS:
            _bring(entry, work)
    os.mkdir(work + PFS)
    os.fchdir(work_fd)  # "." is the folder below the tmpfs; its path is the tmpfs
    kernel.mount(b".", work + PFS, None, kernel.MS_BIND)
    os.close(work_fd)
    for path in sorted({work, *hidden}, reverse=True):  # what lies deeper first: afterwards it has no path
        _cover(work + path)
    _own_memory(work + os.path.realpath(_MEMORY))
    os.chdir(work)
    kernel.mount(None, b".", None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID | kernel.MS_RDONLY)
    # Old root on top of the new one, then gone: no folder for it is needed (pivot_root(2)).
    kernel.pivot_root(b".", b".")
    kernel.umount(b".", kernel.MNT_DETACH)
    os.chdir(b"/")


def mount_proc() -> None:
    """Show the processes of our own pid namespace in `/proc`; needs a process inside it.

    Where the kernel refuses (a container that covers parts of its own `/proc`), the host's stays. It
    shows more names then, but opens nothing: another process's root and memory are not ours to trace.
    """
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    with suppress(PermissionError):
        kernel.mount(b"proc", b"/proc", b"proc", flags)


def empty_memory() -> None:
    """Have nothing in `/dev/shm`, for the next command; needs the new root."""
    with suppress(FileNotFoundError):
        if os.listdir(_MEMORY):
            kernel.umount(os.path.realpath(_MEMORY), kernel.MNT_DETACH)
            _own_memory(os.path.realpath(_MEMORY))


def cover_with_copy(folder: bytes) -> None:
    """Put a folder that we may write over one of the host, with all that is in that one. Changes our current folder.

    What the host adds to its first level from now on is not seen; what lies deeper is the host's own.
    """
    below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        kernel.mount(b"tmpfs", folder, b"tmpfs", kernel.MS_NOSUID, _TMPFS_OPTIONS)
        try:
            os.fchdir(below)
            for entry in os.scandir(b"."):
                _bring(entry, folder)
        except BaseException:
            kernel.umount(folder, kernel.MNT_DETACH)
            raise
    finally:
        os.close(below)


def _bring(entry: "os.DirEntry[bytes]", new_root: bytes) -> None:
    target = new_root + b"/" + entry.name
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), target)
        return
    if entry.is_dir():
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    # Removed since it was listed: the empty mount point says the same. Or we may not even pass through it: then
    # user code could not have used it either.
    with suppress(FileNotFoundError, PermissionError):
        kernel.mount(entry.path, target, None, kernel.MS_BIND | kernel.MS_REC)


def _own_memory(place: bytes) -> None:
    """Give the commands a `/dev/shm` of their own: in the host's lie secrets and files of other workers' datums."""
    if os.path.isdir(place):
        kernel.mount(b"tmpfs", place, b"tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, b"mode=1777")


def _cover(target: bytes) -> None:
    if not os.path.isdir(target):
        kernel.mount(b"/dev/null", target, None, kernel.MS_BIND)
        return
    kernel.mount(b"tmpfs", target, b"tmpfs", kernel.MS_NOSUID, b"mode=0555,size=4k")
    kernel.mount(None, target, None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NOSUID | kernel.MS_RDONLY)

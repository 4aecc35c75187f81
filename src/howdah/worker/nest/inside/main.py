# SPDX-License-Identifier: Apache-2.0
"""The nest's process from its start to its end.

With namespaces there are two processes. The outer one, the worker's child, leaves its namespaces and builds the
new root; the inner one is the first of the new pid namespace and runs the commands. When the inner one ends,
for whatever reason, the kernel kills all that is left in the namespace. It ends when the worker's socket
does, and when the outer one dies; the outer one dies with the worker.
"""

import errno
import os
import signal
import socket
import sys
from collections.abc import Callable

from . import frames, kernel, root
from .ground import Folder, Namespaces
from .keeper import Keeper

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Serve one worker: `arguments` are socket, worker's pid, "namespaces" or "folder", work folder, hidden ones.

    Answers READY, or REFUSED with the reason and ends, if the ground cannot be made.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker, who ends us in order
    descriptor, worker, mode, *paths = arguments
    os.set_inheritable(int(descriptor), False)  # a command that held it could answer in our name
    channel = frames.Channel(socket.socket(fileno=int(descriptor)))
    if mode == "folder":
        # Not by an exception: one that came while the last command's processes are being killed would spare some.
        _end_with(int(worker), channel.shut)
        _serve(channel, Folder())
        return
    try:
        if sys.platform != "linux":
            raise OSError(0, f"{sys.platform} has no namespaces")
        work, *hidden = map(os.fsencode, paths)
        _leave_namespaces()
        root.build(work, hidden)
    except OSError as error:
        channel.send(frames.REFUSED, _reason(error))
        return
    _end_with(int(worker), sys.exit)
    _split(channel)


def _split(channel: frames.Channel) -> None:
    """Fork the inner process; as the outer one, wait for it."""
    outer, alive = os.pipe()  # held open by the outer process alone: tells the inner one whether it lives
    pid = os.fork()
    if pid:
        channel.close()  # or the worker would not see the inner one's end
        os.close(outer)
        os.waitpid(pid, 0)
        return
    os.close(alive)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)  # ignored would be inherited by commands
    kernel.signal_on_parent_death(signal.SIGKILL)
    os.set_blocking(outer, False)
    if _is_closed(outer):
        return  # the outer one died before the line above
    try:
        ground = Namespaces()
    except OSError as error:
        channel.send(frames.REFUSED, _reason(error))
        return
    _serve(channel, ground)


def _serve(channel: frames.Channel, ground: Folder | Namespaces) -> None:
    keeper = Keeper(channel, ground)
    channel.send(frames.READY, b"")
    keeper.serve()


def _leave_namespaces() -> None:
    """Take mount and pid namespaces; if only a user namespace gives the right to it, that as well.

    Its user and group are mapped to themselves, so files of user code belong to the worker's user.
    """
    inner = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
    try:
        kernel.unshare(inner)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        kernel.unshare(inner | kernel.CLONE_NEWUSER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")


def _end_with(worker: int, end: Callable[[], object]) -> None:
    """Call `end` when the worker dies, though it be by SIGKILL, and though a copy of its socket lives on elsewhere.

    The kernel tells the death of the parent's *thread*. A worker may start its nest from any thread, so the
    signal only makes us look whether the whole process is gone.
    """

    def look(*_: object) -> None:
        if os.getppid() != worker:
            end()

    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, look)
        kernel.signal_on_parent_death(signal.SIGUSR1)
    look()


def _is_closed(pipe: int) -> bool:
    try:
        return os.read(pipe, 1) == b""
    except BlockingIOError:
        return False


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _reason(error: OSError) -> bytes:
    text = str(error.args[1] if len(error.args) > 1 else error).lower()
    if error.errno == errno.ENOSPC:
        text += " (the limit user.max_user_namespaces is reached, or zero)"
    elif error.errno in (errno.EPERM, errno.EACCES):
        text += " (this user may not; see kernel.apparmor_restrict_unprivileged_userns, or the container's profile)"
    return text.encode("utf-8", "surrogateescape")

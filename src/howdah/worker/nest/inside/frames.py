# SPDX-License-Identifier: Apache-2.0
"""The talk between a worker and its nest: frames with a length and a kind, over a Unix stream socket.

Words of a command go as bytes joined by NUL, which no word can hold: nothing is parsed or escaped, and no
import costs start-up time. Descriptors travel beside the first byte of a RUN frame.
"""

import binascii
import os
import socket
import struct
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

__all__ = [
    "CANCEL",
    "ENDED",
    "READY",
    "REFUSED",
    "RUN",
    "Channel",
    "Ended",
    "Frame",
    "Run",
    "cancel_number",
    "pack_cancel",
]

RUN: Final = 1  # worker to nest: run this; stdin and output descriptors come along
CANCEL: Final = 2  # worker to nest: kill the run of this number, if it still runs
READY: Final = 3  # nest to worker, once: commands can be run
REFUSED: Final = 4  # nest to worker, once: it cannot be done here, and why; the nest is gone
ENDED: Final = 5  # nest to worker: the run is over and everything that it started is dead

_HEAD: Final = struct.Struct("!IB")
_RUN: Final = struct.Struct("!IdII")
_CANCEL: Final = struct.Struct("!I")
_ENDED: Final = struct.Struct("!IHB??ddQ")
_READ_BYTES: Final = 65_536  # a usual request (argv and some fifty variables) arrives in one read
_FDS_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Run:
    """One command, as the nest needs it. `pfs` is relative to the nest's work folder.

    `user` has numbers with commas between them: user, group, all groups. It is empty for the nest's own user.
    """

    number: int
    cwd: bytes
    pfs: bytes
    argv: tuple[bytes, ...]
    env: dict[bytes, bytes]
    timeout: float | None
    user: bytes = b""
    # Folders, and the files that are shown in them, which are secrets.
    mounts: tuple[tuple[bytes, dict[bytes, bytes]], ...] = field(default=(), repr=False)

    def pack(self) -> bytes:
        """Make the body of a RUN frame; no word may hold a NUL, files may."""
        mounted = [word for path, files in self.mounts for word in (path, b"%d" % len(files), *_file_words(files))]
        words = [
            self.cwd,
            self.pfs,
            self.user,
            *mounted,
            *self.argv,
            *(name + b"=" + value for name, value in self.env.items()),
        ]
        timeout = -1.0 if self.timeout is None else self.timeout
        return _RUN.pack(self.number, timeout, len(self.mounts), len(self.argv)) + b"\0".join(words)

    @classmethod
    def unpack(cls, body: bytes) -> "Run":
        """Read what `pack` made."""
        number, timeout, mountc, argc = _RUN.unpack_from(body)
        cwd, pfs, user, *rest = body[_RUN.size :].split(b"\0")
        words = iter(rest)
        mounts = []
        for _ in range(mountc):
            path, count = next(words), int(next(words))
            mounts.append((path, {next(words): binascii.a2b_base64(next(words)) for _ in range(count)}))
        argv = tuple(islice(words, argc))
        env = {}
        for word in words:
            name, _, value = word.partition(b"=")
            env[name] = value
        return cls(number, cwd, pfs, argv, env, None if timeout < 0 else timeout, user, tuple(mounts))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. `error` is not empty only if the command could not be started."""

    number: int
    exit_code: int
    signal: int
    timed_out: bool
    cancelled: bool
    seconds: float
    cpu_seconds: float
    memory_max_bytes: int
    error: str

    def pack(self) -> bytes:
        """Make the body of an ENDED frame."""
        fixed = _ENDED.pack(
            self.number,
            self.exit_code,
            self.signal,
            self.timed_out,
            self.cancelled,
            self.seconds,
            self.cpu_seconds,
            self.memory_max_bytes,
        )
        return fixed + self.error.encode("utf-8", "surrogateescape")

    @classmethod
    def unpack(cls, body: bytes) -> "Ended":
        """Read what `pack` made."""
        values: tuple[Any, ...] = (*_ENDED.unpack_from(body), body[_ENDED.size :].decode("utf-8", "replace"))
        return cls(*values)


def _file_words(files: dict[bytes, bytes]) -> list[bytes]:
    """Name and content of each, the content in base64, which has no NUL."""
    return [word for name, data in files.items() for word in (name, binascii.b2a_base64(data, newline=False))]


def pack_cancel(number: int) -> bytes:
    """Make the body of a CANCEL frame for the run of this number."""
    return _CANCEL.pack(number)


def cancel_number(body: bytes) -> int:
    """Tell which run a CANCEL frame is about."""
    number: int = _CANCEL.unpack(body)[0]
    return number


@dataclass(frozen=True, slots=True)
class Frame:
    """One received frame; the receiver owns `fds` and closes them."""

    kind: int
    body: bytes
    fds: tuple[int, ...]


class Channel:
    """One end of the socket. Sending and receiving may be done by two threads, each by one at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._unread = b""
        # Descriptors that came with bytes not yet handed out as a frame.
        self._fds: list[int] = []

    def fileno(self) -> int:
        """Tell the descriptor, to poll on. Only true between frames: see `receive`."""
        return self._socket.fileno()

    def send(self, kind: int, body: bytes, fds: tuple[int, ...] = ()) -> None:
        """Send one frame whole. Raises OSError when the other end is gone."""
        data = _HEAD.pack(len(body), kind) + body
        beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
        sent = self._socket.sendmsg([data], beside)
        if sent < len(data):
            self._socket.sendall(data[sent:])

    def receive(self) -> Frame | None:
        """Wait for the next frame; None when the other end is gone.

        The talk is question and answer, and a CANCEL is the only frame that can stand behind another: a frame
        already read but not asked for is seen by `pending`, not by poll.
        """
        while len(self._unread) < _HEAD.size or len(self._unread) < self._frame_size():
            if not self._read():
                return None
        size = self._frame_size()
        kind = self._unread[4]
        body, self._unread = self._unread[_HEAD.size : size], self._unread[size:]
        fds: tuple[int, ...] = ()
        if kind == RUN:
            fds, self._fds = tuple(self._fds), []
        return Frame(kind, body, fds)

    def pending(self) -> bool:
        """Tell whether bytes were read that `receive` has not handed out."""
        return bool(self._unread)

    def shut(self) -> None:
        """Tell the other end, and a thread of ours that waits here, that this is the end. Repeating is harmless."""
        with suppress(OSError):  # the other end was faster
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptor back. Repeating is harmless."""
        self._socket.close()

    def _frame_size(self) -> int:
        length: int = _HEAD.unpack_from(self._unread)[0]
        return _HEAD.size + length

    def _read(self) -> bool:
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            data, beside, _, _ = self._socket.recvmsg(_READ_BYTES, socket.CMSG_SPACE(_FDS_MAX * 4), flags)
        except ConnectionError:
            return False
        for level, kind, payload in beside:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds = array("i")
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
                self._fds.extend(fds)
        if not flags:
            for fd in self._fds:
                os.set_inheritable(fd, False)
        self._unread += data
        return bool(data)

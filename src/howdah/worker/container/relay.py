# SPDX-License-Identifier: Apache-2.0
"""A port of this machine's loopback, reached from within a container that may have no network at all.

In there busybox listens on the same port and hands each connection to a script, which copies it to and from two pipes
if it comes from within the container; here a thread copies between the pipes and the real port. Connections take turns:
for each the thread puts a line into a third pipe, and who reads it has the other two.
"""

import os
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Relay", "relay_script"]

_NAMES: Final = ("up", "down", "turn")
_PIECE_BYTES: Final = 65_536
_LOOK_MS: Final = 200  # between two looks whether it is closed
# All pipes are opened before there is a child: its end would interrupt a shell that waits for a pipe's other end. It is
# `dd` that copies, since `cat` would have the kernel do it, which locks a pipe while it waits for a socket.
_SCRIPT: Final = """\
busybox=/.howdah/busybox
exec 3<&0
number=$("$busybox" readlink /proc/self/fd/3)
number=${number#socket:[}
case $("$busybox" grep -h " ${number%]} " /proc/net/tcp /proc/net/tcp6 2>/dev/null) in
*0100007F:*) ;;
*) exit 1 ;; # another container of the same network
esac
"$busybox" dd bs=1 count=1 </.howdah/turn >/dev/null 2>&1
exec 4>/.howdah/up
exec 5</.howdah/down
"$busybox" dd bs=64k <&3 >&4 5<&- 2>/dev/null &
exec 4>&-
"$busybox" dd bs=64k <&5 5<&- 2>/dev/null
kill $! 2>/dev/null
"""


def relay_script(port: int) -> str:
    """The words that have a port listened to in a container, in the background; nothing for no port.

    They end when it is listened to, for who asks too early is refused; at the latest after a second.
    """
    if not port:
        return ""
    return f"""\
/.howdah/busybox nc -ll -p {port} -e /.howdah/busybox sh /.howdah/relay </dev/null >/dev/null 2>&1 &
tries=0
until /.howdah/busybox grep -q ":{port:04X} 0*:0000 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null; do
    [ "$((tries += 1))" -gt 200 ] && break
    /.howdah/busybox usleep 5000
done
"""


class Relay:
    """Carries connections to one port while one command runs, from when it is made until it is closed."""

    def __init__(self, tools: Path, port: int) -> None:
        """`tools` is the folder that is `/.howdah` in the container; pipes of an earlier one are replaced."""
        self._tools = tools
        self._port = port
        self._closed = threading.Event()
        (tools / "relay").write_text(_SCRIPT)
        os.chmod(tools / "relay", 0o644)
        for name in _NAMES:
            with suppress(FileNotFoundError):
                os.unlink(tools / name)
            os.mkfifo(tools / name)
            os.chmod(tools / name, 0o666)
        self._turn = os.open(tools / "turn", os.O_RDWR | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Carry nothing any more; return when all is closed."""
        self._closed.set()
        while self._thread.is_alive():
            # If the thread waits for the other end of a pipe, it has that now.
            for name, way in (("up", os.O_WRONLY), ("down", os.O_RDONLY)):
                with suppress(OSError):
                    os.close(os.open(self._tools / name, way | os.O_NONBLOCK))
            self._thread.join(0.01)
        os.close(self._turn)

    def _run(self) -> None:
        while not self._closed.is_set():
            with suppress(OSError):
                os.write(self._turn, b"\n")
                with open(self._tools / "up", "rb", 0) as up, open(self._tools / "down", "wb", 0) as down:
                    if not self._closed.is_set():
                        self._carry(up.fileno(), down.fileno())

    def _carry(self, up: int, down: int) -> None:
        """Copy in both directions until the server has closed, as it does when the other side has."""
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            poll = select.poll()
            for fd in (up, server.fileno()):
                poll.register(fd, select.POLLIN)
            while not self._closed.is_set():
                for fd, _ in poll.poll(_LOOK_MS):
                    data = os.read(fd, _PIECE_BYTES)
                    if fd == up and not data:  # no more questions, but there may be answers
                        poll.unregister(up)
                        server.shutdown(socket.SHUT_WR)
                    elif fd == up:
                        server.sendall(data)
                    elif data:
                        _write(down, data)
                    else:
                        return


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]

# SPDX-License-Identifier: Apache-2.0
"""Servers as users start them, one process each, and the command as users type it."""

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from howdah.client import Client

__all__ = ["HOWDAH", "Lake", "memory_of", "process_tree"]

HOWDAH: Final = str(Path(sys.executable).parent / "howdah")
"""The command that belongs to the Python which runs this."""

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0


class Lake:
    """A server on free ports over a root folder. `start` and `stop` it as often as you like."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""
        self._log = root.with_name(root.name + ".log")

    @classmethod
    @contextmanager
    def running(cls, root: Path, *options: str) -> Iterator["Lake"]:
        """A server that runs inside the block, with more options of its command."""
        lake = cls(root, *options)
        lake.start()
        try:
            yield lake
        finally:
            lake.stop()

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def start(self) -> float:
        """Start the process; the seconds until it says that it is ready."""
        grpc, http_port = _free_port(), _free_port()
        self.address = f"127.0.0.1:{grpc}"
        command = [HOWDAH, "server", "--root", str(self.root), *self._options]
        command += ["--grpc", self.address, "--http", f"127.0.0.1:{http_port}"]
        begin = time.perf_counter()
        with open(self._log, "ab") as log:
            # A group of its own: what the server leaves behind can be ended with it.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        while not _ready(http_port):
            if self._process.poll() is not None or time.perf_counter() - begin > _READY_SECONDS:
                raise RuntimeError(f"the server did not get ready: {self._tail()}")
            time.sleep(0.005)
        return time.perf_counter() - begin

    def stop(self) -> None:
        """End the process as a user would; whatever is left of it after that is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"the server of {self.root.name} did not stop; killed", file=sys.stderr)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart(self) -> float:
        """Stop and start; the seconds until it was ready."""
        self.stop()
        return self.start()

    def client(self, *, direct: bool | None = None) -> Client:
        """A new client of ours."""
        return Client(self.address) if direct is None else Client(self.address, direct=direct)

    def howdah(self, *arguments: str | Path) -> str:
        """Run the command to its end; what it printed.

        Raises:
            RuntimeError: it ended badly; with what it said.
        """
        done = subprocess.run(
            [HOWDAH, *map(str, arguments)],
            env=os.environ | {"HOWDAH_ADDRESS": self.address},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"howdah {' '.join(map(str, arguments))}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def stored(self) -> int:
        """Bytes of all objects and of the database, the part of it included that is in its log still."""
        return self.object_bytes() + self.database_bytes()

    def object_bytes(self) -> int:
        """Bytes of all objects of the store."""
        return sum(size for size, _ in self.objects())

    def objects(self) -> Iterator[tuple[int, int]]:
        """Size and time of writing (nanoseconds) of every object."""
        folders = [self.root / "lake"]
        while folders:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    else:
                        status = entry.stat()
                        yield status.st_size, status.st_mtime_ns

    def database_bytes(self) -> int:
        """What the database takes when its log is folded in: its pages."""
        with sqlite3.connect(f"file:{self.root / 'metadata.db'}?mode=ro", uri=True) as database:
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            (size,) = database.execute("PRAGMA page_size").fetchone()
        database.close()
        return int(pages) * int(size)

    def _tail(self) -> str:
        return self._log.read_text(errors="replace").strip()[-600:]


def process_tree(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    for parent in found:
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
            for task in tasks:
                found += map(int, Path(f"/proc/{parent}/task/{task}/children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def memory_of(pid: int) -> int:
    """Resident bytes of one process; 0 if it is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

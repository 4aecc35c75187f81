# SPDX-License-Identifier: Apache-2.0
"""A real `howdah server` with its workers, to be killed from outside."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.crash.processes import Process, kill_groups, marked, wait_until_gone, working_on

READY_SECONDS = 30.0  # reached only when a start hangs
FAILPOINT_SECONDS = 20.0

ALL, SERVER, WORKERS, STOP = "server and workers", "server", "workers", "SIGTERM to server"


class KilledServer(Exception):
    """The server was killed before it was ready, as the plan wanted."""


class CrashServer:
    """One run of the server on a lake. `user_mark` is what the environment of all user code has.

    `store` is the URL of the lake's objects, the folder in its root unless given.
    """

    def __init__(self, root: Path, mark: str, user_mark: str, failpoint: str = "", store: str = "") -> None:
        self.address = ""
        self.killed = threading.Event()
        self._user_mark = user_mark
        self._root = root
        self._reached = root.parent / f"{mark}.failpoint"
        self._log = root.parent / "server.log"
        environment = dict(os.environ)
        if failpoint:
            environment |= {"HOWDAH_FAILPOINT": failpoint, "HOWDAH_FAILPOINT_FILE": str(self._reached)}
        command = [sys.executable, "-m", "howdah.cli", "server", "--root", str(root)]
        command += ["--store", store] if store else []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        # As many workers as cores: two, wherever this runs.
        os.sched_setaffinity(self._process.pid, sorted(os.sched_getaffinity(0))[:2])

    def wait_ready(self) -> None:
        """Return when calls are answered; at once if that was so before. Raises KilledServer."""
        if self.address:
            return
        hang = threading.Timer(READY_SECONDS, self._process.kill)
        hang.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        hang.cancel()
        if " grpc " in line:
            self.address = line.partition(" grpc ")[2].partition(",")[0]
        elif self.killed.is_set():
            raise KilledServer
        else:
            raise AssertionError(f"the server did not start, code {self._process.wait()}: {self._last_words()}")

    def has_reached(self) -> str:
        """The failpoint at which a process of this server stands still, and which process; "" if none does."""
        return self._reached.read_text().strip() if self._reached.exists() else ""

    def wait_for_failpoint(self, over: threading.Event) -> str:
        """As `has_reached`, once it has, or "" when it is `over`. Raises AssertionError if that takes too long."""
        until = time.monotonic() + FAILPOINT_SECONDS
        while not (reached := self.has_reached()):
            if over.wait(0.005):
                return ""
            assert time.monotonic() < until, f"no process came to the failpoint within {FAILPOINT_SECONDS:g} s"
        return reached

    def kill(self, whom: str) -> None:
        """SIGKILL to process groups, or for STOP an order to end; return when all that belonged to them has ended."""
        theirs = self.workers()
        workers = [each for each in theirs if "howdah.worker" in each.command.split()]
        if whom == WORKERS:
            users = {each.key for each in marked(self._user_mark)}
            kill_groups(workers)
            wait_until_gone(lambda: sorted({*theirs} & {*self.workers()}), "workers and their nests")
            wait_until_gone(
                lambda: [each for each in marked(self._user_mark) if each.key in users], "user code of killed workers"
            )
            return
        self.killed.set()
        if whom == STOP:
            self._process.terminate()
            assert self._process.wait(READY_SECONDS) == 0, self._last_words()
        else:
            own = Process(self._process.pid, self._process.pid, 0, "server")
            kill_groups([own, *workers] if whom == ALL else [own])
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        wait_until_gone(self.workers, "workers and nests of a server that has ended")
        wait_until_gone(lambda: marked(self._user_mark), "user code of a server that has ended")

    def workers(self) -> list[Process]:
        """All processes of this server but itself: workers, and what they run commands with."""
        return [each for each in working_on(self._root) if each.pid != self._process.pid]

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2_000:]

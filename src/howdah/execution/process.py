# SPDX-License-Identifier: Apache-2.0
"""Workers as processes of this machine: started once, kept warm, replaced when they die.

What a worker is, the caller says: a command. Each gets a session of its own, so that it can be killed with all
its group, and a pipe as standard input of which this process alone holds the other end: its end is the worker's.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from howdah.errors import ErrorKind, Refused

__all__ = ["ProcessPool"]

GRACE_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 30.0
HEALTHY_SECONDS: Final = 10.0  # a worker that ran so long did not die of how it was started

_log = logging.getLogger(__name__)


class ProcessPool:
    """Runs `command(worker_id)` for each worker; ids are `<name>-1`, `<name>-2`, and so on. An `Execution`.

    A worker's standard error is this process's. `ended` is told the id of a worker that ended by itself, before another
    takes its place. `pause` waits that many seconds or until its event is set.
    """

    def __init__(
        self,
        command: Callable[[str], Sequence[str]],
        *,
        name: str = "worker",
        grace_seconds: float = GRACE_SECONDS,
        ended: Callable[[str], object] = lambda _: None,
        pause: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._command = command
        self._name = name
        self._grace_seconds = grace_seconds
        self._ended = ended
        self._pause = pause
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        # Guarded by _lock: a keeper for each worker, and the processes that they have running.
        self._keepers: list[threading.Thread] = []
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, workers: int) -> None:
        """Have that many workers run, each kept by a thread. See `Execution`."""
        with self._lock:
            if self._stopped.is_set():
                raise Refused(ErrorKind.BAD_MOVE, "the pool of workers was stopped; make another")
            for number in range(len(self._keepers) + 1, workers + 1):
                worker_id = f"{self._name}-{number}"
                keeper = threading.Thread(target=self._keep, args=(worker_id,), name=f"keep-{worker_id}", daemon=True)
                self._keepers.append(keeper)
                keeper.start()

    def stop(self) -> None:
        """SIGTERM to each worker; after some seconds SIGKILL to its process group. See `Execution`."""
        self._stopped.set()
        with self._lock:
            running = list(self._running.values())
            keepers = list(self._keepers)
        for process in running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + self._grace_seconds
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            _kill_group(process)
        for keeper in keepers:
            keeper.join()

    def alive(self) -> int:
        """How many worker processes run. See `Execution`."""
        with self._lock:
            return sum(process.poll() is None for process in self._running.values())

    def _keep(self, worker_id: str) -> None:
        """Start a worker again and again until the pool is stopped."""
        seconds = FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            process = self._spawn(worker_id)
            if process is not None:
                code = process.wait()
                self._forget(worker_id, process)
                _log.log(
                    logging.INFO if self._stopped.is_set() else logging.WARNING,
                    "%s (process %d) ended with code %d",
                    worker_id,
                    process.pid,
                    code,
                )
            if self._stopped.is_set():
                return
            self._tell(worker_id)
            seconds = FIRST_PAUSE_SECONDS if time.monotonic() - began >= HEALTHY_SECONDS else seconds
            self._pause(self._stopped, seconds)
            seconds = min(2 * seconds, LONGEST_PAUSE_SECONDS)

    def _tell(self, worker_id: str) -> None:
        try:
            self._ended(worker_id)
        except Exception:  # the next worker must come whatever becomes of the last one's work
            _log.exception("the end of %s could not be told", worker_id)

    def _spawn(self, worker_id: str) -> "subprocess.Popen[bytes] | None":
        with self._lock:  # so that `stop` sees every process, or none is started after it
            if self._stopped.is_set():
                return None
            try:
                process = subprocess.Popen(
                    self._command(worker_id),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                _log.error("%s cannot be started: %s", worker_id, error)
                return None
            self._running[worker_id] = process
            return process

    def _forget(self, worker_id: str, process: "subprocess.Popen[bytes]") -> None:
        _kill_group(process)
        with self._lock:
            del self._running[worker_id]
        if process.stdin is not None:
            process.stdin.close()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of a worker's session: its process group has the worker's own number."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)

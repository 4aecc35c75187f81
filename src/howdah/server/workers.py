# SPDX-License-Identifier: Apache-2.0
"""The server's own workers: started when there is work for the first time, and warm from then on.

What runs them is an `howdah.execution` pool; what a worker is, is said here: a process of `howdah.worker` with a
folder of its own below the lake's root, from which all of that root is hidden from user code.
"""

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from howdah.db.engine import Database
from howdah.db.events import Event
from howdah.execution.pool import Execution
from howdah.pps.pps import Pps
from howdah.pps.subjects import WORK
from howdah.storage.disk_cache import CacheSettings

__all__ = ["WORKERS_NAME", "ContainerWords", "Workers", "worker_command"]

WORKERS_NAME: Final = "workers"

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ContainerWords:
    """What workers are told of containers: the engine, the network, and the label that says whose they are.

    And if it is so, where the static shell is, and that containers can write `/pfs` and `/tmp` alone.
    """

    engine: str
    network: str
    owner: str
    shell: str = ""
    read_only: bool = False

    def words(self) -> list[str]:
        """The options of a worker."""
        more = (["--shell", self.shell] if self.shell else []) + (["--read-only"] if self.read_only else [])
        return ["--engine", self.engine, "--network", self.network, "--owner", self.owner, *more]


def worker_command(
    root: Path,
    server: str,
    cache: CacheSettings | None = None,
    hidden: Sequence[Path] = (),
    *,
    datum_bytes_max: int | None = None,
    containers: ContainerWords | None = None,
) -> Callable[[str], Sequence[str]]:
    """The command of each worker of the lake in `root`, whose server listens at `server`.

    User code sees neither the root nor the `cache`, nor what is `hidden`. A datum prints at most `datum_bytes_max`
    bytes into the logs. `containers` says where claims that name an image run.
    """
    near = [] if cache is None else ["--cache", str(cache.folder), "--cache-size", str(cache.bytes_max)]
    near += [] if cache is None else ["--hidden", str(cache.folder)]
    near += [word for path in hidden for word in ("--hidden", str(path))]
    near += [] if datum_bytes_max is None else ["--logs-datum-max", str(datum_bytes_max)]

    near += [] if containers is None else containers.words()

    def command(worker_id: str) -> Sequence[str]:
        work = root / WORKERS_NAME / worker_id
        options = ["--server", server, "--work", str(work), "--id", worker_id, "--hidden", str(root), *near]
        return [sys.executable, "-m", "howdah.worker", *options]

    return command


class Workers:
    """Has `count` workers run from the first pipeline on."""

    def __init__(self, execution: Execution, db: Database, pps: Pps, count: int) -> None:
        self._execution = execution
        self._db = db
        self._pps = pps
        self._count = count
        self._lock = threading.Lock()
        # Guarded by the lock, so that nothing is started after the stop.
        self._running = False
        self._stopped = False
        self._forget: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Start them as soon as there is a pipeline; at once if there is one."""
        if self._count == 0:
            return
        self._forget = self._db.on_commit(self._hear)
        if self._pps.pipelines.any_there():
            self._run()

    def stop(self) -> None:
        """End them and all that they started; return when they are gone. Repeating it does nothing."""
        self._forget()
        with self._lock:
            self._stopped = True
        self._execution.stop()

    def _hear(self, events: list[Event]) -> None:
        if not self._running and any(event.subject == WORK or _is_new_pipeline(event) for event in events):
            self._run()

    def _run(self) -> None:
        with self._lock:
            if self._running or self._stopped:
                return
            self._running = True
            self._execution.start(self._count)
        _log.info("%d workers start", self._count)


def _is_new_pipeline(event: Event) -> bool:
    return event.kind == "created" and event.subject.startswith("pipeline/")

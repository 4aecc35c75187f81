# SPDX-License-Identifier: Apache-2.0
"""The worker's life: claim a datum set, run its datums, hand in, claim the next.

One thread runs commands. Beside it, threads make the next datums ready (`prefetch`), hand in what the last ones made
(`results`), send logs (`logs`) and keep claims alive (`renewal`). The next set is claimed while the end of the last
one is still being handed in.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Final

from howdah.errors import ErrorKind, HowdahError
from howdah.kit import fail
from howdah.kit.clock import Clock
from howdah.storage.storage import Storage
from howdah.worker.attempts import Attempts
from howdah.worker.backoff import delays
from howdah.worker.batching import Batching
from howdah.worker.folders import Folders
from howdah.worker.link import Link
from howdah.worker.logs import DATUM_BYTES_MAX, Logs
from howdah.worker.materialise import Materialiser
from howdah.worker.prefetch import prefetched
from howdah.worker.renewal import Renewals
from howdah.worker.results import Results
from howdah.worker.runner import Runner
from howdah.worker.secrets import Mask
from howdah.worker.todo import datums
from howdah.worker.values import Held

__all__ = ["Worker"]

# Between one failure to reach the server or the store and the next try.
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


class Worker:
    """Works for one server until it is stopped. `run` is for one thread, `stop` for any other.

    `link`, `runner` and `folders` are the caller's, who closes them afterwards. `open_storage` opens the lake's store;
    it is asked again after each loss of the server, since that may come back with another lake.
    """

    def __init__(
        self,
        link: Link,
        runner: Runner,
        folders: Folders,
        open_storage: Callable[[], Storage],
        clock: Clock,
        *,
        logs_datum_max: int = DATUM_BYTES_MAX,
    ) -> None:
        self._link = link
        self._runner = runner
        self._folders = folders
        self._open_storage = open_storage
        self._clock = clock
        self._logs_datum_max = logs_datum_max
        self._batching = Batching(runner, folders)
        self._lock = threading.Lock()
        # The claim whose datums run now, and what takes their results; guarded by _lock.
        self._held: Held | None = None
        self._results: Results | None = None
        self._stopped = threading.Event()
        self._pauses = delays(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    def run(self) -> None:
        """Work until `stop`. What goes wrong meanwhile (no server, no store) is logged, waited out, and tried again."""
        logs = Logs(self._link.append_logs, datum_bytes_max=self._logs_datum_max)
        renewals = Renewals(self._link.renew, self._clock, self._link.watch)
        renewals.start()
        try:
            while not self._stopped.is_set():
                try:
                    with self._open_storage() as storage:
                        self._serve(storage, logs, renewals)
                except HowdahError as error:
                    if not self._stopped.is_set():
                        _log.warning("%s", error.message)
                    self._stopped.wait(next(self._pauses))
        finally:
            self._batching.close()
            logs.close()
            renewals.close()

    def stop(self) -> None:
        """Stop working: kill the command that runs, hand in what is done, have `run` return. Repeating is harmless."""
        self._stopped.set()
        self._link.stop_claiming()
        with self._lock:
            held, results = self._held, self._results
        if results is not None:
            results.stop()
        if held is not None:
            held.leave()

    def _serve(self, storage: Storage, logs: Logs, renewals: Renewals) -> None:
        """Do claim after claim from one store, until something goes wrong or the worker is stopped."""
        results = Results(
            storage,
            self._folders,
            self._link.hand_in,
            before=logs.flush,
            after=lambda held: self._let_go(held, renewals),
            containment=self._runner.containment,
        )
        with closing(results):
            with self._lock:
                self._results = results
            while not self._stopped.is_set():
                claim = self._link.claim()
                if claim is not None:
                    fail.here("worker.claimed")
                    held = Held(claim)
                    renewals.keep(held, self._clock.monotonic())
                    held.when_over(logs.wake)
                    self._do(held, storage, logs, results)
                self._pauses = delays(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)

    def _do(self, held: Held, storage: Storage, logs: Logs, results: Results) -> None:
        """Do one claim; if that is impossible it is given up for lost."""
        with self._lock:
            self._held = held
        held.when_over(lambda: self._cancel(held))
        if self._stopped.is_set():
            held.leave()
        whole = False
        try:
            whole = self._run_all(held, storage, logs, results)
        except HowdahError as error:
            if error.kind is not ErrorKind.NO_ENGINE:
                held.lose()
                raise
            _log.warning("%s", error.message)
            held.refuse(error.message)
        finally:
            with self._lock:
                self._held = None
            self._batching.rest()
            self._runner.rest()
            results.end(held, whole=whole)

    def _run_all(self, held: Held, storage: Storage, logs: Logs, results: Results) -> bool:
        """Run all datums of a claim; tell whether that was all of them."""
        claim = held.claim
        mask = Mask(claim.secrets)
        materialiser = Materialiser(storage, claim)

        def say(datum_id: str, line: str | bytes) -> None:
            logs.add(held, datum_id, mask(line))

        attempts = Attempts(
            held,
            self._folders,
            materialiser,
            run=lambda command: self._runner.run(held, command),
            say=say,
            way=self._batching.way(held, materialiser, say),
            stage=lambda: self._runner.stage(claim),
        )
        made_ready = prefetched(datums(storage, claim), self._folders, Materialiser(storage, claim))
        with closing(made_ready):
            for ready in made_ready:
                ran = attempts.run(ready)
                if ran is None:
                    return False
                fail.here("worker.ran")
                results.add(held, ran)
        return True

    def _let_go(self, held: Held, renewals: Renewals) -> None:
        """Nothing more of a claim will be handed in."""
        if held.refusal and not held.lost:
            try:
                self._link.give_back(held.claim, held.refusal)
            except HowdahError as error:  # it runs out by itself
                _log.warning("%s", error.message)
        renewals.drop(held)

    def _cancel(self, held: Held) -> None:
        """Kill the command of a claim that is over; not that of the next one."""
        with self._lock:
            if self._held is held:
                self._runner.cancel()

# SPDX-License-Identifier: Apache-2.0
"""The tries of one datum: run its command until it succeeds, as often as the pipeline allows.

Each try has a folder of its own with fresh inputs and an empty `out`, so nothing that a failed try left or spoilt is
seen by the next. A try that failed and was recovered from (see `tries`) is the last one. Between tries there is a pause
that grows, for what failed because something was busy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from howdah.errors import ErrorKind, HowdahError
from howdah.worker.backoff import delays
from howdah.worker.commands import Commands
from howdah.worker.folders import Folders
from howdah.worker.logs import ErrorLine
from howdah.worker.materialise import Materialiser
from howdah.worker.nest import Command, Outcome
from howdah.worker.prefetch import Ready, make_ready
from howdah.worker.tries import OneEach, Say, Tried, Way, is_full
from howdah.worker.values import NO_COST, Cost, Datum, Held

__all__ = ["Attempts", "Ran", "failure_text"]

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A datum whose tries are over. `folder` is that of the try that succeeded; without one, `reason` says why.

    `began_ns` is a moment of the coarse real-time clock before that try. `recovered` tells that the recovery command
    dealt with the failure; `moved` that the worker moved the inputs' folders since `began_ns`.
    `cost` is that of all tries.
    """

    datum: Datum
    folder: str
    began_ns: int
    reason: str
    tries: int
    download_seconds: float
    download_bytes: int
    process_seconds: float
    cost: Cost = NO_COST
    recovered: bool = False
    moved: bool = False


def failure_text(held: Held, datum: Datum, what: str) -> str:
    """Why a datum failed, and where its logs are."""
    return f"datum {datum.id} {what}; logs: howdah logs -j {held.claim.job} --datum {datum.id}"


class Attempts:
    """Runs the datums of one claim, one at a time. `run` is a `Runner`'s; `say` takes lines of the job's log."""

    def __init__(
        self,
        held: Held,
        folders: Folders,
        materialiser: Materialiser,
        run: Callable[[Command], Outcome | None],
        say: Say,
        pause: Callable[[float], bool] | None = None,
        *,
        way: Way | None = None,
        stage: Callable[[], str | None] | None = None,
    ) -> None:
        """`pause` waits so many seconds between tries and tells whether the claim is over; `held` does unless told.

        `way` makes the tries; unless told, each starts the command anew, with its files in `stage` (`OneEach`).
        """
        self._held = held
        self._tries = max(1, held.claim.spec.datum_tries)
        self._debug = held.claim.spec.transform.debug
        self._folders = folders
        self._materialiser = materialiser
        self._say = say
        self._pause = pause or held.pause
        self._way = way or OneEach(Commands(held.claim), materialiser, run, say, stage)

    def run(self, ready: Ready) -> Ran | None:
        """Try until it succeeds or the tries are used up; None if the claim is over meanwhile.

        Raises:
            Refused, Unavailable: no command can be run any more.
        """
        datum = ready.datum
        download = process = 0.0
        cost = Cost()
        pauses = delays(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        self._say(datum.id, f"datum started: {datum.described}")
        for attempt in range(1, self._tries + 1):
            if attempt > 1 or _met_full_disk(ready):
                ready = make_ready(datum, self._folders, self._materialiser)
            self._say_more(ready)
            download += ready.seconds
            try:
                tried = self._try(ready)
            except HowdahError:
                self._take_back(ready)
                raise
            process += tried.seconds
            cost += tried.cost
            size = ready.size + tried.fed_bytes
            if tried.what or self._held.over:
                self._take_back(ready)
            if self._held.over:
                return None
            if not tried.what:
                self._say(datum.id, f"datum finished in {tried.seconds:.3f} s{_told(tried.cost)}")
                began = tried.began_ns
                return Ran(datum, ready.folder, began, "", attempt, download, size, process, cost, moved=tried.moved)
            what = f"{tried.what} on attempt {attempt} of {self._tries}"
            self._say(datum.id, ErrorLine(f"datum {what}"))
            if tried.recovered:
                self._say(datum.id, "datum recovered: err_cmd succeeded, so the job goes on without its output")
            if tried.recovered or attempt == self._tries:
                break
            if self._pause(next(pauses)):
                return None
        reason = failure_text(self._held, datum, what)
        return Ran(datum, "", 0, reason, attempt, download, size, process, cost, recovered=tried.recovered)

    def _try(self, ready: Ready) -> Tried:
        """Make one try of what is ready."""
        if ready.error is not None:
            return Tried(f"has no inputs: {ready.error.message}")
        return self._way.run(ready)

    def _take_back(self, ready: Ready) -> None:
        """Clean a folder that nobody collects; at once if it fills the disk, for what comes next needs room, too."""
        if not ready.folder:
            return
        full = is_full(ready.folder)
        self._folders.discard(ready.folder)
        if full:
            self._folders.settle()

    def _say_more(self, ready: Ready) -> None:
        """For a pipeline with `debug`: what a try begins with."""
        if self._debug and ready.error is None:
            lazy = f", {len(ready.pipes)} files when they are read" if ready.pipes else ""
            self._say(ready.datum.id, f"inputs: {ready.size} bytes in {ready.seconds:.3f} s{lazy}")


def _met_full_disk(ready: Ready) -> bool:
    """Whether there was no room for the inputs. What a failed datum before it wrote is gone by now: that was no try."""
    return ready.error is not None and ready.error.kind is ErrorKind.NO_SPACE


def _told(cost: Cost) -> str:
    """What a command took of this machine, as the end of a line."""
    if cost == NO_COST:
        return ""
    return f" ({cost.cpu_seconds:.3f} s of CPU, at most {cost.memory_max_bytes / 1e6:.0f} MB in one process)"

# SPDX-License-Identifier: Apache-2.0
"""The tries of one datum: run its command until it succeeds, as often as the pipeline allows.

Each try has a folder of its own with fresh inputs and an empty `out`, so nothing that a failed try left or spoilt is
seen by the next. Between tries there is a pause that grows, for what failed because something was busy.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from howdah.errors import BadRequest
from howdah.worker.backoff import delays
from howdah.worker.environment import datum_variables, standing_variables, stdin_bytes
from howdah.worker.folders import Folders
from howdah.worker.logs import ErrorLine
from howdah.worker.materialise import Materialiser
from howdah.worker.nest import Command, Outcome
from howdah.worker.prefetch import Ready, make_ready
from howdah.worker.secrets import mounts
from howdah.worker.values import Datum, Held

__all__ = ["Attempts", "Ran", "failure_text"]

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0

Say = Callable[[str, str | bytes], None]
"""Takes a datum's id and a line: text is the worker's, bytes are user code's."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A datum whose tries are over. `folder` is that of the try that succeeded; without one, `reason` says why.

    `began_ns` is a moment of the coarse real-time clock before that try.
    """

    datum: Datum
    folder: str
    began_ns: int
    reason: str
    tries: int
    download_seconds: float
    download_bytes: int
    process_seconds: float


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
    ) -> None:
        """`pause` waits so many seconds between tries and tells whether the claim is over; `held` does unless told."""
        self._held = held
        self._spec = held.claim.spec
        self._folders = folders
        self._materialiser = materialiser
        self._run = run
        self._say = say
        self._pause = pause or held.pause
        self._variables = standing_variables(held.claim)
        self._stdin = stdin_bytes(self._spec.transform.stdin)
        self._mounts = mounts(held.claim.secrets)
        timeout = self._spec.datum_timeout
        self._timeout = timeout.total_seconds() if timeout else None
        self._accepted = {0, *self._spec.transform.accept_return_code}

    def run(self, ready: Ready) -> Ran | None:
        """Try until it succeeds or the tries are used up; None if the claim is over meanwhile.

        Raises:
            Unavailable: no command can be run any more.
        """
        datum = ready.datum
        tries = max(1, self._spec.datum_tries)
        download = process = 0.0
        pauses = delays(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        self._say(datum.id, "datum started: " + ", ".join(f"/pfs/{m.name}{m.path}" for m in datum.inputs))
        for attempt in range(1, tries + 1):
            if attempt > 1:
                ready = make_ready(datum, self._folders, self._materialiser)
            download += ready.seconds
            began_ns = _coarse_now_ns()
            what, seconds = self._try(ready)
            process += seconds
            if ready.folder and (what or self._held.over):
                self._folders.discard(ready.folder)
            if self._held.over:
                return None
            if not what:
                self._say(datum.id, f"datum finished in {seconds:.3f} s")
                return Ran(datum, ready.folder, began_ns, "", attempt, download, ready.size, process)
            what += f" on attempt {attempt} of {tries}"
            self._say(datum.id, ErrorLine(f"datum {what}"))
            if attempt < tries and self._pause(next(pauses)):
                return None
        return Ran(datum, "", 0, failure_text(self._held, datum, what), tries, download, ready.size, process)

    def _try(self, ready: Ready) -> tuple[str, float]:
        """Run the command once: what was wrong with it, nothing if it succeeded, and its seconds."""
        if ready.error is not None:
            return f"has no inputs: {ready.error.message}", 0.0
        try:
            outcome = self._run(self._command(ready))
        except BadRequest as error:  # the nest names the word of the command that nobody can run
            return f"cannot be run: {error.message}", 0.0
        if outcome is None:
            return "was killed together with the process that runs commands; has this machine enough memory?", 0.0
        return self._judge(outcome), outcome.seconds

    def _judge(self, outcome: Outcome) -> str:
        if outcome.timed_out:
            return f"exceeded its time limit of {self._timeout:g} s (datum_timeout)"
        if outcome.error:
            return f"could not start its command: {outcome.error}"
        if outcome.exit_code in self._accepted and not outcome.cancelled:
            return ""
        if outcome.signal is not None:
            return f"failed: its command was killed by signal {outcome.signal}"
        return f"failed: its command exited with code {outcome.exit_code}"

    def _command(self, ready: Ready) -> Command:
        datum_id = ready.datum.id
        transform = self._spec.transform
        return Command(
            argv=transform.cmd,
            pfs=Path(ready.folder),
            env={**self._variables, **datum_variables(self._held.claim, ready.datum)},
            stdin=self._stdin,
            cwd=transform.working_dir or "/",
            timeout=self._timeout,
            on_output=lambda line: self._say(datum_id, line),
            mounts=self._mounts,
        )


def _coarse_now_ns() -> int:
    """The clock that file systems stamp changes with, where there is one to be read; else the beginning of time."""
    clock = getattr(time, "CLOCK_REALTIME_COARSE", None)
    return 0 if clock is None else time.clock_gettime_ns(clock)

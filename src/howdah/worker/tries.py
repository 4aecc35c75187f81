# SPDX-License-Identifier: Apache-2.0
"""One try of a datum: its command is run in its folder, and if that fails the recovery command in the same folder.

`OneEach` starts a command for each datum. `batching` has a way for commands that stay up. Which try follows which
is said in `attempts`.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from howdah.errors import BadRequest
from howdah.worker.commands import Commands
from howdah.worker.nest import Command, Outcome
from howdah.worker.pipes import Fed, Source, feeding
from howdah.worker.prefetch import Ready
from howdah.worker.values import NO_COST, Cost

__all__ = ["OneEach", "Say", "Tried", "Way", "coarse_now_ns", "is_full", "missed", "recover"]

# CLOCK_REALTIME_COARSE of Linux, for which Python has no name.
_REALTIME_COARSE: Final = 5
_FULL_BYTES: Final = 65_536

Say = Callable[[str, str | bytes], None]
"""Takes a datum's id and a line: text is the worker's, bytes are user code's."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try. `what` was wrong with it, nothing if it succeeded; `recovered` if that was handled.

    `began_ns` is a moment of the coarse real-time clock before the command had the datum. `moved` tells that the
    worker itself moved the inputs' folders since then; `missed` that it could not give all that was to be read.
    `cost` is that of the command and of the recovery command.
    """

    what: str
    seconds: float = 0.0
    began_ns: int = 0
    fed_bytes: int = 0
    recovered: bool = False
    moved: bool = False
    cost: Cost = NO_COST
    missed: bool = False


class Way(Protocol):
    """How a try is made. The files of `ready` are in its own folder before and after."""

    def run(self, ready: Ready) -> Tried:
        """Make one try.

        Raises:
            Unavailable: no command can be run any more.
        """


class OneEach:
    """A command for each try. `run` is a `Runner`'s."""

    def __init__(
        self,
        commands: Commands,
        materialiser: Source,
        run: Callable[[Command], Outcome | None],
        say: Say,
        stage: Callable[[], str | None] | None = None,
    ) -> None:
        """`stage` tells where a datum's files are while its command runs; without it, and for None, they stay."""
        self._commands = commands
        self._materialiser = materialiser
        self._run = run
        self._say = say
        self._stage = stage

    def run(self, ready: Ready) -> Tried:
        """Start the command in the datum's folder and wait for its end. See `Way`."""
        datum_id = ready.datum.id
        try:
            command = self._commands.of_datum(ready.datum, ready.folder, lambda line: self._say(datum_id, line))
            self._commands.hand_over(ready.folder)
            began_ns = coarse_now_ns()
            with feeding(self._materialiser, self._place(ready), ready.pipes) as fed:
                outcome = self._run(command)
        except BadRequest as error:  # the nest, too, names the word of a command that nobody can run
            return Tried(f"cannot be run: {error.message}")
        what = missed(fed) or self._commands.judge(outcome)
        if what and is_full(ready.folder):
            what += ", and the disk of its files is full,"
        seconds = 0.0 if outcome is None else outcome.seconds
        helped, cost = False, _cost(outcome)
        if what and fed.error is None:
            helped, more = recover(self._commands, self._run, self._say, ready, ready.folder)
            cost += more
        return Tried(what, seconds, began_ns, fed.bytes, helped, cost=cost)

    def _place(self, ready: Ready) -> str:
        """Where pipes are to be fed."""
        staged = self._stage() if ready.pipes and self._stage is not None else None
        return staged or ready.folder


def missed(fed: Fed) -> str:
    """What is wrong with a try that was not given all that it wanted to read."""
    return f"has no inputs: {fed.error.message}" if fed.error is not None else ""


def is_full(folder: str) -> bool:
    """Whether no more can be written into a folder, which explains what a command says but badly."""
    with suppress(OSError):
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize < _FULL_BYTES or (found.f_files > 0 and found.f_favail == 0)
    return False


def recover(
    commands: Commands, run: Callable[[Command], Outcome | None], say: Say, ready: Ready, folder: str
) -> tuple[bool, Cost]:
    """Run the recovery command where a try failed; whether there is one and it succeeded, and what it took."""
    datum_id = ready.datum.id
    try:
        command = commands.recovery(ready.datum, folder, lambda line: say(datum_id, line))
        if command is None:
            return False, Cost()
        outcome = run(command)
        if outcome is None:  # the claim is over, most likely
            return False, Cost()
        what = commands.judge(outcome)
    except BadRequest as error:
        what, outcome = f"cannot be run: {error.message}", None
    if what:
        say(datum_id, f"the recovery command (err_cmd) did not help: it {what}")
    return not what, _cost(outcome)


def coarse_now_ns() -> int:
    """The clock that file systems stamp changes with, where there is one to be read; else the beginning of time."""
    if sys.platform != "linux":
        return 0
    try:
        return time.clock_gettime_ns(_REALTIME_COARSE)
    except OSError:
        return 0


def _cost(outcome: Outcome | None) -> Cost:
    """What a command took of this machine."""
    return Cost() if outcome is None else Cost(outcome.cpu_seconds, outcome.memory_max_bytes)

# SPDX-License-Identifier: Apache-2.0
"""Datum batching: the command is started once and asks for one datum after another (`transform.datum_batching`).

The process that is up is kept from one claim of a job to the next, so that what it did at its start (load a model, say)
is done once. It is ended when another pipeline or job comes, or when no claim follows within a moment. It is also ended
when a datum failed: the next try begins in a new one. Everything about files is in `stage`, the talk in `turns`.
"""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from howdah.errors import BadRequest, HowdahError
from howdah.model.texts import printable
from howdah.worker.commands import Commands
from howdah.worker.environment import datum_variables
from howdah.worker.folders import Folders
from howdah.worker.nest import Command, Outcome, point
from howdah.worker.next_datum import PORT_VARIABLE, NextDatumServer
from howdah.worker.pipes import Source, feeding
from howdah.worker.prefetch import Ready
from howdah.worker.runner import Runner
from howdah.worker.stage import Stage
from howdah.worker.tries import Say, Tried, coarse_now_ns, missed, recover
from howdah.worker.turns import Turns
from howdah.worker.values import Claim, Cost, Held

__all__ = ["IDLE_SECONDS", "Batching"]

# How long a process that has no datum is kept for the next claim of its job.
IDLE_SECONDS: Final = 2.0
_KILL_AGAIN_SECONDS: Final = 0.01
_REPORT_MAX: Final = 2_000  # characters of what a command says is wrong; it stands in reasons of datum and job


class Batching:
    """The process of a worker that stays up, if one does. `way` and `rest` are for one thread, `close` for any."""

    def __init__(self, runner: Runner, folders: Folders, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._runner = runner
        self._folders = folders
        self._idle_seconds = idle_seconds
        self._turns = Turns()
        self._server: NextDatumServer | None = None
        # Guards what is below: the idle time may run out while the next claim begins.
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._timer: threading.Timer | None = None

    def way(self, held: Held, materialiser: Source, say: Say) -> "_OneByOne | None":
        """How the tries of a claim are made; None if its pipeline starts a command for each datum.

        A process of another job or pipeline is ended before this returns.

        Raises:
            Unavailable: no port can be had.
        """
        wanted = held.claim.spec.transform.datum_batching
        with self._lock:
            self._stop_timer()
            if self._process is not None and not (wanted and self._process.serves(held.claim)):
                self._end()
        if not wanted:
            return None
        if self._server is None:
            self._server = NextDatumServer(self._turns)
        return _OneByOne(self, self._turns, held, materialiser, say)

    def rest(self) -> None:
        """A claim is over: the process is ended unless another claim of its job follows soon."""
        with self._lock:
            self._stop_timer()
            if self._process is not None:
                self._timer = threading.Timer(self._idle_seconds, self._expire, [self._process])
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """End the process and answer nobody any more."""
        with self._lock:
            self._stop_timer()
            self._end()
        if self._server is not None:
            self._server.close()
            self._server = None

    def process(self, held: Held, commands: Commands, say: Say) -> "_Process":
        """The process that is up, or a new one."""
        with self._lock:
            if self._process is not None and self._process.ended:
                self._end()
            if self._process is None:
                assert self._server is not None
                in_memory = held.claim.spec.transform.memory_volume
                stage = Stage(self._folders, self._runner.stage(held.claim), in_memory=in_memory)
                commands.hand_over(stage.folder)
                self._process = _Process(self._runner, self._turns, held, commands, stage, self._server.port)
            self._process.say = say
            return self._process

    def end_process(self) -> None:
        """End the process that is up, with all that it started."""
        with self._lock:
            self._end()

    def run(self, held: Held, command: Command) -> Outcome | None:
        """Run another command where the process was; none is up."""
        return self._runner.run(held, command)

    def shown(self, claim: Claim, variables: Mapping[str, str], folder: str) -> Mapping[str, str]:
        """Variables as the process must have them: without namespaces or a container `/pfs` is a folder."""
        if self._runner.shows_pfs(claim):
            return variables
        return {name: os.fsdecode(point(os.fsencode(value), os.fsencode(folder))) for name, value in variables.items()}

    def _expire(self, process: "_Process") -> None:
        with self._lock:
            if self._process is process:
                self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Process:
    """A command that stays up, from its start to its end."""

    def __init__(self, runner: Runner, turns: Turns, held: Held, commands: Commands, stage: Stage, port: int) -> None:
        self.stage = stage
        # Takes its lines, for the log of the claim that it works for now; and the datum that they are of.
        self.say: Say = _unheard
        self.datum_id = ""
        self.outcome: Outcome | None = None
        self.error: HowdahError | None = None
        self.ended = False
        self._job = held.claim.job
        self._version = held.claim.pipeline_version
        self._runner = runner
        # Read after each datum; what the process does at its start is charged to the first one.
        self._meter = runner.meter(held.claim)
        self._charged = 0.0
        self._turns = turns
        turns.begin()
        command = commands.standing(
            stage.folder, {PORT_VARIABLE: str(port)}, lambda line: self.say(self.datum_id, line), port
        )

        def run() -> None:
            try:
                self.outcome = runner.run(held, command)
            except HowdahError as error:
                self.error = error
            finally:
                self.ended = True
                turns.wake()

        self._thread = threading.Thread(target=run, name="batching", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Return when what it has printed so far is in the log of its datum."""
        if not self.ended:
            self._runner.drain()

    def serves(self, claim: Claim) -> bool:
        """Whether datums of that claim are for it."""
        return not self.ended and (self._job, self._version) == (claim.job, claim.pipeline_version)

    def cost(self) -> Cost:
        """What it took since the last call, at first since its start; of memory the most that it had until now."""
        ended = self.outcome  # which says it better than can be seen from outside
        if ended is None:
            cost = self._meter.read()
        else:
            cost = Cost(max(0.0, ended.cpu_seconds - self._charged), ended.memory_max_bytes)
        self._charged += cost.cpu_seconds
        return cost

    def end(self) -> None:
        """Kill it, unless it is dead, and give its folder back."""
        self.kill()
        self.stage.close()
        self._meter.close()

    def kill(self) -> None:
        """Kill it with all that it started; return when all of it is dead. Repeating is harmless.

        Its question for a datum is answered afterwards only, or its last words would be of an error.
        """
        while self._thread.is_alive():
            self._runner.cancel()
            self._thread.join(_KILL_AGAIN_SECONDS)
        self._turns.end()


def _unheard(datum_id: str, line: str | bytes) -> None:
    """Drop a line."""


class _OneByOne:
    """The tries of one claim: each datum is given to the process that is up. A `Way`."""

    def __init__(self, batching: Batching, turns: Turns, held: Held, materialiser: Source, say: Say) -> None:
        self._batching = batching
        self._turns = turns
        self._held = held
        self._materialiser = materialiser
        self._say = say
        self._commands = Commands(held.claim)
        held.when_over(turns.wake)

    def run(self, ready: Ready) -> Tried:
        """Give the datum to the process and wait until it is done with it. See `Way`."""
        try:
            process = self._batching.process(self._held, self._commands, self._say)
            process.datum_id = ready.datum.id
            asked = self._turns.wait_asked(lambda: process.ended or self._held.over)
            if self._held.over:
                self._batching.end_process()
                return Tried("")
            return self._run(process, ready, asked=asked)
        except BadRequest as error:
            self._batching.end_process()
            return Tried(f"cannot be run: {error.message}")

    def _run(self, process: "_Process", ready: Ready, *, asked: bool) -> Tried:
        self._commands.hand_over(ready.folder)
        variables = self._batching.shown(
            self._held.claim, datum_variables(self._held.claim, ready.datum), process.stage.folder
        )
        process.stage.put(ready.folder, variables)
        try:
            tried = self._give(process, ready, variables) if asked else Tried(self._why_ended(process))
            helped, more = False, Cost()
            if tried.what or self._held.over:
                process.kill()
            cost = process.cost()
            if tried.what and not (self._held.over or tried.missed):
                helped, more = self._recover(process, ready)
        finally:
            same = process.stage.take(ready.folder)
        if tried.what or self._held.over:
            self._batching.end_process()
        began_ns = tried.began_ns if same else 0
        return replace(tried, began_ns=began_ns, recovered=helped, moved=True, cost=cost + more)

    def _give(self, process: "_Process", ready: Ready, variables: Mapping[str, str]) -> Tried:
        began, began_ns = time.perf_counter(), coarse_now_ns()
        with feeding(self._materialiser, process.stage.folder, ready.pipes) as fed:
            self._turns.give([f"{name}={value}" for name, value in variables.items()])
            report = self._turns.wait_done(lambda: process.ended or self._held.over, self._commands.timeout)
            seconds = time.perf_counter() - began
            what = "" if self._held.over else self._judge(process, report)
            if what:
                process.kill()  # now, or it would see an end of what is not fed any more
            else:
                process.drain()
        return Tried(missed(fed) or what, seconds, began_ns, fed.bytes, missed=fed.error is not None)

    def _judge(self, process: "_Process", report: str | None) -> str:
        if report is not None:
            said = printable(" ".join(report[:_REPORT_MAX].split()))
            return f"failed: its command reported: {said}" if report else ""
        return self._why_ended(process) if process.ended else self._commands.too_long()

    def _why_ended(self, process: "_Process") -> str:
        """What was wrong with a process that ended while there were datums for it.

        Raises:
            Unavailable: no command can be run any more.
        """
        if isinstance(process.error, BadRequest):
            return f"cannot be run: {process.error.message}"
        if process.error is not None:
            raise process.error
        why = "ended by itself; with datum_batching it must ask for datums (NextDatum) until it is killed"
        return self._commands.judge(process.outcome) or f"failed: its command {why}"

    def _recover(self, process: "_Process", ready: Ready) -> tuple[bool, Cost]:
        def run(command: Command) -> Outcome | None:
            return self._batching.run(self._held, command)

        return recover(self._commands, run, self._say, ready, process.stage.folder)

# SPDX-License-Identifier: Apache-2.0
"""One datum run on this machine as a worker runs it: the same folder, variables, user and kind of execution.

Nothing is told to the server and nothing is committed. Where the parts are: `local_datum` finds the datum,
`local_inputs` fetches its files, `local_shell` lets a person type in its place; all else is the worker's own.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from howdah.cli.local_inputs import Fetched
from howdah.errors import BadRequest, ErrorKind, HowdahError
from howdah.model.refs import Job
from howdah.storage.local_files import explained
from howdah.worker.batching import Batching
from howdah.worker.below import discard
from howdah.worker.commands import Commands
from howdah.worker.containers import Containers, ContainerSettings, settings_of
from howdah.worker.folders import OUT, Folders
from howdah.worker.modes import Mode, modes_of
from howdah.worker.nest import Command, Nest, Outcome
from howdah.worker.outputs import Output, outputs
from howdah.worker.prefetch import Ready
from howdah.worker.runner import Runner
from howdah.worker.secrets import Mask
from howdah.worker.tries import OneEach, Tried
from howdah.worker.values import Claim, Datum, Held
from howdah.worker.volumes import volume

if TYPE_CHECKING:
    from howdah.cli.local_datum import Found
    from howdah.client import Client, InputFile
    from howdah.engine.terminals import Terminals

__all__ = ["Box", "LocalRun", "OutputFile", "Scratch", "check_out", "run_once", "run_shell"]


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that user code left in `/pfs/out`."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LocalRun:
    """How a local run ended. `reason` is empty exactly if a worker would have taken the output."""

    datum: str
    job: Job
    execution: str
    containment: str
    image: str
    reason: str
    recovered: bool
    exit_code: int | None
    seconds: float
    cpu_seconds: float
    memory_max_bytes: int
    download_bytes: int
    folder: str
    outputs: tuple[OutputFile, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """In what user code runs: an image on an engine, or this machine itself without one."""

    image: str = ""
    network: str = ""
    engine: "Terminals | None" = None

    @property
    def settings(self) -> ContainerSettings:
        """What a worker would be told of containers."""
        return ContainerSettings("", self.network)


class Scratch:
    """A folder of this machine with all that belongs to a local run; `pfs` is what user code sees as `/pfs`."""

    def __init__(self, claim: Claim, datum: Datum) -> None:
        """
        Raises:
            Refused, Unavailable: it cannot be made.
        """
        self.path = Path(tempfile.mkdtemp(prefix="howdah-run-"))
        self.claim = claim
        self.datum = datum
        self.folders = Folders(self.path, reuse=False)
        self.pfs = self.folders.new(
            [match.name for match in datum.inputs], in_memory=claim.spec.transform.memory_volume
        )

    @property
    def volume(self) -> Path:
        """The folder below which `pfs` lies, on disk or in memory as the pipeline wants it."""
        return volume(self.path, in_memory=self.claim.spec.transform.memory_volume)

    def keep(self, to: str | None) -> str:
        """Leave the output, in a new folder if one is named, but never in memory. Where it is.

        In another folder than that of the run links are files, as in a commit.

        Raises:
            Refused, Unavailable: it cannot be written there; then it stays where it was.
        """
        out = f"{self.pfs}/{OUT}"
        if to is None and self.volume == self.path:
            return out
        kept = to or str(self.path / OUT)
        self._copy(out, kept)
        if to is None:
            self.folders.close()
        else:
            self.remove()
        return kept

    def _copy(self, out: str, to: str) -> None:
        """Put what is in the folder `out`, or what a commit would have of it, into the folder `to`."""
        try:
            found = list(self.outputs())
        except HowdahError:  # what no repo can hold is still somebody's work
            found = []
        with explained(to, writing=True):
            os.makedirs(to, exist_ok=True)
            for each in found:
                os.makedirs(os.path.dirname(to + each.path), exist_ok=True)
                if not each.pipe:
                    shutil.copyfile(f"{self.pfs}/{each.below}", to + each.path)
            if not found:
                for name in os.listdir(out):
                    shutil.move(f"{out}/{name}", f"{to}/{name}")

    def outputs(self) -> Iterator[Output]:
        """What a worker would commit.

        Raises:
            BadRequest: BAD_PATH: it would not, since no repo can hold that.
        """
        lazy = {name for name, mode in modes_of(self.claim.spec).items() if mode is Mode.PIPES}
        return outputs(self.pfs, lazy)

    def remove(self) -> None:
        """Have nothing of it left."""
        self.folders.close()
        discard(str(self.path))


def check_out(to: str) -> None:
    """Refuse a folder for output that has something in it.

    Raises:
        BadRequest: BAD_PATH.
    """
    if os.path.lexists(to) and (not os.path.isdir(to) or os.listdir(to)):
        raise BadRequest(ErrorKind.BAD_PATH, f"{to} is there and is no empty folder; remove it, or name another")


def run_once(
    client: "Client", found: "Found", scratch: Scratch, named: "list[tuple[str, InputFile]]", box: Box
) -> LocalRun:
    """Fetch the inputs, run the command, and see what came of it; its lines go to standard error as they come.

    Raises:
        NotFound, Damaged, Refused, Unavailable: inputs cannot be had, or nothing can be run.
    """
    fetched, claim = Fetched(client, scratch.claim.spec, named), scratch.claim
    size = fetched.prepare(scratch.pfs)
    ready = Ready(scratch.datum, scratch.pfs, size, 0.0, pipes=tuple(fetched.pipes))
    with closing(_Runner(scratch, box)) as runner:
        tried = _tried(runner, scratch, fetched, ready)
    refused, files = _output(scratch)
    last = runner.outcomes[0] if runner.outcomes else None
    stays = claim.spec.transform.datum_batching  # then its end is ours, and no answer
    return LocalRun(
        datum=scratch.datum.id,
        job=found.job.job,
        execution="process" if box.engine is None else "container",
        containment=runner.containment(claim).rstrip(": "),
        image=box.image,
        reason=tried.what or refused,
        recovered=tried.recovered,
        exit_code=None if last is None or stays else last.exit_code,
        seconds=tried.seconds,
        cpu_seconds=0.0 if last is None else last.cpu_seconds,
        memory_max_bytes=0 if last is None else last.memory_max_bytes,
        download_bytes=size + tried.fed_bytes,
        folder="",
        outputs=files,
    )


def run_shell(
    client: "Client", scratch: Scratch, named: "list[tuple[str, InputFile]]", box: Box, note: Callable[[str], object]
) -> int:
    """Fetch the inputs and let a person type where the command would run; its exit code. Raises as `run_once`."""
    from howdah.cli.local_shell import shell_in_container, shell_in_nest
    from howdah.worker.pipes import feeding

    fetched, claim = Fetched(client, scratch.claim.spec, named), scratch.claim
    fetched.prepare(scratch.pfs)
    commands = Commands(claim)
    command = commands.of_datum(scratch.datum, scratch.pfs, lambda _: None)
    commands.hand_over(scratch.pfs)
    note(f"the command of the pipeline is: {' '.join(claim.spec.transform.cmd)}")
    with feeding(fetched, scratch.pfs, tuple(fetched.pipes)):
        if box.engine is None:
            with Nest.start(scratch.volume) as nest:
                return shell_in_nest(nest, command)
        from howdah.worker.container import find_shell

        return shell_in_container(box.engine, settings_of(claim, box.settings), find_shell(), scratch.path, command)


class _Runner(Runner):
    """A runner that keeps how its commands ended."""

    def __init__(self, scratch: Scratch, box: Box) -> None:
        super().__init__(lambda _: Nest.start(scratch.volume), _containers(scratch, box))
        self.outcomes: list[Outcome] = []

    def run(self, held: Held, command: Command) -> Outcome | None:
        outcome = super().run(held, command)
        if outcome is not None:
            self.outcomes.append(outcome)
        return outcome


def _containers(scratch: Scratch, box: Box) -> Containers | None:
    if (engine := box.engine) is None:
        return None
    from howdah.worker.container import Container

    return Containers(
        lambda settings, mounts, in_memory: Container.start(
            engine, settings, scratch.path, mounts=mounts, in_memory=in_memory
        ),
        box.settings,
    )


def _tried(runner: _Runner, scratch: Scratch, fetched: Fetched, ready: Ready) -> Tried:
    """One try of the datum, in the way of its pipeline."""
    held, mask = Held(scratch.claim), Mask(scratch.claim.secrets)

    def say(_: str, line: str | bytes) -> None:
        shown = mask(line)
        sys.stderr.buffer.write((shown if isinstance(shown, bytes) else shown.encode()) + b"\n")
        sys.stderr.buffer.flush()

    with ExitStack() as stack:
        batching = stack.enter_context(closing(Batching(runner, scratch.folders)))
        way = batching.way(held, fetched, say) or OneEach(
            Commands(scratch.claim),
            fetched,
            lambda command: runner.run(held, command),
            say,
            lambda: runner.stage(scratch.claim),
        )
        return way.run(ready)


def _output(scratch: Scratch) -> tuple[str, tuple[OutputFile, ...]]:
    """What a worker would commit, or why it would not."""
    try:
        return "", tuple(OutputFile(each.path, each.size) for each in scratch.outputs())
    except HowdahError as error:
        return error.message, ()

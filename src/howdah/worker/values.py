# SPDX-License-Identifier: Apache-2.0
"""What a worker passes around: a claim of a datum set, its datums, and what became of each.

Frozen values; `link` makes claims from messages and messages from results, `todo` makes datums. `Held` alone
changes: it is the claim while this worker believes that it has it.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from howdah.model.logs import LogLevel
from howdah.model.names import DEFAULT_BRANCH, DEFAULT_PROJECT
from howdah.model.refs import Job
from howdah.model.spec import PipelineSpec

__all__ = [
    "NO_COST",
    "Claim",
    "ClaimInput",
    "ClaimSecret",
    "Cost",
    "Datum",
    "Held",
    "LogLine",
    "Match",
    "Result",
    "input_key",
    "input_of",
]

_DESCRIBED_MAX: Final = 20  # of a group there may be thousands, and a line of a log is for people


@dataclass(frozen=True, slots=True)
class ClaimInput:
    """One input of a job: its name below `/pfs`, and the fileset of the commit that it reads."""

    name: str
    commit_id: str
    branch: str
    root: bytes


@dataclass(frozen=True, slots=True)
class ClaimSecret:
    """What user code is given beside its datum: `files` in the folder `mount_path`, the variable `env_var`, or both."""

    mount_path: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    env_var: str = ""
    value: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """A datum set that this worker may do: files number `first` to `first + count - 1` of the fileset `todo_root`."""

    set_id: int
    fence: int
    lifetime: float  # seconds without a renewal after which it is somebody else's
    job: Job
    pipeline_version: int
    spec: PipelineSpec
    output_commit_id: str
    inputs: Mapping[str, ClaimInput]  # by name, or by name and branch where inputs share a name: see `input_of`
    todo_root: bytes
    first: int
    count: int
    spec_commit_id: str = ""
    worker_id: str = ""
    secrets: tuple[ClaimSecret, ...] = ()
    image: str = ""  # that user code runs in; without one it is a process of this machine


@dataclass(frozen=True, slots=True)
class Match:
    """What one input gives to a datum: a file, or a directory with all below it (then the path ends in a slash)."""

    name: str
    path: str
    branch: str = ""  # of the input, where its name does not say it: members of a union may share one


def input_key(name: str, branch: str) -> str:
    """The key in `Claim.inputs` of an input that shares its name with another one."""
    return f"{name} {branch}"


def input_of(claim: Claim, name: str, branch: str = "") -> ClaimInput | None:
    """The input of a claim that a match is of; None if there is none."""
    if (found := claim.inputs.get(name)) is not None:
        return found
    return claim.inputs.get(input_key(name, branch or f"{DEFAULT_PROJECT}/{name}@{DEFAULT_BRANCH}"))


@dataclass(frozen=True, slots=True)
class Datum:
    """One unit of work: run the command once with these inputs."""

    id: str
    inputs: tuple[Match, ...]

    @property
    def described(self) -> str:
        """Where its inputs are; the first of many."""
        paths = [f"/pfs/{match.name}{match.path}" for match in self.inputs[:_DESCRIBED_MAX]]
        more = len(self.inputs) - len(paths)
        return ", ".join(paths) + (f" and {more} more" if more else "")


@dataclass(frozen=True, slots=True)
class Cost:
    """What user code took of this machine: CPU time in all, and the most memory of a single process. 0: not known."""

    cpu_seconds: float = 0.0
    memory_max_bytes: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.cpu_seconds + other.cpu_seconds,
            max(self.memory_max_bytes, other.memory_max_bytes),
        )


NO_COST: Final = Cost()
"""Of what did not run, or was not measured."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a datum. `reason` is empty exactly if it succeeded; times are in seconds.

    With `recovered` it failed by `reason`, and the recovery command dealt with that: it has no output.
    """

    datum_id: str
    reason: str = ""
    recovered: bool = False
    tries: int = 0
    download_seconds: float = 0.0
    process_seconds: float = 0.0
    upload_seconds: float = 0.0
    download_bytes: int = 0
    upload_bytes: int = 0
    cost: Cost = NO_COST


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line for the job's logs: of user code, or of the worker. `at_ns` is wall time since 1970."""

    at_ns: int
    datum_id: str
    user: bool
    message: str
    level: LogLevel = LogLevel.UNSET  # unset: as the line itself says


class Held:
    """A claim of this worker until it is over: lost to somebody else, or left by the worker. For many threads."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._lock = threading.Lock()
        # What is told of the end; None once it has been.
        self._tell: list[Callable[[], object]] | None = []
        self._over = threading.Event()
        self._lost = False
        self._refusal = ""

    @property
    def over(self) -> bool:
        """Whether no more datums of it shall be begun, and the present one not be finished."""
        return self._over.is_set()

    @property
    def lost(self) -> bool:
        """Whether its results and logs are refused from now on."""
        return self._lost

    @property
    def refusal(self) -> str:
        """Why nobody can run it now, as things are on this machine; empty if that is not so."""
        return self._refusal

    def refuse(self, why: str) -> None:
        """Nobody can run it as things are: stop working on it. It is given back when what is done was handed in."""
        self._refusal = why
        self.leave()

    def when_over(self, tell: Callable[[], object]) -> None:
        """Call `tell` when it is over, in the thread that ends it; at once if it is over already."""
        with self._lock:
            if self._tell is not None:
                self._tell.append(tell)
                return
        tell()

    def lose(self) -> None:
        """It is somebody else's now: all work on it is in vain. Repeating is harmless."""
        self._lost = True
        self.leave()

    def leave(self) -> None:
        """Stop working on it; what is done may still be handed in. Repeating is harmless."""
        with self._lock:
            tell, self._tell = self._tell, None
            self._over.set()
        for each in tell or ():
            each()

    def pause(self, seconds: float) -> bool:
        """Wait so long, less if it is over by then; tell whether it is."""
        return self._over.wait(seconds)

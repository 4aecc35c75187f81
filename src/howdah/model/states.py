# SPDX-License-Identifier: Apache-2.0
"""States of commits, jobs, pipelines and datums, and which moves between them exist.

Members carry the numbers of the protocol, and `wire_name` its names, so that an API maps them without a
table of its own. The protocol's 0 ("unknown") is no state here but for datums, where it is shown.
"""

from collections.abc import Mapping
from enum import IntEnum, unique
from types import MappingProxyType
from typing import Final

from howdah.errors import ErrorKind, Refused

__all__ = [
    "JOB_MOVES",
    "CommitState",
    "DatumState",
    "JobState",
    "OriginKind",
    "PipelineState",
    "is_terminal",
    "move_job",
]


@unique
class CommitState(IntEnum):
    """How far a commit has come; each state includes those before it."""

    STARTED = 1  # it exists and may be written
    READY = 2  # all commits that it depends on are finished
    FINISHING = 3  # closed: its files never change again
    FINISHED = 4  # sizes are known, and it can be read without waiting

    @property
    def wire_name(self) -> str:
        """The name in the protocol."""
        return self.name


@unique
class OriginKind(IntEnum):
    """Why a commit was made."""

    USER = 1  # somebody started it
    AUTO = 2  # it follows from another commit, or a branch needed a head
    FSCK = 3  # a repair made it

    @property
    def wire_name(self) -> str:
        """The name in the protocol."""
        return self.name


@unique
class JobState(IntEnum):
    """How far a job has come."""

    CREATED = 1  # its output commit exists; its inputs may still be open
    STARTING = 2  # its inputs are finished; it is being planned
    RUNNING = 3
    FAILURE = 4
    SUCCESS = 5
    KILLED = 6
    EGRESSING = 7
    FINISHING = 8  # all datums are done; its output commit is being closed
    UNRUNNABLE = 9  # an input commit has an error

    @property
    def wire_name(self) -> str:
        """The name in the protocol."""
        return "JOB_" + self.name


@unique
class PipelineState(IntEnum):
    """What a pipeline is doing.

    Workers are the whole pool's and there before any pipeline is, so that none is STARTING or RESTARTING; and none is
    in FAILURE, which would last until its next version: what keeps it from working may pass, and till then it is
    CRASHING.
    """

    STARTING = 1
    RUNNING = 2
    RESTARTING = 3
    FAILURE = 4
    PAUSED = 5  # stopped by somebody
    STANDBY = 6
    CRASHING = 7

    @property
    def wire_name(self) -> str:
        """The name in the protocol."""
        return "PIPELINE_" + self.name


@unique
class DatumState(IntEnum):
    """What became of a datum."""

    UNKNOWN = 0  # listed without a job
    FAILED = 1
    SUCCESS = 2
    SKIPPED = 3  # it succeeded in an earlier job; its output was carried over
    STARTING = 4
    RECOVERED = 5

    @property
    def wire_name(self) -> str:
        """The name in the protocol."""
        return self.name


_S = JobState
JOB_MOVES: Final[Mapping[JobState, frozenset[JobState]]] = MappingProxyType(
    {
        _S.CREATED: frozenset({_S.STARTING, _S.KILLED, _S.UNRUNNABLE}),
        # Straight to FINISHING when there is nothing to run: no datums, or all of them done before.
        _S.STARTING: frozenset({_S.RUNNING, _S.FINISHING, _S.KILLED, _S.FAILURE, _S.UNRUNNABLE}),
        _S.RUNNING: frozenset({_S.EGRESSING, _S.FINISHING, _S.KILLED, _S.FAILURE}),
        _S.EGRESSING: frozenset({_S.FINISHING, _S.KILLED, _S.FAILURE}),
        _S.FINISHING: frozenset({_S.SUCCESS, _S.KILLED, _S.FAILURE}),
        _S.SUCCESS: frozenset(),
        _S.FAILURE: frozenset(),
        _S.KILLED: frozenset(),
        _S.UNRUNNABLE: frozenset(),
    }
)


def is_terminal(state: JobState) -> bool:
    """Whether a job in this state never moves again."""
    return not JOB_MOVES[state]


def move_job(state: JobState, to: JobState, *, job: object) -> JobState:
    """The state `to`, if a job in `state` may go there; `job` is named in the error.

    Raises:
        Refused: JOB_FINISHED from a terminal state, else BAD_MOVE.
    """
    if to in JOB_MOVES[state]:
        return to
    if is_terminal(state):
        raise Refused(
            ErrorKind.JOB_FINISHED,
            f"job {job} has already finished: it is in state {state.wire_name}; run its pipeline again for a new job",
        )
    allowed = ", ".join(sorted(move.wire_name for move in JOB_MOVES[state]))
    raise Refused(
        ErrorKind.BAD_MOVE, f"job {job} cannot go from {state.wire_name} to {to.wire_name}; it can go to {allowed}"
    )

# SPDX-License-Identifier: Apache-2.0
"""What the notes of a container's keeper say of a command that ended."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from howdah.model.texts import one_line
from howdah.worker.nest.values import Outcome

__all__ = ["KILLED", "SIGNAL_CODES", "lost", "outcome_of"]

SIGNAL_CODES: Final = 128
KILLED: Final = 9
_SIGNAL_MAX: Final = 64
_SIGNAL_NOTE: Final = "Command terminated by signal "


def outcome_of(code: int, notes: Sequence[str], seconds: float, *, timed_out: bool, cancelled: bool) -> Outcome:
    """How a command ended, by its exit code and the notes."""
    signal = _signal(notes)
    if timed_out or cancelled:
        signal = signal or KILLED
    cpu, memory = _stats(notes)
    return Outcome(
        exit_code=SIGNAL_CODES + signal if signal else code,
        signal=signal,
        timed_out=timed_out and not cancelled,
        cancelled=cancelled,
        seconds=seconds,
        cpu_seconds=cpu,
        memory_max_bytes=memory,
        error=one_line(next((note.removeprefix("error ") for note in notes if note.startswith("error ")), "")),
        out_of_memory="oom" in notes,
    )


def lost(why: str, seconds: float) -> Outcome:
    """How a command ended whose container is gone."""
    return Outcome(SIGNAL_CODES + KILLED, KILLED, False, False, seconds, 0.0, 0, "", lost=why)


def _signal(notes: Sequence[str]) -> int | None:
    """What signal ended a command, as `time` says it."""
    for note in notes:
        number = note.removeprefix(_SIGNAL_NOTE)
        if number != note and number.isdecimal() and 0 < int(number) <= _SIGNAL_MAX:
            return int(number)
    return None


def _stats(notes: Sequence[str]) -> tuple[float, int]:
    """CPU seconds, and the most memory of a single process, as `time` has them; zeroes if it was killed itself.

    It has CPU time in hundredths of a second only; that of the container's cgroup is better, where it can be read.
    """
    cpu, memory = 0.0, 0
    for note in notes:
        words = note.split()
        with suppress(ValueError):
            if len(words) == 4 and words[0] == "stats":
                cpu, memory = float(words[1]) + float(words[2]), int(words[3]) * 1024
            elif len(words) == 2 and words[0] == "cpu":
                return int(words[1]) / 1e6, memory
    return cpu, memory

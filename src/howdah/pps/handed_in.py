# SPDX-License-Identifier: Apache-2.0
"""What workers hand in, as bytes: the results of some datums of a set as columns, and the change with their outputs.

    4 bytes   HWD2
    u32 n     how many datums
    u32 h     bytes of the header
    ids       16 bytes each
    states    1 byte each
    8 bytes   how wide the numbers of each column that follows are: 1, 2, 4 or 8 bytes
    columns   tries, then the fields of `ProcessStats` in their order
    header    JSON: worker, containment, and the reasons of those datums that have one, by their number
    change    as `storage.changes` has it

So one state of many thousand datums is looked for without making anything of the others, and what a column never
needs takes no room. What older howdahs took is read too: HWD1 has no widths (tries take 4 bytes, five fields of
`ProcessStats` 8 each); before that there was a JSON header with everything: u32 length, header, change.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from howdah.model.states import DatumState
from howdah.pps.infos import DatumResult, ProcessStats
from howdah.pps.records import encode, quoted

__all__ = ["HandIn", "Outcomes", "decode_hand_in", "encode_hand_in", "result_of", "stats_of"]

_MAGIC: Final = b"HWD2"
_MAGIC_1: Final = b"HWD1"
_ID_BYTES: Final = 16
_ID_DIGITS: Final = 2 * _ID_BYTES
_COUNT_MAX: Final = (1 << 63) - 1
_STATS: Final = (
    "download_ms",
    "process_ms",
    "upload_ms",
    "download_bytes",
    "upload_bytes",
    "cpu_us",
    "memory_max_bytes",
)
# How many of them HWD1 has.
_STATS_1: Final = 5
_WIDTHS: Final = (1, 2, 4, 8)
_EMPTY: Final = '""'
_Numbers = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """The results of some datums as columns; `reasons` are those that are not empty, by the datum's number."""

    digits: str  # of all ids, one after the other
    states: _Numbers
    tries: _Numbers
    stats: _Numbers  # one row for each field of ProcessStats
    reasons: Mapping[int, str]

    @classmethod
    def of(cls, results: Sequence[DatumResult]) -> "Outcomes":
        """Columns of results, in their order. Numbers that cannot be become the nearest that can."""
        stats = [[min(max(getattr(each.stats, name), 0), _COUNT_MAX) for each in results] for name in _STATS]
        return cls(
            "".join(each.id for each in results),
            np.array([int(each.state) for each in results], "u1"),
            np.array([each.tries for each in results], "<u4"),
            np.array(stats, "<i8"),
            {at: each.reason for at, each in enumerate(results) if each.reason},
        )

    def __len__(self) -> int:
        return len(self.states)

    @property
    def ids(self) -> list[str]:
        """The ids of all datums."""
        return [self.digits[begin : begin + _ID_DIGITS] for begin in range(0, len(self.digits), _ID_DIGITS)]

    @property
    def total(self) -> ProcessStats:
        """What all of them took together: the sums, and the most memory of any."""
        columns = self.stats.tolist()
        return replace(ProcessStats(*map(sum, columns)), memory_max_bytes=max(columns[-1], default=0))

    def id(self, number: int) -> str:
        """The id of one datum."""
        return self.digits[number * _ID_DIGITS : (number + 1) * _ID_DIGITS]

    def numbers(self, state: DatumState) -> list[int]:
        """The numbers of the datums in a state, in order."""
        found: list[int] = np.flatnonzero(self.states == int(state)).tolist()
        return found

    def at(self, number: int) -> DatumResult:
        """The result of one datum."""
        stats = ProcessStats(*self.stats[:, number].tolist())
        state = DatumState(int(self.states[number]))
        return DatumResult(self.id(number), state, self.reasons.get(number, ""), int(self.tries[number]), stats)

    def texts(self) -> list[str]:
        """What a record says of each datum: a JSON object without its braces."""
        names = {int(state): state.name for state in DatumState}
        reasons = self.reasons
        return [
            f'"state":"{names[state]}","reason":{quoted(reasons[at]) if at in reasons else _EMPTY},"tries":{tries},'
            f'"stats":{{"download_ms":{a},"process_ms":{b},"upload_ms":{c},"download_bytes":{d},"upload_bytes":{e},'
            f'"cpu_us":{f},"memory_max_bytes":{g}}}'
            for at, (state, tries, a, b, c, d, e, f, g) in enumerate(
                zip(self.states.tolist(), self.tries.tolist(), *self.stats.tolist(), strict=True)
            )
        ]


@dataclass(frozen=True, slots=True, eq=False)
class HandIn:
    """What a worker gave at once."""

    outcomes: Outcomes
    worker: str
    containment: str
    change: bytes


def encode_hand_in(hand_in: HandIn) -> bytes:
    """The bytes of a hand-in."""
    found = hand_in.outcomes
    reasons = {str(at): reason for at, reason in found.reasons.items()}
    header = encode({"worker": hand_in.worker, "containment": hand_in.containment, "reasons": reasons})
    columns = [_narrow(column) for column in (found.tries, *found.stats)]
    parts = [
        _MAGIC,
        len(found).to_bytes(4, "little"),
        len(header).to_bytes(4, "little"),
        bytes.fromhex(found.digits),
        found.states.tobytes(),
        bytes(column.itemsize for column in columns),
        *(column.tobytes() for column in columns),
        header,
        hand_in.change,
    ]
    return b"".join(parts)


def decode_hand_in(body: bytes) -> HandIn:
    """What `encode_hand_in` was given, or an older howdah's."""
    if body[:4] not in (_MAGIC, _MAGIC_1):
        return _older(body)
    count, size = (int.from_bytes(body[at : at + 4], "little") for at in (4, 8))
    at = 12

    def column(kind: str, number: int) -> _Numbers:
        nonlocal at
        found: _Numbers = np.frombuffer(body, kind, number, at)
        at += found.nbytes
        return found

    digits = column("u1", _ID_BYTES * count).tobytes().hex()
    states = column("u1", count)
    stats = np.zeros((len(_STATS), count), "<i8")
    if body[:4] == _MAGIC:
        widths = column("u1", 1 + len(_STATS)).tolist()
        tries = column(f"<u{widths[0]}", count)
        for row, width in zip(stats, widths[1:], strict=True):
            row[:] = column(f"<u{width}", count)
    else:
        tries = column("<u4", count)
        stats[:_STATS_1] = column("<i8", _STATS_1 * count).reshape(_STATS_1, count)
    header = json.loads(body[at : at + size])
    reasons = {int(number): reason for number, reason in header["reasons"].items()}
    outcomes = Outcomes(digits, states, tries, stats, reasons)
    return HandIn(outcomes, header["worker"], header["containment"], body[at + size :])


def _narrow(column: _Numbers) -> _Numbers:
    """The same numbers, none of them negative, in as few bytes each as the largest needs."""
    largest = int(column.max()) if len(column) else 0
    width = next(each for each in _WIDTHS if largest >> 8 * each == 0)
    return column.astype(f"<u{width}")


def result_of(datum: str, state: str, record: Mapping[str, Any]) -> DatumResult:
    """The result that a record of a job's results, or of an older hand-in, holds."""
    return DatumResult(datum, DatumState[state], record["reason"], record["tries"], stats_of(record))


def stats_of(record: Mapping[str, Any]) -> ProcessStats:
    """The times and bytes that a record holds."""
    return ProcessStats(**record["stats"])


def _older(body: bytes) -> HandIn:
    end = 4 + int.from_bytes(body[:4], "little")
    header = json.loads(body[4:end])
    found = [result_of(each["id"], each["state"], each) for each in header["results"]]
    return HandIn(Outcomes.of(found), header["worker"], header["containment"], body[end:])

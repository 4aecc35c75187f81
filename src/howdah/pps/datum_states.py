# SPDX-License-Identifier: Apache-2.0
"""The datums of a job by their state, in the order of their ids, at one moment.

Nothing is kept for a datum in the database, and no listing looks at all datums to find some: what was skipped is where
plan and todo differ; what waits is what sets have left; what was handed in stands by state in the rows of the hand-ins,
and by state in the job's results once they are collected. Pages of datums as people see them are in `pps.datums`.
"""

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import pyarrow as pa

from howdah.db.transaction import Transaction
from howdah.model.states import DatumState, is_terminal
from howdah.pps import set_rows
from howdah.pps.handed_in import decode_hand_in
from howdah.pps.infos import DatumResult
from howdah.pps.job_rows import JobRow
from howdah.pps.results import ENDED, results_of
from howdah.pps.starting import Details
from howdah.storage import rows
from howdah.storage.diff import fresh, unequal_between
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.slices import index_of, slice_rows
from howdah.storage.storage import Storage

__all__ = ["DatumStates", "Seen"]

_ALL: Final = (DatumState.SKIPPED, DatumState.STARTING, DatumState.UNKNOWN, *ENDED)
# Behind every path: they begin with a slash.
_END: Final = "0"
# Datums of a window that is searched for the last ones; a window grows while it has too few.
_WINDOW_MAX: Final = 65_536
_STEP: Final = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A datum, by its path in the plan, and its state; with its result if that is not in the job's results."""

    path: str
    state: DatumState
    result: DatumResult | None = None


class DatumStates:
    """Asks about the datums of one job, inside the transaction `tx`. Empty until the job is planned."""

    def __init__(self, tx: Transaction, storage: Storage, row: JobRow) -> None:
        self._tx = tx
        self._row = row
        self.plan = storage.fileset(row.plan_root, f"the plan of job {row.job}")
        self.results = storage.fileset(row.results_root, f"the results of job {row.job}")
        self._todo = storage.fileset(Details.of(row).todo, f"the plan of job {row.job}")
        self._collected = row.results_root is not None

    def page(self, states: Collection[DatumState], after: str, limit: int) -> list[Seen]:
        """The first `limit` datums behind the id `after` that are in one of `states`, or in any if there are none."""
        lower, upper = (f"/{after}\0" if after else ""), _END
        if not states:
            # With an end no state is looked for behind it.
            upper = self._path(index_of(self.plan, lower) + limit)
        return list(islice(self._select(states or _ALL, lower, upper), limit))

    def page_before(self, states: Collection[DatumState], before: str, limit: int) -> list[Seen]:
        """The last `limit` of them before the id `before` (of all if it is empty), the last first."""
        upper = f"/{before}" if before else _END
        at, width = index_of(self.plan, upper), limit
        found: list[Seen] = []
        while at > 0 and len(found) < limit:
            at = max(0, at - width)
            lower = self._path(at)
            found += reversed(deque(self._select(states or _ALL, lower, upper), maxlen=limit - len(found)))
            upper, width = lower, min(width * 4, _WINDOW_MAX)
        return found

    def find(self, datum: str) -> Seen | None:
        """One datum; None if the plan has none of that id."""
        return next(self._select(_ALL, f"/{datum}", f"/{datum}\0"), None)

    def _path(self, number: int) -> str:
        """The path of the plan's datum of that number; behind all if there is none."""
        return next((rows.path_at(batch, 0) for batch in slice_rows(self.plan, number, 1)), _END)

    def _select(self, states: Collection[DatumState], lower: str, upper: str) -> Iterator[Seen]:
        found = [self._in(state, lower, upper) for state in states]
        return heapq.merge(*found, key=lambda seen: seen.path)

    def _in(self, state: DatumState, lower: str, upper: str) -> Iterator[Seen]:
        """The datums in one state with `lower <= path < upper`, in order."""
        ended = is_terminal(self._row.state)
        ways: dict[DatumState, Callable[[str, str], Iterator[pa.RecordBatch]]] = {DatumState.SKIPPED: self._skipped}
        ways[DatumState.UNKNOWN if ended else DatumState.STARTING] = self._lost if ended else self._waiting
        if state in ENDED and not self._collected:
            return self._handed_in(state, lower, upper)
        if state in ENDED:
            return _seen(results_of(self.results, state, lower, upper), state)
        return _seen(ways[state](lower, upper), state) if state in ways else iter(())

    def _skipped(self, lower: str, upper: str) -> Iterator[pa.RecordBatch]:
        for left, right in unequal_between(self._todo, self.plan, lower, upper):
            found = fresh(right, left)
            begin, end = rows.bounds(found, lower, upper)
            yield found.slice(begin, end - begin)

    def _waiting(self, lower: str, upper: str) -> Iterator[pa.RecordBatch]:
        for begin, end in set_rows.waiting(self._tx, self._row.id, *self._numbers(lower, upper)):
            yield from slice_rows(self._todo, begin, end - begin)

    def _lost(self, lower: str, upper: str) -> Iterator[pa.RecordBatch]:
        """What was to be done in a job that ended before it was."""
        if self._collected and self.results.total.files == self._todo.total.files:
            return
        begin, end = self._numbers(lower, upper)
        for first in range(begin, end, _STEP):
            batch = rows.join(slice_rows(self._todo, first, min(_STEP, end - first)))
            least, last = rows.path_at(batch, 0), rows.path_at(batch, -1) + "\0"
            known = {seen.path for seen in self._select(ENDED, least, last)}
            yield batch.filter(pa.array([path not in known for path in batch.column(0).to_pylist()], pa.bool_()))

    def _handed_in(self, state: DatumState, lower: str, upper: str) -> Iterator[Seen]:
        for _, body in set_rows.handed_in(self._tx, self._row.id, state, *self._numbers(lower, upper)):
            outcomes = decode_hand_in(body).outcomes
            for number in outcomes.numbers(state):
                path = f"/{outcomes.id(number)}"
                if lower <= path < upper:
                    yield Seen(path, state, outcomes.at(number))

    def _numbers(self, lower: str, upper: str) -> tuple[int, int]:
        """The numbers in todo of the datums between two paths."""
        if self._todo.root == EMPTY_ROOT:
            return 0, 0
        return index_of(self._todo, lower), index_of(self._todo, upper)


def _seen(batches: Iterator[pa.RecordBatch], state: DatumState) -> Iterator[Seen]:
    for batch in batches:
        # A few at a time: whoever asks for a page wants no more of a long batch.
        for begin in range(0, batch.num_rows, 64):
            for path in batch.column(0).slice(begin, 64).to_pylist():
                yield Seen(path, state)

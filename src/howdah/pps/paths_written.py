# SPDX-License-Identifier: Apache-2.0
"""The paths that the datums of running jobs wrote: to see at once when another datum writes one of them.

Of each path a hash of 8 bytes is held, in a few sorted arrays for each job, each twice as long as the next; so a
hand-in of any size is looked up and added by vectors, in some 40 us and 1 us for each path. A hash that was seen is a
hint: `clash_with` reads what was handed in, and knows. After a start a job's hashes are made anew from what was handed
in.

Not known here, and found when the job finishes (`pps.compose`): what lies in changes that were too big for a message,
files that are directories for others, what datums of earlier jobs wrote whose output is carried over (it lies in the
store, and to read there would cost each hand-in more than all else), and what is beyond `PATHS_MAX`.
"""

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from howdah.db.transaction import Transaction
from howdah.pps import set_rows
from howdah.pps.handed_in import decode_hand_in
from howdah.storage import changes, rows

__all__ = ["PATHS_MAX", "PathsWritten", "clash_in", "clash_with", "written_by"]

PATHS_MAX: Final = 2_000_000  # 16 MB; of all running jobs together

_RUN_MAX: Final = 1 << 18  # hashes of an array that still grows: to merge two such takes some milliseconds
_JOBS_MIN: Final = 64  # so many jobs are held before it is asked which of them go on still

_hash: Final = hash  # of this process alone; some 30 ns

_Hashes = np.ndarray[Any, np.dtype[np.int64]]


def written_by(change: bytes) -> pa.RecordBatch:
    """The files of the datums of one hand-in, sorted, as far as its change holds them itself.

    Raises:
        BadRequest: these are not the bytes of a change.
    """
    layers = changes.decode(change) if change else ()
    if any(layer.deletes or layer.directories for layer in layers):  # no worker of ours makes them
        return rows.EMPTY
    found = [layer.appends for layer in layers if isinstance(layer.appends, pa.RecordBatch)]
    return found[0] if len(found) == 1 else _once(rows.sort(rows.join(found)))


def clash_in(written: pa.RecordBatch) -> str:
    """Which path two datums of one hand-in wrote, and which datums; "" if none is seen."""
    return "" if (found := rows.duplicate(written)) is None else _text(*found)


def clash_with(tx: Transaction, job_id: int, written: pa.RecordBatch) -> str:
    """Which path of a hand-in another datum of the job wrote before, and which datums; "" if there is none.

    Reads all that was handed in for the job.
    """
    paths, datums = written.column(0), written.column(1)
    for _, body in set_rows.results_after(tx, job_id, 0):
        before = written_by(decode_hand_in(body).change)
        at = pc.index_in(before.column(0), value_set=paths)
        same = before.filter(at.is_valid())
        others = pc.not_equal(same.column(1), datums.take(at.drop_null()))
        if pc.any(others).as_py():
            first = pc.index(others, True).as_py()
            path = rows.path_at(same, first)
            mine = datums[pc.index(paths, path).as_py()].as_py()
            return _text(path, *sorted((same.column(1)[first].as_py(), mine)))
    return ""


def _once(files: pa.RecordBatch) -> pa.RecordBatch:
    """Each file of each datum once; a datum that has much to write appends to a file in several layers."""
    if files.num_rows < 2:
        return files
    again = pc.and_(*(pc.equal(files.column(n)[:-1], files.column(n)[1:]) for n in (0, 1)))
    return files.filter(pa.concat_arrays([pa.array([True]), pc.invert(again)]))


def _text(path: str, first: str, second: str) -> str:
    return f"file {path} was written by two datums, {first} and {second}"


class PathsWritten:
    """Hashes of the paths that were handed in for running jobs. Safe for many threads.

    What is asked and added in write transactions is complete, for one comes after the other. A path that was added in
    a transaction that failed does no harm but to be looked for in vain.
    """

    def __init__(self, paths_max: int = PATHS_MAX) -> None:
        self._paths_max = paths_max
        self._jobs: dict[int, _OfJob] = {}
        self._jobs_max = _JOBS_MIN
        self._held = 0
        self._lock = threading.Lock()

    def learn(self, tx: Transaction, job_id: int) -> None:
        """Take in what was handed in for a job before this process knew of it; does nothing for others.

        Call it before the one write transaction too: there is much to read, once, after a start.
        """
        of = self._of(tx, job_id)
        with of.lock:
            if not of.known:
                for key, body in set_rows.results_after(tx, job_id, of.upto):
                    self._put(tx, of, written_by(decode_hand_in(body).change))
                    of.upto = key

    def meets(self, tx: Transaction, job_id: int, written: pa.RecordBatch) -> bool:
        """Whether a path of a hand-in may have been written before. Only in a write transaction."""
        self.learn(tx, job_id)
        of = self._of(tx, job_id)
        of.known = True
        return bool(written.num_rows) and of.has(_hashes(written))

    def add(self, tx: Transaction, job_id: int, written: pa.RecordBatch) -> None:
        """Remember what was handed in. Only in a write transaction, after `meets`."""
        self._put(tx, self._of(tx, job_id), written)

    def forget(self, job_id: int) -> None:
        """Drop what is known of a job. It would be made anew if it were needed."""
        with self._lock:
            if (gone := self._jobs.pop(job_id, None)) is not None:
                self._held -= len(gone)

    def __len__(self) -> int:
        """How many paths are held."""
        return self._held

    def _of(self, tx: Transaction, job_id: int) -> "_OfJob":
        found = self._jobs.get(job_id)
        if found is None:
            if len(self._jobs) >= self._jobs_max:
                self._forget_ended(tx)
            with self._lock:
                found = self._jobs.setdefault(job_id, _OfJob())
        return found

    def _put(self, tx: Transaction, of: "_OfJob", written: pa.RecordBatch) -> None:
        if not written.num_rows or of.full:
            return
        if self._held + written.num_rows > self._paths_max:
            self._forget_ended(tx)
            of.full = self._held + written.num_rows > self._paths_max
        if not of.full:
            of.add(_hashes(written))
            with self._lock:
                self._held += written.num_rows

    def _forget_ended(self, tx: Transaction) -> None:
        """Jobs that were stopped or deleted are not told of."""
        for job_id in list(self._jobs):
            if not set_rows.any_left(tx, job_id):
                self.forget(job_id)
        self._jobs_max = max(_JOBS_MIN, 2 * len(self._jobs))


class _OfJob:
    """What is known of one job: all that was handed in up to a row, or everything."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known = False
        self.upto = 0
        self.full = False
        self._runs: list[_Hashes] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def has(self, wanted: _Hashes) -> bool:
        """Whether one of these is there."""
        return any(_meet(run, wanted) for run in self._runs)

    def add(self, more: _Hashes) -> None:
        """Add sorted hashes."""
        runs = [*self._runs, more]
        while len(runs) > 1 and len(runs[-2]) < min(2 * len(runs[-1]), _RUN_MAX):
            runs[-2:] = [_merged(runs[-2:])]
        self._runs = runs


def _meet(run: _Hashes, wanted: _Hashes) -> bool:
    at = np.searchsorted(run, wanted)
    inside = at < len(run)
    return bool((run[at[inside]] == wanted[inside]).any())


def _merged(runs: Sequence[_Hashes]) -> _Hashes:
    both = np.concatenate(runs)
    both.sort(kind="stable")  # which merges what is sorted
    return both


def _hashes(written: pa.RecordBatch) -> _Hashes:
    paths: Iterable[str] = written.column(0).to_pylist()
    found = np.fromiter(map(_hash, paths), np.int64, written.num_rows)
    found.sort()
    return found

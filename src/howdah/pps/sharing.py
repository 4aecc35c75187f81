# SPDX-License-Identifier: Apache-2.0
"""How the workers are shared: how many a pipeline may have at once, whose turn it is, how datums are cut into sets.

A spec that gives `parallelismSpec.constant` gets that many workers. One that does not may use the whole pool:
in the process execution workers cost nothing more, so one at a time would leave the machine idle.

No pipeline waits for another one to end: whoever has the fewest workers is next (`Turns`), so each pipeline with work
has its share as soon as a worker has done its set, however many sets the others have.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from howdah.db.transaction import Transaction
from howdah.model.spec import DatumSetSpec, PipelineSpec
from howdah.model.spec.text import documents
from howdah.pps import pipeline_rows
from howdah.pps.job_rows import JobRow
from howdah.pps.records import read_records
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = ["Turns", "datum_sets", "share", "workers_of"]

PER_WORKER: Final = 4  # sets for each worker: fewer, and the last ones to finish leave the others idle
SET_MAX: Final = 500  # datums, while nobody knows how long one takes; a claim shall not hold a large part of a job back
SET_SECONDS: Final = 5.0  # that a set lasts by what was measured: much more than a claim costs, little to wait for
MEASURED_SET_MAX: Final = 5_000
_SPELLINGS: Final = ("parallelismSpec", "parallelism_spec")


class Turns:
    """Whose turn it is among jobs that could have a worker. For one thread at a time: the one that writes."""

    def __init__(self) -> None:
        # For each job with sets to claim: which claim its last one was, by their order since this process began.
        self._last: dict[int, int] = {}
        self._count = 0

    def order(self, claimable: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        """The jobs, their next sets and their live claims, in the order in which they are to be asked.

        The fewest live claims are first; of as many, who has waited for longest. So one worker goes round.
        """
        if len(self._last) > 2 * len(claimable):
            there = {job_id for job_id, _, _ in claimable}
            self._last = {job_id: at for job_id, at in self._last.items() if job_id in there}
        return sorted(claimable, key=lambda each: (each[2], self._last.get(each[0], 0), each[0]))

    def had(self, job_id: int) -> None:
        """A set of this job was claimed."""
        self._count += 1
        self._last[job_id] = self._count


def share(tx: Transaction, job: JobRow) -> int | None:
    """How many workers may have sets of a job at once; None for as many as there are."""
    pipeline = pipeline_rows.get(tx, job.job.pipeline)
    version = pipeline_rows.version(tx, pipeline, job.version)
    return workers_of(version.user_spec, pipeline_rows.spec_of(version.effective_spec).parallelism)


@lru_cache(maxsize=256)
def workers_of(user_spec: str, effective: int = 1) -> int | None:
    """The number of workers that a spec asks for, as it was given; None if it does not say.

    `effective` is the number in its effective spec: more than 1 came from defaults if it was not given.
    """
    for document in documents(user_spec):
        for name in _SPELLINGS:
            given = document.get(name) if isinstance(document, dict) else None
            if isinstance(given, dict) and int(given.get("constant") or 0):
                return int(given["constant"])
    return effective if effective > 1 else None


def datum_sets(
    storage: Storage, spec: PipelineSpec, todo: Fileset, workers: int, seconds: float | None = None
) -> list[tuple[int, int]]:
    """The sets, as (first, count), into which the datums of `todo` are cut for so many workers.

    `seconds` is what a datum took lately; None if nobody knows. What the spec says of sets comes before it.
    """
    total = todo.total.files
    wanted = spec.datum_set_spec or DatumSetSpec()
    if wanted.size_bytes:
        return list(_by_size(storage, todo, wanted.size_bytes))
    parts = max(1, workers) * (wanted.per_worker or PER_WORKER)
    size = wanted.number or max(1, min(_most(spec, seconds), total // parts))
    return [(first, min(size, total - first)) for first in range(0, total, size)]


def _by_size(storage: Storage, todo: Fileset, size_bytes: int) -> Iterator[tuple[int, int]]:
    first = count = held = 0
    for _, _, record in read_records(storage, todo.batches(), "planned datum"):
        held += sum(part["size"] for part in record["inputs"])
        count += 1
        if held >= size_bytes:
            yield first, count
            first, count, held = first + count, 0, 0
    if count:
        yield first, count


def _most(spec: PipelineSpec, seconds: float | None) -> int:
    """How many datums a set may have at most, so that it lasts a while and not long."""
    if seconds is None or (spec.datum_set_spec is not None and spec.datum_set_spec.per_worker):
        return SET_MAX
    return int(min(MEASURED_SET_MAX, SET_SECONDS / max(seconds, SET_SECONDS / MEASURED_SET_MAX)))

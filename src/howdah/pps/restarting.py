# SPDX-License-Identifier: Apache-2.0
"""Run again what workers are at: their claims are taken from them, and they hear of it at once (`pps.claims`).

There is no message to a worker but the loss of its claim. It ends its user code and asks for work, and whoever gets
the datum set next begins with the first datum that was not handed in.
"""

from collections.abc import Sequence

from howdah.db.engine import Database
from howdah.errors import ErrorKind, NotFound
from howdah.model.refs import Job
from howdah.model.states import JobState
from howdah.pps import job_rows, logs, set_rows
from howdah.pps.job_rows import JobRow
from howdah.pps.plan import inputs_of
from howdah.pps.records import read_records
from howdah.pps.set_rows import SetRow
from howdah.pps.starting import Details
from howdah.pps.subjects import WORK, claims_subject
from howdah.storage.slices import slice_rows
from howdah.storage.storage import Storage

__all__ = ["Restarts"]


class Restarts:
    """Takes datums from workers. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage) -> None:
        self._db = db
        self._storage = storage

    def restart(self, job: Job, filters: Sequence[str] = ()) -> int:
        """Let the datum sets that workers have begin again; how many. What was handed in of them stays done.

        Only sets with a datum that all `filters` fit, if there are any: each is the path or the hash (in hex) of one
        of the datum's files, or the datum's id.

        Raises:
            NotFound: JOB_NOT_FOUND; DATUM_NOT_FOUND: no worker has such a datum.
        """
        with self._db.read() as tx:
            row = job_rows.get(tx, job)
            held = set_rows.claimed_of(tx, row.id) if row.state is JobState.RUNNING else []
        found = [each for each in held if not filters or self._has(row, each, filters)]
        with self._db.write() as tx:
            taken = sum(set_rows.take_back(tx, each) for each in found)
            if not taken:
                # Clients look for this text up to the id.
                text = f"datum matching filter [{' '.join(filters)}] could not be found for job ID {job.id}"
                way_out = f"see what runs: howdah list datum {job} --state starting"
                raise NotFound(ErrorKind.DATUM_NOT_FOUND, f"{text}; {way_out}")
            logs.say(tx, row, f"restarted {taken} datum sets that workers had")
            tx.emit(claims_subject(job), "lost")
            tx.emit(WORK, "waiting")
        return taken

    def _has(self, row: JobRow, held: SetRow, filters: Sequence[str]) -> bool:
        """Whether a datum that is left of a set fits all filters."""
        todo = self._storage.fileset(Details.of(row).todo, f"job {row.job}")
        for path, _, record in read_records(self._storage, slice_rows(todo, held.first, held.count), "planned datum"):
            names = {path[1:]}
            for _, file, hashed, _ in inputs_of(record):
                names |= {file, hashed.hex()}
            if names.issuperset(filters):
                return True
        return False

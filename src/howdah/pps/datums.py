# SPDX-License-Identifier: Apache-2.0
"""Datums as people see them: those of a job, page by page in the order of their ids, and where a file came from.

Nothing is kept for a datum in the database: the plan says which there are, what is not in the todo was skipped,
and results say what became of the rest. While a job runs, its results are what has been handed in so far.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import pyarrow as pa

from howdah.db.engine import Database
from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.files import FileInfo
from howdah.model.refs import Commit, File, Job, Repo
from howdah.model.spec import Input
from howdah.model.states import DatumState, is_terminal
from howdah.pfs import commit_rows, resolve
from howdah.pps import job_rows, pipeline_rows, set_rows
from howdah.pps.done import META
from howdah.pps.infos import DatumInfo, DatumInput, DatumResult, FileProvenance
from howdah.pps.inputs import Warn
from howdah.pps.job_rows import JobRow
from howdah.pps.parts import InputsOfParts
from howdah.pps.plan import inputs_of
from howdah.pps.records import read_records
from howdah.pps.results import decode_hand_in, result_of
from howdah.pps.starting import Details
from howdah.pps.trying import open_trial
from howdah.storage.reader import Fileset
from howdah.storage.slices import index_of, slice_rows
from howdah.storage.storage import Storage

__all__ = ["Datums"]

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class _OfJob:
    """The datums of a job at one moment."""

    row: JobRow
    plan: Fileset
    todo: Fileset
    results: Fileset
    handed_in: Mapping[str, DatumResult]
    inputs: InputsOfParts


class Datums:
    """The datums of a lake's jobs. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage) -> None:
        self._db = db
        self._storage = storage

    def list(
        self, job: Job, *, states: Collection[DatumState] = (), after: str = "", number: int = 0, reverse: bool = False
    ) -> Iterator[DatumInfo]:
        """The datums of a job by id; with `reverse` from the last to the first. Empty until the job is planned.

        Only those in `states` if any are given, after the id `after` (in reverse: before it), at most `number`
        if it is not 0.

        Raises:
            NotFound: JOB_NOT_FOUND.
            BadRequest: BAD_ARGUMENT: `number` is negative.
        """
        if number < 0:
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"cannot list {number} datums; use 0 for all")
        found = self._all(self._of_job(job), after, reverse)
        wanted = (info for info in found if not states or info.state in states)
        return islice(wanted, number or None)

    def inspect(self, job: Job, datum: str) -> DatumInfo:
        """What is known of one datum of a job.

        Raises:
            NotFound: JOB_NOT_FOUND or DATUM_NOT_FOUND.
        """
        of = self._of_job(job)
        for batch in of.plan.batches(f"/{datum}", f"/{datum}\0"):
            return self._infos(of, batch)[0]
        raise NotFound(
            ErrorKind.DATUM_NOT_FOUND,
            f"datum {datum} not found in job {job}; see what there is: howdah list datum {job}",
        )

    def preview(self, root: Input, warn: Warn = lambda _text: None) -> Iterator[DatumInfo]:
        """The datums that an input would give now, in its order, without a pipeline. Branches are read at their heads.

        They are made as they are asked for. `warn` is told what is odd about the input.

        Raises:
            NotFound: a repo.
            Unavailable: BUSY: a head has never been finished.
            Unsupported: a kind of input that cannot be tried out.
        """
        return open_trial(self._db, self._storage, root).datums(warn)

    def provenance(self, file: File) -> FileProvenance:
        """Which datum, job, code and input files made an output file.

        Raises:
            NotFound: the commit or the file; or DATUM_NOT_FOUND: no pipeline made it.
        """
        with self._db.read() as tx:
            asked = resolve.resolve(tx, file.commit)
            row = asked if not asked.error else commit_rows.last_good(tx, asked.id)
            job = None if row is None else job_rows.by_output(tx, row.id)
            pipeline = None if job is None else pipeline_rows.by_id(tx, job.pipeline_id)
        if row is None or row.root is None or job is None or pipeline is None:
            raise _not_made(file, f"commit {asked.commit} is not the output of a pipeline's job")
        found = self._storage.fileset(row.root, f"commit {row.commit}").find(file.path)
        if not found:
            text = f"file {file.path} not found in repo {asked.commit.repo} at commit {asked.commit.id}"
            raise NotFound(ErrorKind.FILE_NOT_FOUND, f"{text}; see what there is: howdah list file {asked.commit}")
        datum = found[0].datum
        planned = self._storage.fileset(job.plan_root, f"the plan of job {job.job}").find(f"/{datum}")
        if not planned:
            raise _not_made(file, "somebody else wrote it")
        done = self._storage.fileset(pipeline.done_root, f"what pipeline {pipeline.pipeline} did")
        path = META + planned[0].datum
        for _, _, record in read_records(self._storage, done.batches(path, path + "\0"), "the record of datum"):
            return _provenance(job, record)
        raise _not_made(file, f"what datum {datum} did is not known any more")

    def _of_job(self, job: Job) -> _OfJob:
        with self._db.read() as tx:
            row = job_rows.get(tx, job)
            handed_in: dict[str, DatumResult] = {}
            if row.results_root is None and row.plan_root is not None:
                for body in set_rows.results(tx, row.id):
                    handed_in |= {result.id: result for result in decode_hand_in(body).results}
        detail = Details.of(row)
        return _OfJob(
            row,
            self._storage.fileset(row.plan_root, f"the plan of job {job}"),
            self._storage.fileset(detail.todo, f"the plan of job {job}"),
            self._storage.fileset(row.results_root, f"the results of job {job}"),
            handed_in,
            InputsOfParts(detail.inputs),
        )

    def _all(self, of: _OfJob, after: str, reverse: bool) -> Iterator[DatumInfo]:
        total = of.plan.total.files
        if reverse:
            at = index_of(of.plan, f"/{after}") if after else total
            while at > 0:
                begin = max(0, at - _PAGE)
                page = [info for batch in slice_rows(of.plan, begin, at - begin) for info in self._infos(of, batch)]
                yield from reversed(page)
                at = begin
            return
        at = index_of(of.plan, f"/{after}\0") if after else 0
        while at < total:
            for batch in slice_rows(of.plan, at, _PAGE):
                yield from self._infos(of, batch)
            at += _PAGE

    def _infos(self, of: _OfJob, planned: pa.RecordBatch) -> tuple[DatumInfo, ...]:
        paths = planned.column(0)
        lower, upper = paths[0].as_py(), paths[-1].as_py() + "\0"
        todo = {path for batch in of.todo.batches(lower, upper) for path in batch.column(0).to_pylist()}
        results = {
            path[1:]: result_of(path[1:], state, record)
            for path, state, record in read_records(self._storage, of.results.batches(lower, upper), "result of datum")
        }
        left = DatumState.UNKNOWN if is_terminal(of.row.state) else DatumState.STARTING
        infos = []
        for path, key, record in read_records(self._storage, [planned], "planned datum"):
            result = results.get(path[1:]) or of.handed_in.get(path[1:])
            if result is None:
                result = DatumResult(path[1:], left if path in todo else DatumState.SKIPPED, tries=0)
            parts = _parts(record, of.inputs)
            infos.append(
                DatumInfo(path[1:], of.row.job, result.state, parts, key, result.reason, result.tries, result.stats)
            )
        return tuple(infos)


def _parts(record: dict[str, Any], inputs: InputsOfParts) -> tuple[DatumInput, ...]:
    parts = []
    for (name, path, hashed, size), part in zip(inputs_of(record), record["inputs"], strict=True):
        read = inputs.of(part)
        file = FileInfo(path, path.endswith("/"), size, hashed)
        parts.append(DatumInput(name, None if read is None else read.commit, file))
    return tuple(parts)


def _provenance(job: JobRow, record: dict[str, Any]) -> FileProvenance:
    inputs = []
    for (name, path, hashed, size), part in zip(inputs_of(record), record["inputs"], strict=True):
        repo = Repo(*part["repo"])
        inputs.append(DatumInput(name, Commit(repo, part["commit"]), FileInfo(path, path.endswith("/"), size, hashed)))
    return FileProvenance(
        job=Job(job.job.pipeline, record["job"]),
        datum_id=record["datum"],
        version=record["version"],
        cmd=tuple(record["cmd"]),
        image=record["image"],
        inputs=tuple(inputs),
    )


def _not_made(file: File, why: str) -> NotFound:
    text = f"the datum that made {file} was not found: {why}"
    return NotFound(ErrorKind.DATUM_NOT_FOUND, f"{text}; name a file of a pipeline's output branch")

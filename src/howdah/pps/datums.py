# SPDX-License-Identifier: Apache-2.0
"""Datums as people see them: those of a job, page by page in the order of their ids, and where a file came from.

A page is made of what `pps.datum_states` says at the moment when it is reached: while a job runs, what has been
handed in until then. Only the records of the page itself are read.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from howdah.db.engine import Database
from howdah.errors import BadRequest, ErrorKind, NotFound, Unavailable
from howdah.model.files import FileInfo
from howdah.model.refs import Commit, File, Job, Repo
from howdah.model.spec import Input
from howdah.model.states import DatumState
from howdah.pfs import commit_lines, resolve
from howdah.pps import execution_rows, job_rows, pipeline_rows
from howdah.pps.datum_states import DatumStates, Seen
from howdah.pps.done import META
from howdah.pps.executions import Execution
from howdah.pps.handed_in import result_of
from howdah.pps.infos import DatumInfo, DatumInput, DatumResult, FileProvenance
from howdah.pps.inputs import Warn
from howdah.pps.job_rows import JobRow
from howdah.pps.parts import InputsOfParts
from howdah.pps.pipeline_rows import PipelineRow
from howdah.pps.plan import ID_DIGITS, inputs_of
from howdah.pps.records import read_records
from howdah.pps.results import ENDED, result_path
from howdah.pps.starting import Details
from howdah.pps.trying import open_trial
from howdah.storage.picking import rows_of
from howdah.storage.storage import Storage

__all__ = ["Datums"]

_PAGE: Final = 1_000


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
        if it is not 0. Pages are read as they are reached, each as things are then.

        Raises:
            NotFound: JOB_NOT_FOUND.
            BadRequest: BAD_ARGUMENT: `number` is negative.
        """
        if number < 0:
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"cannot list {number} datums; use 0 for all")
        with self._db.read() as tx:
            job_rows.get(tx, job)
        return self._pages(job, frozenset(states), after, number, reverse)

    def inspect(self, job: Job, datum: str) -> DatumInfo:
        """What is known of one datum of a job.

        Raises:
            NotFound: JOB_NOT_FOUND or DATUM_NOT_FOUND.
        """
        with self._db.read() as tx:
            row = job_rows.get(tx, job)
            states = DatumStates(tx, self._storage, row)
            seen = states.find(datum)
            execution = execution_rows.get(tx, row.pipeline_id, row.version)
            pipeline = pipeline_rows.by_id(tx, row.pipeline_id)
        if seen is not None:
            info = self._infos(row, states, [seen], execution)[0]
            if info.state is not DatumState.SKIPPED or pipeline is None:
                return info
            return replace(info, image=next((each["image"] for each in self._done(pipeline, info.key)), ""))
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
            Unavailable: COMMIT_OPEN: the commit is not finished.
        """
        with self._db.read() as tx:
            asked = resolve.resolve(tx, file.commit)
            row = asked if not asked.error else commit_lines.last_good(tx, asked.id)
            job = None if row is None else job_rows.by_output(tx, row.id)
            pipeline = None if job is None else pipeline_rows.by_id(tx, job.pipeline_id)
        if asked.finished_at is None:
            text = f"commit {asked.commit} not finished; wait for it: howdah wait commit {asked.commit}"
            raise Unavailable(ErrorKind.COMMIT_OPEN, text)
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
        for record in self._done(pipeline, planned[0].datum):
            return _provenance(job, record)
        raise _not_made(file, f"what datum {datum} did is not known any more")

    def _done(self, pipeline: PipelineRow, key: str) -> Iterator[dict[str, Any]]:
        """The record of what a datum with a key did, if it ever succeeded."""
        done = self._storage.fileset(pipeline.done_root, f"what pipeline {pipeline.pipeline} did")
        path = META + key
        for _, _, record in read_records(self._storage, done.batches(path, path + "\0"), "the record of datum"):
            yield record

    def _pages(
        self, job: Job, states: frozenset[DatumState], after: str, number: int, reverse: bool
    ) -> Iterator[DatumInfo]:
        left = number
        while left or not number:
            limit = min(_PAGE, left) if number else _PAGE
            with self._db.read() as tx:
                if (row := job_rows.find(tx, job)) is None:
                    return  # deleted meanwhile
                of = DatumStates(tx, self._storage, row)
                seen = (of.page_before if reverse else of.page)(states, after, limit)
                execution = execution_rows.get(tx, row.pipeline_id, row.version)
            yield from self._infos(row, of, seen, execution)
            if len(seen) < limit:
                return
            after, left = seen[-1].path[1:], left - len(seen)

    def _infos(self, row: JobRow, of: DatumStates, page: Sequence[Seen], execution: Execution) -> tuple[DatumInfo, ...]:
        """What is known of some datums, in their order."""
        image = execution.digest if execution.in_container else ""
        names = pa.array(sorted(seen.path for seen in page), pa.string())
        planned = {
            path: (key, record)
            for batch, _ in rows_of(of.plan, names)
            for path, key, record in read_records(self._storage, [batch], "planned datum")
        }
        inputs = InputsOfParts(Details.of(row).inputs)
        results = self._results(of, page)
        infos = []
        for seen in page:
            key, record = planned[seen.path]
            datum = seen.path[1:]
            result = seen.result or results.get(datum) or DatumResult(datum, seen.state, tries=0)
            parts = _parts(record, inputs)
            what = (key, result.reason, result.tries, result.stats, image if seen.state in ENDED else "")
            infos.append(DatumInfo(datum, row.job, seen.state, parts, *what))
        return tuple(infos)

    def _results(self, of: DatumStates, page: Sequence[Seen]) -> dict[str, DatumResult]:
        """What was collected of some datums, by id."""
        wanted = [seen for seen in page if seen.state in ENDED and seen.result is None]
        names = pa.array(sorted(result_path(of.results, seen.state, seen.path) for seen in wanted), pa.string())
        return {
            path[-ID_DIGITS:]: result_of(path[-ID_DIGITS:], state, record)
            for batch, _ in rows_of(of.results, names)
            for path, state, record in read_records(self._storage, [batch], "result of datum")
        }


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

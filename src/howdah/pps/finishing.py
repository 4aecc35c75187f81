# SPDX-License-Identifier: Apache-2.0
"""Finish a job: what its workers handed in becomes its output commit, its meta commit, and what is done for ever.

All filesets are stored first; then one transaction closes both commits and ends the job. A crash in between
leaves garbage, and the next scheduler does the same again. What succeeded in a job that failed or was killed
is kept too (`keep_leftovers`), so it never runs again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind
from howdah.kit import fail
from howdah.model.refs import Pipeline
from howdah.model.states import JobState
from howdah.pfs import closing, commit_rows
from howdah.pps import execution_rows, job_rows, logs, pipeline_rows, set_rows
from howdah.pps.compose import NO_BASE, Base, FilesOf, compose_meta, compose_output
from howdah.pps.infos import DatumResult
from howdah.pps.job_rows import JobRow
from howdah.pps.parts import InputsOfParts
from howdah.pps.pipeline_rows import PipelineRow
from howdah.pps.results import Collected, Maker, collect
from howdah.pps.starting import Details, input_commits
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = ["clash_text", "end_badly", "finish_job", "keep_leftovers", "unrunnable"]

_REASON_MAX: Final = 1000  # characters of what a worker said of a datum


@dataclass(frozen=True, slots=True)
class _Ending:
    """What ends a job: its state and why, the files of its two commits, and what is done from now on."""

    state: JobState
    reason: str
    output: bytes
    meta: bytes
    done: bytes


def finish_job(db: Database, storage: Storage, row: JobRow) -> None:
    """End a job in state FINISHING, as SUCCESS or as FAILURE.

    Raises:
        NotFound: the job is gone.
        Refused: the job was ended meanwhile.
        Conflict: WRITE_CONFLICT: what its pipeline did was changed meanwhile; repeat it.
        Damaged: what it needs cannot be read.
    """
    with db.read() as tx:
        if job_rows.by_id(tx, row.id) is None:
            raise job_rows.missing(row.job)
        pipeline = pipeline_rows.get(tx, row.job.pipeline)
        base = _base(tx, row, pipeline)
    collected = _collect(db, storage, pipeline, row)
    ending = _compose(storage, row, base, collected, pipeline.done_root)
    fail.here("pps.finish.stored")
    output, meta = (_sizes(storage, root) for root in (ending.output, ending.meta))
    with db.write() as tx:
        _keep(tx, pipeline, row, collected, ending.done)
        if _close(tx, row.output_commit_id, ending.output, *output, error=_error(ending)):
            state, reason = ending.state, ending.reason
        else:
            state, reason = JobState.KILLED, "its output commit was finished by somebody else"
        _close(tx, row.meta_commit_id, ending.meta, *meta, error=_error(ending))
        job = job_rows.move(tx, row, state, reason)
        logs.say_end(tx, job)
        fail.here("pps.finish.done")


def keep_leftovers(db: Database, storage: Storage, job_id: int) -> None:
    """Keep what succeeded in a job that was ended before its results were collected. Repeating it does nothing.

    Raises:
        Conflict: WRITE_CONFLICT: what its pipeline did was changed meanwhile; repeat it.
        Damaged: what it needs cannot be read.
    """
    with db.read() as tx:
        row = job_rows.by_id(tx, job_id)
        pipeline = None if row is None else pipeline_rows.find(tx, row.job.pipeline)
        handed_in = set_rows.has_results(tx, job_id)
    if row is None or pipeline is None:
        return
    if not handed_in:
        with db.write() as tx:
            set_rows.clear(tx, job_id)
        return
    collected = _collect(db, storage, pipeline, row)
    fail.here("pps.finish.stored")
    with db.write() as tx:
        _keep(tx, pipeline, row, collected, collected.done)


def end_badly(tx: Transaction, row: JobRow, state: JobState, reason: str) -> JobRow:
    """End a job that has no output: both commits are closed with the reason as their error.

    Raises:
        Refused: JOB_FINISHED, or BAD_MOVE.
    """
    ended = job_rows.move(tx, row, state, reason)
    for key in (row.output_commit_id, row.meta_commit_id):
        _close(tx, key, EMPTY_ROOT, 0, 0, error=reason)
    logs.say_end(tx, ended)
    return ended


def clash_text(clash: str) -> str:
    """The reason of a job two of whose datums write one path."""
    return f"{clash}; let each datum write paths of its own, then update the pipeline with --reprocess"


def unrunnable(tx: Transaction, row: JobRow) -> str:
    """Why a job cannot run, if commits that it reads have errors; "" if it can."""
    bad = sorted({each.commit.repo for each in input_commits(tx, row) if each.error})
    if not bad:
        return ""
    failed = [repo for repo in bad if pipeline_rows.find(tx, Pipeline(repo.project, repo.name)) is not None]
    names = ", ".join(str(Pipeline(repo.project, repo.name)) for repo in failed or bad)
    what = "upstream pipelines failed" if failed else "input commits have an error"
    return f"unrunnable because the following {what}: {names}"


def _base(tx: Transaction, row: JobRow, pipeline: PipelineRow) -> Base:
    """The job to build on: that of the nearest good ancestor of the output commit.

    A pipeline that runs every datum every time replaces what was done before, so its outputs are made from nothing.
    """
    output = commit_rows.by_ids(tx, [row.output_commit_id])[row.output_commit_id]
    above = None if output.parent_id is None else commit_rows.last_good(tx, output.parent_id)
    job = None if above is None else job_rows.by_output(tx, above.id)
    if above is None or above.root is None or job is None or job.state is not JobState.SUCCESS:
        return NO_BASE
    if job.datums_recovered:  # without output then, and perhaps with one since
        return NO_BASE
    if job.plan_root is None or job.pipeline_id != row.pipeline_id or job.meta_commit_id is None:
        return NO_BASE
    for version in pipeline_rows.versions(tx, pipeline, job.version, row.version):
        if pipeline_rows.spec_of(version.effective_spec).runs_every_time:
            return NO_BASE
    meta = commit_rows.by_ids(tx, [job.meta_commit_id])[job.meta_commit_id]
    if meta.forgotten:
        return NO_BASE
    return Base(job.plan_root, above.root, meta.root or EMPTY_ROOT)


def _collect(db: Database, storage: Storage, pipeline: PipelineRow, row: JobRow) -> Collected:
    detail = Details.of(row)
    todo = storage.fileset(detail.todo, f"job {row.job}")
    with db.read() as tx:
        spec = pipeline_rows.spec_of(pipeline_rows.version(tx, pipeline, row.version).effective_spec)
        # A process of this machine runs in no image, whatever the spec says.
        execution = execution_rows.get(tx, pipeline.id, row.version)
        image = execution.digest if execution.in_container else ""
        maker = Maker(row.job.id, row.version, spec.transform.cmd, image, detail.inputs, spec.runs_every_time)
        return collect(storage, pipeline.done_root or EMPTY_ROOT, todo, set_rows.results(tx, row.id), maker)


def _compose(storage: Storage, row: JobRow, base: Base, collected: Collected, before: bytes | None) -> _Ending:
    plan = storage.fileset(row.plan_root, f"the plan of job {row.job}")
    done = storage.fileset(collected.done, f"what pipeline {row.job.pipeline} did")
    output = compose_output(storage, base, plan, done)
    inputs = _inputs(storage, row)
    meta = compose_meta(storage, base, plan, done, inputs, f"the meta commit of job {row.job}")
    # Readers who ask for partial files see what succeeded.
    partial = base.output if output.clash else output.root
    # What clashes must run again when the code is mended, so nothing of such a job counts as done.
    kept = (before or EMPTY_ROOT) if output.clash else collected.done
    if collected.failed_count:
        reason = _failed(row, collected.failed, collected.failed_count)
        return _Ending(JobState.FAILURE, reason, partial, meta, kept)
    if output.clash:
        return _Ending(JobState.FAILURE, clash_text(output.clash), partial, meta, kept)
    return _Ending(JobState.SUCCESS, "", output.root, meta, kept)


def _close(tx: Transaction, key: int | None, root: bytes, files: int, size: int, *, error: str) -> bool:
    """Close a commit of a job, unless somebody has forced it to an end, or it is gone; whether it was closed here."""
    row = None if key is None else commit_rows.by_ids(tx, [key]).get(key)
    if row is None or row.finishing_at is not None:
        return False
    closing.close_row(tx, row.id, root, files, size, error=error)
    return True


def _inputs(storage: Storage, row: JobRow) -> FilesOf:
    """What a job read, by the names and branches of parts of its datums."""
    inputs = InputsOfParts(Details.of(row).inputs)

    def files_of(name: str, branch: str) -> Fileset:
        read = inputs.of({"name": name, "branch": branch})
        assert read is not None, "a job was planned with an input that it has not"
        return storage.fileset(read.root, f"commit {read.commit}")

    return files_of


def _keep(tx: Transaction, pipeline: PipelineRow, row: JobRow, collected: Collected, done: bytes) -> None:
    if not pipeline_rows.set_done(tx, pipeline.id, pipeline.done_root, done):
        raise Conflict(
            ErrorKind.WRITE_CONFLICT, f"what pipeline {pipeline.pipeline} did was changed meanwhile; repeat it"
        )
    job_rows.set_results(tx, row.id, collected.results, collected.containment)
    set_rows.clear(tx, row.id)


def _failed(row: JobRow, failed: Sequence[DatumResult], count: int) -> str:
    first = failed[0]
    reason = " ".join(first.reason.split())[:_REASON_MAX]
    if first.id not in reason:  # our workers name the datum and its log; others may not
        what = f": {reason}" if reason else ""
        reason = f"datum {first.id} failed{what}; see what it printed: howdah logs -j {row.job} --datum {first.id}"
    return reason if count == 1 else f"{count} datums failed, the first: {reason}; all: howdah list datum {row.job}"


def _error(ending: _Ending) -> str:
    return "" if ending.state is JobState.SUCCESS else ending.reason


def _sizes(storage: Storage, root: bytes) -> tuple[int, int]:
    total = storage.fileset(root, "a job's commit").total
    return total.files, total.size

# SPDX-License-Identifier: Apache-2.0
"""Start a job: find its datums, leave out what succeeded before, and offer the rest to workers.

Planned once and centrally. The filesets of the plan are stored before the row that names them, so a crash in
between leaves nothing but garbage; the next scheduler plans again and comes to the same roots.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind
from howdah.kit import fail
from howdah.model.refs import Branch, Commit, Repo
from howdah.model.spec import PipelineSpec, pfs_inputs
from howdah.model.states import JobState
from howdah.model.texts import WARNING
from howdah.pfs import closing, commit_rows, provenance
from howdah.pfs.commit_rows import CommitRow
from howdah.pps import job_lists, job_rows, logs, pipeline_rows, set_rows
from howdah.pps.done import find_todo
from howdah.pps.infos import JobInput
from howdah.pps.inputs import LOOKED_LONG, warnings_of
from howdah.pps.job_rows import JobRow
from howdah.pps.pipeline_rows import PipelineRow
from howdah.pps.replan import Earlier, fingerprint, replan
from howdah.pps.sharing import datum_sets, workers_of
from howdah.pps.subjects import WORK
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.storage import Storage

__all__ = ["Details", "input_commits", "plan_job"]


@dataclass(frozen=True, slots=True)
class Details:
    """What is fixed when a job is planned; kept in its row's `detail`."""

    inputs: tuple[JobInput, ...] = ()
    todo: bytes = EMPTY_ROOT
    containment: str = ""
    fingerprint: str = ""  # what the plan depends on besides the inputs' files; see `pps.replan`

    @classmethod
    def of(cls, row: JobRow) -> "Details":
        """Of a job's row; without inputs as long as it is not planned."""
        detail = row.detail
        if "todo" not in detail:
            return cls()
        inputs = tuple(_input_of(each) for each in detail["inputs"])
        todo = bytes.fromhex(detail["todo"])
        return cls(inputs, todo, detail.get("containment", ""), detail.get("fingerprint", ""))

    def to_json(self) -> dict[str, Any]:
        """What `of` reads."""
        inputs = [_input_json(each) for each in self.inputs]
        return {"inputs": inputs, "todo": self.todo.hex(), "fingerprint": self.fingerprint}


@dataclass(frozen=True, slots=True)
class _Situation:
    """What planning needs to know, as it was at one moment."""

    pipeline: PipelineRow
    spec: PipelineSpec
    user_spec: str
    inputs: tuple[JobInput, ...]
    sure: Earlier | None  # what an earlier job planned, all of whose datums succeeded
    seconds: float | None  # that a datum took lately


def input_commits(tx: Transaction, row: JobRow) -> list[CommitRow]:
    """The commits that a job's output commit directly depends on, that of the spec among them."""
    above = provenance.direct_upstreams(tx, [row.output_commit_id]).get(row.output_commit_id, set())
    return list(commit_rows.by_ids(tx, [commit for commit, _ in above]).values())


def plan_job(db: Database, storage: Storage, row: JobRow, workers: int) -> None:
    """Plan a job in state STARTING, and bring it to RUNNING, or to FINISHING if nothing is to be run.

    Raises:
        Refused: the job was ended meanwhile; COMMIT_FORGOTTEN: an input's files were given up.
        Conflict: DELETED_MEANWHILE: an input's commit is gone.
        Damaged: an input or what was planned before cannot be read.
    """
    with db.read() as tx:
        now = _situation(tx, row)
    referrer = f"the plan of job {row.job}"
    filesets = {each.branch: storage.fileset(each.root, f"commit {each.commit}") for each in now.inputs}
    assert now.spec.input is not None
    salt = now.pipeline.salt
    plan_root = replan(storage, now.sure or Earlier(), now.spec.input, filesets, salt, referrer)
    warnings = warnings_of(now.spec.input, filesets, LOOKED_LONG)
    plan = storage.fileset(plan_root, referrer)
    done = storage.fileset(now.pipeline.done_root, f"what pipeline {now.pipeline.pipeline} did")
    if now.spec.runs_every_time:
        todo_root = plan_root
    else:
        sure = None if now.sure is None else storage.fileset(now.sure.plan, referrer)
        todo_root = find_todo(storage, plan, sure, done)
    todo = storage.fileset(todo_root, referrer)
    at_once = workers_of(now.user_spec, now.spec.parallelism) or workers
    sets = datum_sets(storage, now.spec, todo, at_once, now.seconds)
    fail.here("pps.plan.stored")
    with db.write() as tx:
        job = job_rows.move(tx, row, JobState.RUNNING if sets else JobState.FINISHING)
        details = Details(now.inputs, todo_root, fingerprint=fingerprint(now.spec.input, salt)).to_json()
        counts = {"total": plan.total.files, "todo": todo.total.files}
        job_rows.set_plan(tx, job.id, plan_root, done.root, details, **counts)
        set_rows.insert_sets(tx, job.id, sets)
        old = counts["total"] - counts["todo"]
        logs.say(tx, job, f"planned {counts['total']} datums: {counts['todo']} to run, {old} done before")
        _tell(tx, job, warnings)
        if sets:
            tx.emit(WORK, "waiting")


def _tell(tx: Transaction, job: JobRow, warnings: Sequence[str]) -> None:
    """Say in the job's log, and for its pipeline, what is odd about the inputs as they are now."""
    for text in warnings:
        logs.say(tx, job, f"{WARNING}{text}")
    pipeline_rows.set_warnings(tx, job.pipeline_id, job.version, [f"{WARNING}{text}" for text in warnings])


def _situation(tx: Transaction, row: JobRow) -> _Situation:
    pipeline = pipeline_rows.get(tx, row.job.pipeline)
    version = pipeline_rows.version(tx, pipeline, row.version)
    spec = pipeline_rows.spec_of(version.effective_spec)
    earlier = job_lists.last_success(tx, row)
    commits = {each.commit.repo: each for each in input_commits(tx, row)}
    inputs: dict[tuple[str, Branch], JobInput] = {}
    for node in pfs_inputs(spec.input):
        repo = Repo(node.project, node.repo, node.repo_type)
        if (commit := commits.get(repo)) is None:
            text = f"input commit of repo {repo} was deleted; commit to branch {node.branch} of it again"
            raise Conflict(ErrorKind.DELETED_MEANWHILE, text)
        if commit.forgotten:
            raise closing.forgotten(commit.commit)
        branch = Branch(repo, node.branch)
        inputs[node.name, branch] = JobInput(node.name, branch, commit.commit, commit.root or EMPTY_ROOT)
    sure = None if earlier is None else _earlier(earlier)
    seconds = job_lists.seconds_per_datum(tx, row)
    return _Situation(pipeline, spec, version.user_spec, tuple(inputs.values()), sure, seconds)


def _earlier(row: JobRow) -> Earlier:
    details = Details.of(row)
    roots = {each.branch: each.root for each in details.inputs}
    return Earlier(row.plan_root or EMPTY_ROOT, details.fingerprint, roots)


def _input_json(each: JobInput) -> dict[str, str]:
    repo = each.commit.repo
    return {
        "name": each.name,
        "project": repo.project,
        "repo": repo.name,
        "type": repo.type,
        "branch": each.branch.name,
        "commit": each.commit.id,
        "root": each.root.hex(),
    }


def _input_of(each: Mapping[str, str]) -> JobInput:
    repo = Repo(each["project"], each["repo"], each["type"])
    root = bytes.fromhex(each["root"])
    return JobInput(each["name"], Branch(repo, each["branch"]), Commit(repo, each["commit"]), root)

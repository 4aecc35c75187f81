# SPDX-License-Identifier: Apache-2.0
"""Pipelines: making, changing, stopping and deleting them. Each change is one transaction and one commit set.

A pipeline `p` is a row, and three repos: `p` for what it makes, `p.spec` with a commit for each version of its
spec, and `p.meta` for how it was made. The output branch and `p.meta@master` have the branches that it reads and
`p.spec@master` as provenance; so a new version, like new data, makes an output commit, and with it a job
(`pps.following`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import AlreadyExists, Conflict, ErrorKind, Refused
from howdah.kit import fail
from howdah.kit.ids import NewId
from howdah.model.names import META, SPEC
from howdah.model.refs import Pipeline, Repo
from howdah.model.spec import PipelineSpec, is_same, require_supported, reruns_all
from howdah.model.states import JobState, PipelineState
from howdah.model.texts import WARNING
from howdah.pfs import project_rows, repos
from howdah.pfs.catalog import Catalog
from howdah.pfs.resolve import head_of
from howdah.pfs.work import Work
from howdah.pps import crons, execution_rows, job_lists, pipeline_rows
from howdah.pps.executions import AS_PROCESS, Execution
from howdah.pps.finishing import end_badly
from howdah.pps.image_keeper import ImageKeeper
from howdah.pps.images import Images
from howdah.pps.infos import PipelineInfo
from howdah.pps.input_triggers import remove_trigger_branches
from howdah.pps.pipeline_branches import (
    attach,
    check_nobody_reads,
    commit_spec,
    detach,
    output_branch,
    reads,
    spec_branch,
)
from howdah.pps.pipeline_reads import PipelineReads
from howdah.pps.pipeline_rows import PipelineRow
from howdah.pps.secrets import Secrets
from howdah.pps.subjects import pipeline_subject
from howdah.pps.trying import warnings_now
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter

__all__ = ["SPEC_PATH", "Pipelines", "StoredSpec", "kill_all"]

SPEC_PATH: Final = "/spec"


@dataclass(frozen=True, slots=True)
class StoredSpec:
    """The files of a spec commit, in the store: made before the transaction that refers to them."""

    root: bytes
    size: int
    warnings: tuple[str, ...] = ()  # of its inputs, as they are (`pps.input_warnings`)
    execution: Execution = AS_PROCESS


class Pipelines(PipelineReads):
    """The pipelines of a lake: what is told of them, and their changes. Safe for many threads."""

    def __init__(
        self,
        db: Database,
        storage: Storage,
        catalog: Catalog,
        secrets: Secrets,
        images: Images,
        keeper: ImageKeeper,
        new_id: NewId,
    ) -> None:
        super().__init__(db)
        self._storage = storage
        self._catalog = catalog
        self._secrets = secrets
        self._images = images
        self._keeper = keeper
        self._new_id = new_id

    def create(
        self,
        spec: PipelineSpec,
        user_spec: str = "",
        *,
        update: bool = False,
        reprocess: bool = False,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> PipelineInfo:
        """Make a pipeline; with `update` give one that is there another version, or leave it if nothing changes.

        It starts a job at once, on what its inputs hold; an update kills the jobs that have not ended. With
        `reprocess` every datum runs again, also those that succeeded before, and equal specs are an update too.
        `user_spec` is the text as it was given. `warn` is told what to know of its image: that a tag has moved, which
        makes an update of equal specs another version, or why no container is used.

        Raises:
            Unsupported: the spec asks for what this version cannot do; the field is named.
            AlreadyExists: PIPELINE_EXISTS without `update`; REPO_EXISTS: a repo of that name is there.
            NotFound: the project, or a repo that it reads, or a secret.
            BadRequest: DAG_INVALID, such as a pipeline that reads itself; BAD_SPEC: a secret has no such key.
            Refused: SECRETS_KEY: a secret that it uses cannot be opened by this server. NO_ENGINE: it is to run in a
                container, and no engine answers.
        """
        stored = self.store(spec, user_spec)
        with self._catalog.work() as work:
            self.create_in(work, spec, user_spec, stored, update=update, reprocess=reprocess)
        if stored.execution.note:
            warn(stored.execution.note)
        return self.inspect(Pipeline(spec.project, spec.name))

    def check(self, spec: PipelineSpec, user_spec: str = "") -> None:
        """Return if this version and this server can run such a pipeline; nothing is stored.

        Raises:
            Unsupported: as `create`.
            Refused: NO_ENGINE.
        """
        self.unstored(spec, user_spec)

    def store(self, spec: PipelineSpec, user_spec: str = "", execution: Execution | None = None) -> StoredSpec:
        """Store what the spec commit of this spec will hold, and find out how it runs. Repeating it stores nothing.

        With an `execution` it runs so; without, what image it names is asked of the engine.

        Raises:
            Unsupported, Refused: as `create`.
        """
        require_supported(spec)
        how = execution or self._images.choose(spec, user_spec)
        pipeline = Pipeline(spec.project, spec.name)
        referrer = f"the spec of pipeline {pipeline}"
        data = spec.to_json().encode()
        with ChangeWriter(self._storage, self._storage.fileset(None, referrer)) as writer:
            writer.put(SPEC_PATH, [data])
            root = self._storage.apply(None, writer.finish(), referrer).root
        return StoredSpec(root, len(data), self._warnings(spec), how)

    def unstored(self, spec: PipelineSpec, user_spec: str = "") -> StoredSpec:
        """What stands for the answer of `store` in a trial: nothing is stored, and no registry is asked.

        Raises:
            Unsupported, Refused: as `create`.
        """
        require_supported(spec)
        return StoredSpec(EMPTY_ROOT, 0, execution=self._images.check(spec, user_spec))

    def create_in(
        self,
        work: Work,
        spec: PipelineSpec,
        user_spec: str,
        stored: StoredSpec,
        *,
        update: bool,
        reprocess: bool,
        again: bool = False,
    ) -> None:
        """As `create`, as a step of the caller's own change; `stored` is what `store` or `unstored` answered for it.

        With `again` an equal spec is an update too.
        """
        require_supported(spec)
        pipeline = Pipeline(spec.project, spec.name)
        effective = spec.to_json()
        row = pipeline_rows.find(work.tx, pipeline)
        execution = stored.execution
        before = execution if row is None else execution_rows.get(work.tx, row.id, row.version)
        old: PipelineSpec | None = None
        if row is None:
            row = _create(work, pipeline, spec.salt or self._new_id())
            kind = "created"
        elif not update:
            raise AlreadyExists(
                ErrorKind.PIPELINE_EXISTS,
                f'pipeline "{pipeline}" already exists; change it: howdah update pipeline, or choose another name',
            )
        elif not (reprocess or again) and is_same(_spec(work.tx, row), spec, row.salt) and execution.is_as(before):
            pipeline_rows.set_user_spec(work.tx, row, user_spec or effective)
            work.tx.after_commit(partial(self._keeper.retry, row.id))
            return
        else:
            renew = reprocess or reruns_all(_spec(work.tx, row), spec, other_image=not execution.is_as(before))
            old = self._prepare_update(work, row, spec, reprocess=renew)
            kind = "updated"
        self._secrets.given(work.tx, spec)  # or it could not run
        crons.adopt(work, row.id, spec, old)
        commit_spec(work, pipeline, stored.root, stored.size)
        number = pipeline_rows.add_version(work.tx, row, user_spec or effective, effective, work.set_id)
        execution_rows.add(work.tx, row.id, number, execution)
        if not row.stopped:
            attach(work, spec)
        if old is not None:
            remove_trigger_branches(work, old, spec)
        pipeline_rows.set_warnings(work.tx, row.id, number, [WARNING + text for text in stored.warnings])
        work.tx.emit(pipeline_subject(pipeline), kind)
        fail.here("pps.pipeline.specified")

    def stop(self, pipeline: Pipeline, *, must_exist: bool = False) -> bool:
        """Let a pipeline follow its inputs no more, and kill its jobs; False if there is no such pipeline.

        Raises:
            NotFound: PIPELINE_NOT_FOUND, with `must_exist`.
        """
        with self._catalog.work() as work:
            if (row := _found(work.tx, pipeline, must_exist)) is None:
                return False
            if not row.stopped:
                kill_all(work.tx, row, "all jobs killed because pipeline was stopped")
                detach(work, _spec(work.tx, row))
                pipeline_rows.set_state(work.tx, row.id, PipelineState.PAUSED, stopped=True, salt=row.salt)
                work.tx.emit(pipeline_subject(pipeline), "stopped")
                fail.here("pps.pipeline.stopped")
        return True

    def start(self, pipeline: Pipeline) -> None:
        """Let a stopped pipeline follow its inputs again: one job for what came meanwhile, if anything did.

        A job that the stop had killed is done again.

        Raises:
            NotFound: PIPELINE_NOT_FOUND, or a repo that it reads is gone.
        """
        with self._catalog.work() as work:
            row = pipeline_rows.get(work.tx, pipeline)
            if not row.stopped:
                return
            spec = _spec(work.tx, row)
            pipeline_rows.set_state(work.tx, row.id, PipelineState.RUNNING, stopped=False, salt=row.salt)
            head = head_of(work.tx, output_branch(spec))
            if head is not None and head.error:
                spec_head = head_of(work.tx, spec_branch(pipeline))
                assert spec_head is not None
                assert spec_head.root is not None
                commit_spec(work, pipeline, spec_head.root, spec_head.size_bytes or 0)
            crons.adopt(work, row.id, spec, spec)
            attach(work, spec)
            work.tx.emit(pipeline_subject(pipeline), "started")
            fail.here("pps.pipeline.started")

    def rerun(self, pipeline: Pipeline, *, reprocess: bool = False) -> PipelineInfo:
        """Start a job on what the inputs hold now, as another version of the same spec.

        Jobs that have not ended are killed. Only what has not succeeded runs, or with `reprocess` everything; in
        the same image, wherever its tag is now.

        Raises:
            NotFound: PIPELINE_NOT_FOUND.
            Refused: PIPELINE_STOPPED.
            Conflict: WRITE_CONFLICT: it was updated meanwhile, which has started a job.
        """
        with self._db.read() as tx:
            row = pipeline_rows.get(tx, pipeline)
            version = pipeline_rows.version(tx, row, row.version)
            execution = execution_rows.get(tx, row.id, row.version)
        if row.stopped:
            raise pipeline_rows.is_stopped(pipeline)
        spec = pipeline_rows.spec_of(version.effective_spec)
        stored = self.store(spec, execution=replace(execution, note="") if execution.in_container else execution)
        with self._catalog.work() as work:
            if pipeline_rows.get(work.tx, pipeline).version != row.version:
                text = f"pipeline {pipeline} was updated meanwhile, and runs by that; see its jobs"
                raise Conflict(ErrorKind.WRITE_CONFLICT, f"{text}: howdah list job -p {pipeline}")
            user_spec = version.user_spec
            self.create_in(work, spec, user_spec, stored, update=True, reprocess=reprocess, again=True)
        return self.inspect(pipeline)

    def delete(
        self, pipeline: Pipeline, *, force: bool = False, keep_repo: bool = False, must_exist: bool = False
    ) -> bool:
        """Delete a pipeline with its jobs and its repos; False if there is no such pipeline.

        With `keep_repo` the repos of its output and of its ticks stay, as a user's repos. With `force` it goes even if
        others read from it; those lose that input.

        Raises:
            NotFound: PIPELINE_NOT_FOUND, with `must_exist`.
            Refused: HAS_DEPENDANTS.
        """
        with self._catalog.work() as work:
            if (row := _found(work.tx, pipeline, must_exist)) is None:
                return False
            repo = Repo(pipeline.project, pipeline.name)
            if not force and not keep_repo:
                check_nobody_reads(work.tx, pipeline, repo)
            kill_all(work.tx, row, "job killed because its pipeline was deleted")
            spec = _spec(work.tx, row)
            detach(work, spec)
            if not keep_repo:
                crons.remove_repos(work, row.id, spec, force=force)
            pipeline_rows.remove(work.tx, row.id)
            kept = [Repo(repo.project, repo.name, kind) for kind in (META, SPEC)]
            for each in kept if keep_repo else [repo]:
                repos.delete(work, each, force=True)
            remove_trigger_branches(work, spec, None)
            work.tx.emit(pipeline_subject(pipeline), "deleted")
            fail.here("pps.pipeline.deleted")
        return True

    def guard_repo(self, tx: Transaction, repo: Repo) -> None:
        """Refuse to delete a repo of a pipeline by itself."""
        pipeline = Pipeline(repo.project, repo.name)
        if pipeline_rows.find(tx, pipeline) is not None:
            raise Refused(
                ErrorKind.HAS_DEPENDANTS,
                f"repo {repo} cannot be deleted: it belongs to pipeline {pipeline}; "
                f"delete that: howdah delete pipeline {pipeline}",
            )

    def _warnings(self, spec: PipelineSpec) -> tuple[str, ...]:
        return () if spec.input is None else warnings_now(self._db, self._storage, spec.input)

    def _prepare_update(self, work: Work, row: PipelineRow, spec: PipelineSpec, *, reprocess: bool) -> PipelineSpec:
        """Get a pipeline ready for its next version; the spec of the present one."""
        kill_all(work.tx, row, "all jobs killed because pipeline was updated")
        old = _spec(work.tx, row)
        if not row.stopped and (old.output_branch != spec.output_branch or reads(old) != reads(spec)):
            detach(work, old)  # one branch after another: at no moment two of a repo may be in one DAG
        explicit = spec.salt if spec.salt != old.salt else ""
        salt = explicit or (self._new_id() if reprocess else row.salt)
        state = PipelineState.PAUSED if row.stopped else PipelineState.RUNNING
        pipeline_rows.set_state(work.tx, row.id, state, stopped=row.stopped, salt=salt)
        return old


def kill_all(tx: Transaction, row: PipelineRow, reason: str) -> None:
    """End all jobs of a pipeline that have not ended."""
    for job in job_lists.open_of(tx, row.id):
        end_badly(tx, job, JobState.KILLED, reason)


def _create(work: Work, pipeline: Pipeline, salt: str) -> PipelineRow:
    project_id = project_rows.get_id(work.tx, pipeline.project)
    description = f"Output repo for pipeline {pipeline}."
    try:
        repos.create(work, Repo(pipeline.project, pipeline.name), description)
    except AlreadyExists as error:
        text = f"{error.message.partition(';')[0]}, so pipeline {pipeline} cannot write to it; choose another name"
        raise AlreadyExists(error.kind, text) from error
    for kind in (SPEC, META):
        repos.create(work, Repo(pipeline.project, pipeline.name, kind))
    return pipeline_rows.insert_pipeline(work.tx, project_id, pipeline, salt)


def _found(tx: Transaction, pipeline: Pipeline, must_exist: bool) -> PipelineRow | None:
    return pipeline_rows.get(tx, pipeline) if must_exist else pipeline_rows.find(tx, pipeline)


def _spec(tx: Transaction, row: PipelineRow) -> PipelineSpec:
    return pipeline_rows.spec_of(pipeline_rows.version(tx, row, row.version).effective_spec)

# SPDX-License-Identifier: Apache-2.0
"""What is told of pipelines: their rows put together with their versions and the states of their newest jobs."""

from collections.abc import Sequence

from howdah.db.transaction import Transaction
from howdah.model.names import SPEC
from howdah.model.refs import Commit, Repo
from howdah.model.states import JobState
from howdah.pfs import repo_rows
from howdah.pfs.resolve import of_set
from howdah.pps import execution_rows, job_rows, pipeline_rows
from howdah.pps.executions import AS_PROCESS, Execution
from howdah.pps.infos import PipelineInfo
from howdah.pps.pipeline_rows import PipelineRow, VersionRow

__all__ = ["filled", "info_of", "infos_of", "version_in"]


def info_of(tx: Transaction, row: PipelineRow, version: VersionRow) -> PipelineInfo:
    """What is known of a pipeline at one of its versions."""
    execution = execution_rows.get(tx, row.id, version.version)
    return filled(row, version, job_rows.newest_states(tx, [row.id]).get(row.id), execution)


def infos_of(tx: Transaction, rows: Sequence[PipelineRow], history: int) -> "list[PipelineInfo]":
    """Each of these pipelines at its present version, and at so many older ones."""
    states = job_rows.newest_states(tx, [row.id for row in rows])
    if history == 0:
        present = pipeline_rows.present_versions(tx, [row.id for row in rows])
        how = execution_rows.of_versions(tx, {(row.id, row.version) for row in rows})
        return [filled(row, present[row.id], states.get(row.id), how.get((row.id, row.version))) for row in rows]
    found: list[PipelineInfo] = []
    for row in rows:
        first = 1 if history < 0 else max(1, row.version - history)
        versions = pipeline_rows.versions(tx, row, first, row.version)
        how = execution_rows.of_versions(tx, {(row.id, version.version) for version in versions})
        last = states.get(row.id)
        found += [filled(row, version, last, how.get((row.id, version.version))) for version in versions]
    return found


def version_in(tx: Transaction, row: PipelineRow, set_id: str) -> VersionRow | None:
    """The version of a pipeline in a commit set; None if the set has nothing to do with it."""
    repo = repo_rows.find(tx, Repo(row.pipeline.project, row.pipeline.name, SPEC))
    spec = None if repo is None else of_set(tx, repo.id, set_id)
    return None if spec is None else pipeline_rows.version_at(tx, row, spec.started_at)


def filled(
    row: PipelineRow, version: VersionRow, last: JobState | None, execution: Execution | None = None
) -> PipelineInfo:
    """A pipeline at one of its versions; `last` is the state of its newest job."""
    spec = pipeline_rows.spec_of(version.effective_spec)
    repo = Repo(row.pipeline.project, row.pipeline.name, SPEC)
    return PipelineInfo(
        pipeline=row.pipeline,
        version=version.version,
        spec=spec,
        user_spec=version.user_spec,
        effective_spec=version.effective_spec,
        spec_commit=Commit(repo, version.spec_set_id),
        state=row.state,
        reason=row.reason,
        stopped=row.stopped,
        last_job_state=last,
        salt=row.salt,
        created_at=row.created_at,
        updated_at=row.updated_at,
        metadata=row.metadata,
        execution=execution or AS_PROCESS,
    )

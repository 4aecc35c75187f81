# SPDX-License-Identifier: Apache-2.0
"""The states of pipelines that follow from their work: STANDBY without any, CRASHING when workers cannot be equipped.

    RUNNING   <-> STANDBY    with autoscaling: as there is a job to be done or not (the scheduler, `settle`)
    RUNNING    -> CRASHING   a worker was to be given a datum set, and its secrets cannot be had (`equip`, at a claim);
                             or its image cannot be had (`pps.image_keeper`)
    CRASHING   -> RUNNING    they can be had again (`equip`, or the scheduler, whichever is first)

Workers belong to all pipelines, so a pipeline that is in STANDBY holds none of them anyway: its share is given back
with its last claim. PAUSED is the user's (`pps.pipelines`). Each change is one transaction with its event.
"""

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import HowdahError
from howdah.model.states import PipelineState
from howdah.pps import execution_rows, pipeline_rows
from howdah.pps.executions import Execution
from howdah.pps.image_keeper import ImageKeeper
from howdah.pps.infos import GivenSecret
from howdah.pps.job_rows import JobRow
from howdah.pps.pipeline_rows import PipelineRow
from howdah.pps.secrets import Secrets
from howdah.pps.subjects import pipeline_subject

__all__ = ["Equipment", "equip", "settle"]


Equipment = tuple[Execution, tuple[GivenSecret, ...]]
"""What a worker is given beside its datums: how they run, and secrets."""


def equip(tx: Transaction, secrets: Secrets, images: ImageKeeper, job: JobRow) -> Equipment | None:
    """What a worker of a job is given beside its datums; None if that cannot be had now.

    Of secrets the pipeline is CRASHING then; what is the matter with an image, its keeper says.
    """
    execution = execution_rows.get(tx, job.pipeline_id, job.version)
    if not images.is_ready(job.pipeline_id, job.version, execution):
        return None
    pipeline = pipeline_rows.get(tx, job.job.pipeline)
    spec = pipeline_rows.spec_of(pipeline_rows.version(tx, pipeline, job.version).effective_spec)
    if not spec.transform.secrets:
        return execution, ()
    try:
        given = secrets.given(tx, spec)
    except HowdahError as error:
        _move(tx, pipeline, PipelineState.CRASHING, error.message)
        return None
    if pipeline.state is PipelineState.CRASHING:
        _move(tx, pipeline, PipelineState.RUNNING)
    return execution, given


def settle(db: Database, secrets: Secrets, images: ImageKeeper) -> bool:
    """Bring pipelines to the states that follow from their work as it is now; whether there was one to bring."""
    with db.read() as tx:
        if not any(_wanted(tx, secrets, images, row, busy) for row, busy in pipeline_rows.moving(tx)):
            return False
    with db.write() as tx:
        for row, busy in pipeline_rows.moving(tx):
            if state := _wanted(tx, secrets, images, row, busy):
                _move(tx, row, state)
    return True


def _wanted(
    tx: Transaction, secrets: Secrets, images: ImageKeeper, row: PipelineRow, busy: bool
) -> PipelineState | None:
    """The state that a pipeline should be in and is not."""
    if row.state is PipelineState.CRASHING:
        if not images.is_well(row.id, row.version, execution_rows.get(tx, row.id, row.version)):
            return None
        spec = pipeline_rows.spec_of(pipeline_rows.version(tx, row, row.version).effective_spec)
        try:
            secrets.given(tx, spec)
        except HowdahError:
            return None
        return PipelineState.RUNNING
    if busy:
        return PipelineState.RUNNING if row.state is PipelineState.STANDBY else None
    return PipelineState.STANDBY if row.state is PipelineState.RUNNING else None


def _move(tx: Transaction, row: PipelineRow, state: PipelineState, reason: str = "") -> None:
    if row.stopped or (row.state, row.reason) == (state, reason):
        return
    pipeline_rows.set_condition(tx, row.id, state, reason)
    tx.emit(pipeline_subject(row.pipeline), "moved", {"state": state.wire_name})

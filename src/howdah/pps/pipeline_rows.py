# SPDX-License-Identifier: Apache-2.0
"""Owner of the tables of pipelines and their versions. What may be done to a pipeline, and when: `pps.pipelines`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, bindparam, delete, insert, or_, select, update

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound, Refused
from howdah.model.refs import Pipeline
from howdah.model.spec import PipelineSpec, parse_spec
from howdah.model.states import JobState, PipelineState, is_terminal
from howdah.model.texts import WARNING

__all__ = [
    "PipelineRow",
    "Present",
    "VersionRow",
    "add_version",
    "any_there",
    "by_id",
    "effective_spec",
    "effective_specs",
    "find",
    "get",
    "insert_pipeline",
    "is_stopped",
    "missing",
    "moving",
    "page",
    "present",
    "present_versions",
    "remove",
    "set_condition",
    "set_done",
    "set_labels",
    "set_state",
    "set_user_spec",
    "set_version",
    "set_warnings",
    "spec_of",
    "version",
    "version_at",
    "versions",
]

_T: Final = tables.pipeline.c
_V: Final = tables.pipeline_version.c
_P: Final = tables.project.c
_OPEN: Final = tuple(int(state) for state in JobState if not is_terminal(state))


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """A row of `pipeline`. `done_root` is the fileset of what ever succeeded (`pps.done`); None before the first."""

    id: int
    pipeline: Pipeline
    version: int
    state: PipelineState
    reason: str
    stopped: bool
    salt: str
    created_at: datetime
    updated_at: datetime
    done_root: bytes | None
    metadata: Mapping[str, str]


class Present(NamedTuple):
    """A pipeline as new commits find it, with its present spec."""

    id: int
    version: int
    stopped: bool
    effective_spec: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A row of `pipeline_version`."""

    version: int
    user_spec: str
    effective_spec: str
    spec_set_id: str
    created_at: datetime


_ROWS: Final[Select[Any]] = select(
    _T.id,
    _P.name.label("project_name"),
    _T.name,
    _T.version,
    _T.state,
    _T.reason,
    _T.stopped,
    _T.salt,
    _T.created_at,
    _T.updated_at,
    _T.done_root,
    _T.metadata,
).join(tables.project, _P.id == _T.project_id)
_FIND: Final = _ROWS.where(_P.name == bindparam("p"), _T.name == bindparam("n"))
_BY_ID: Final = _ROWS.where(_T.id == bindparam("key"))
_VERSIONS: Final[Select[Any]] = select(
    _V.version, _V.user_spec, _V.effective_spec, _V.spec_set_id, _V.created_at
).where(_V.pipeline_id == bindparam("key"))
_VERSION: Final = _VERSIONS.where(_V.version == bindparam("v"))
_IS_PRESENT: Final = and_(_V.pipeline_id == _T.id, _V.version == _T.version)
_PRESENT: Final = (
    select(_T.name, _T.id, _T.version, _T.stopped, _V.effective_spec)
    .join(tables.project, _P.id == _T.project_id)
    .join(tables.pipeline_version, _IS_PRESENT)
    .where(_P.name == bindparam("p"), _T.name.in_(bindparam("names", expanding=True)))
)
_PRESENT_VERSIONS: Final = (
    select(_T.id, _V.version, _V.user_spec, _V.effective_spec, _V.spec_set_id, _V.created_at)
    .join(tables.pipeline_version, _IS_PRESENT)
    .where(_T.id.in_(bindparam("ids", expanding=True)))
)
SPECS_KEPT: Final = 2_048  # parsed, some 5 KB each: a lake of a thousand pipelines parses none twice


def find(tx: Transaction, pipeline: Pipeline) -> PipelineRow | None:
    """The pipeline's row; None if there is no such pipeline."""
    row = tx.execute(_FIND, {"p": pipeline.project, "n": pipeline.name}).one_or_none()
    return None if row is None else _row(row)


def get(tx: Transaction, pipeline: Pipeline) -> PipelineRow:
    """The pipeline's row.

    Raises:
        NotFound: PIPELINE_NOT_FOUND.
    """
    if (row := find(tx, pipeline)) is None:
        raise missing(pipeline)
    return row


def missing(pipeline: Pipeline) -> NotFound:
    """The error that says that there is no such pipeline."""
    return NotFound(
        ErrorKind.PIPELINE_NOT_FOUND, f'pipeline "{pipeline}" not found; see what there is: howdah list pipeline'
    )


def is_stopped(pipeline: Pipeline) -> Refused:
    """The error that says that a pipeline is stopped and does nothing."""
    text = f"pipeline {pipeline} is stopped; start it first: howdah start pipeline {pipeline}"
    return Refused(ErrorKind.PIPELINE_STOPPED, text)


def by_id(tx: Transaction, key: int) -> PipelineRow | None:
    """The row with that key; None if it is gone."""
    row = tx.execute(_BY_ID, {"key": key}).one_or_none()
    return None if row is None else _row(row)


def present(tx: Transaction, pipelines: Collection[Pipeline]) -> dict[Pipeline, Present]:
    """Those of these pipelines that there are."""
    names: dict[str, list[str]] = {}
    for pipeline in pipelines:
        names.setdefault(pipeline.project, []).append(pipeline.name)
    return {
        Pipeline(project, name): Present(*row)
        for project, all_names in names.items()
        for batch in batches(all_names)
        for name, *row in tx.execute(_PRESENT, {"p": project, "names": batch})
    }


def any_there(tx: Transaction) -> bool:
    """Whether there is a pipeline at all."""
    return tx.execute(select(_T.id).limit(1)).scalar() is not None


def page(tx: Transaction, before: int | None, limit: int, projects: Sequence[str]) -> list[PipelineRow]:
    """The first `limit` pipelines older than the row `before`, newest first; `projects` filters if not empty."""
    wanted = _ROWS.order_by(_T.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(_T.id < before)
    if projects:
        wanted = wanted.where(_P.name.in_(projects))
    return [_row(row) for row in tx.execute(wanted)]


def insert_pipeline(tx: Transaction, project_id: int, pipeline: Pipeline, salt: str) -> PipelineRow:
    """Add a pipeline whose name is free, at version 0: its first version makes it 1."""
    values = {
        "project_id": project_id,
        "name": pipeline.name,
        "version": 0,
        "state": int(PipelineState.RUNNING),
        "salt": salt,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    key: int = tx.execute(insert(tables.pipeline).returning(_T.id), values).scalar_one()
    return PipelineRow(key, pipeline, 0, PipelineState.RUNNING, "", False, salt, tx.now, tx.now, None, {})


def add_version(tx: Transaction, row: PipelineRow, user_spec: str, effective_spec: str, spec_set_id: str) -> int:
    """Add the next version and make it the present one; its number."""
    number = row.version + 1
    values = {
        "pipeline_id": row.id,
        "version": number,
        "user_spec": user_spec,
        "effective_spec": effective_spec,
        "spec_set_id": spec_set_id,
        "created_at": tx.now,
    }
    tx.execute(insert(tables.pipeline_version), values)
    _set_autoscaled(tx, row.id, spec_of(effective_spec).autoscaling)
    set_version(tx, row.id, number)
    return number


def _set_autoscaled(tx: Transaction, key: int, autoscaled: bool) -> None:
    tx.execute(delete(tables.pipeline_autoscaled).where(tables.pipeline_autoscaled.c.pipeline_id == key))
    if autoscaled:
        tx.execute(insert(tables.pipeline_autoscaled), {"pipeline_id": key})


def set_version(tx: Transaction, key: int, number: int) -> None:
    """Make a version that was added the present one."""
    tx.execute(update(tables.pipeline).where(_T.id == key).values(version=number, updated_at=tx.now))


def set_user_spec(tx: Transaction, row: PipelineRow, user_spec: str) -> None:
    """Replace the text of the present version, which says the same in other words."""
    same = (_V.pipeline_id == row.id) & (_V.version == row.version)
    tx.execute(update(tables.pipeline_version).where(same).values(user_spec=user_spec))


def set_state(tx: Transaction, key: int, state: PipelineState, *, stopped: bool, salt: str) -> None:
    """Replace what changes when a pipeline is stopped, started or updated."""
    values = {"state": int(state), "stopped": stopped, "salt": salt, "reason": "", "updated_at": tx.now}
    tx.execute(update(tables.pipeline).where(_T.id == key).values(**values))


def set_warnings(tx: Transaction, key: int, number: int, warnings: Sequence[str]) -> None:
    """Let a pipeline's reason be these, if that version is the present one and nothing worse is the reason."""
    nothing_worse = or_(_T.reason == "", _T.reason.startswith(WARNING, autoescape=True))
    reason = "; ".join(warnings)
    same = and_(_T.id == key, _T.version == number, nothing_worse, _T.reason != reason)
    tx.execute(update(tables.pipeline).where(same).values(reason=reason))


def set_condition(tx: Transaction, key: int, state: PipelineState, reason: str) -> None:
    """Replace what changes as its work comes and goes (`pps.conditions`)."""
    tx.execute(update(tables.pipeline).where(_T.id == key).values(state=int(state), reason=reason))


def moving(tx: Transaction) -> list[tuple[PipelineRow, bool]]:
    """The pipelines whose state follows from their work, and whether each has a job that has not ended."""
    open_jobs = select(tables.job.c.id).where(tables.job.c.pipeline_id == _T.id, tables.job.c.state.in_(_OPEN))
    autoscaled = _T.id.in_(select(tables.pipeline_autoscaled.c.pipeline_id))
    scaled = and_(autoscaled, _T.state.in_([int(PipelineState.RUNNING), int(PipelineState.STANDBY)]))
    wanted = _ROWS.add_columns(open_jobs.exists().label("busy")).where(
        _T.stopped.is_(False), or_(scaled, _T.state == int(PipelineState.CRASHING))
    )
    return [(_row(row), bool(row.busy)) for row in tx.execute(wanted)]


def set_done(tx: Transaction, key: int, old: bytes | None, new: bytes) -> bool:
    """Replace the record of what succeeded; False, and nothing happens, if it is not `old` any more."""
    same = _T.done_root.is_(None) if old is None else _T.done_root == old
    return tx.execute(update(tables.pipeline).where(_T.id == key, same).values(done_root=new)).rowcount == 1


def set_labels(tx: Transaction, key: int, labels: Mapping[str, str]) -> None:
    """Replace the user's own keys and values."""
    tx.execute(update(tables.pipeline).where(_T.id == key).values(metadata=dict(labels), updated_at=tx.now))


def remove(tx: Transaction, key: int) -> None:
    """Delete a pipeline with its versions and jobs."""
    tx.execute(delete(tables.pipeline).where(_T.id == key))


def version(tx: Transaction, row: PipelineRow, number: int) -> VersionRow:
    """One version of a pipeline.

    Raises:
        NotFound: PIPELINE_NOT_FOUND: it has no such version.
    """
    found = tx.execute(_VERSION, {"key": row.id, "v": number}).one_or_none()
    if found is None:
        raise NotFound(
            ErrorKind.PIPELINE_NOT_FOUND,
            f'version {number} of pipeline "{row.pipeline}" not found; its versions are 1 to {row.version}',
        )
    return VersionRow(*found)


def version_at(tx: Transaction, row: PipelineRow, at: datetime) -> VersionRow | None:
    """The version that a pipeline had at that moment; None if it was not there."""
    wanted = _VERSIONS.where(_V.created_at <= at).order_by(_V.version.desc()).limit(1)
    found = tx.execute(wanted, {"key": row.id}).one_or_none()
    return None if found is None else VersionRow(*found)


def versions(tx: Transaction, row: PipelineRow, first: int, last: int) -> list[VersionRow]:
    """The versions `first` to `last`, newest first."""
    wanted = _VERSIONS.where(_V.version >= first, _V.version <= last).order_by(_V.version.desc())
    return [VersionRow(*found) for found in tx.execute(wanted, {"key": row.id})]


def present_versions(tx: Transaction, keys: Collection[int]) -> dict[int, VersionRow]:
    """The present version of each of these pipelines, by its key."""
    found = (row for batch in batches(keys) for row in tx.execute(_PRESENT_VERSIONS, {"ids": batch}))
    return {key: VersionRow(*rest) for key, *rest in found}


def effective_spec(tx: Transaction, key: int, number: int) -> str | None:
    """The effective spec of one version of a pipeline; None if there is no such version, or the pipeline is gone."""
    row = tx.execute(_VERSION, {"key": key, "v": number}).one_or_none()
    return None if row is None else row.effective_spec


def effective_specs(tx: Transaction, wanted: Collection[tuple[Pipeline, int]]) -> dict[tuple[Pipeline, int], str]:
    """The effective specs of versions of pipelines; those that are gone are left out."""
    found = present(tx, {pipeline for pipeline, _ in wanted})
    specs: dict[tuple[Pipeline, int], str] = {}
    for pipeline, number in wanted:
        if (now := found.get(pipeline)) is not None:
            text = now.effective_spec if now.version == number else effective_spec(tx, now.id, number)
            if text is not None:
                specs[pipeline, number] = text
    return specs


@lru_cache(maxsize=SPECS_KEPT)
def spec_of(effective_spec: str) -> PipelineSpec:
    """The values of a spec that was stored."""
    return parse_spec(effective_spec)


def _row(row: Any) -> PipelineRow:
    return PipelineRow(
        row.id,
        Pipeline(row.project_name, row.name),
        row.version,
        PipelineState(row.state),
        row.reason,
        row.stopped,
        row.salt,
        row.created_at,
        row.updated_at,
        row.done_root,
        row.metadata,
    )

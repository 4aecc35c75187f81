# SPDX-License-Identifier: Apache-2.0
"""Owner of the tables `pipeline` and `pipeline_version`. What may be done to a pipeline, and when: `pps.pipelines`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, delete, insert, or_, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound, Refused
from howdah.model.refs import Pipeline
from howdah.model.spec import PipelineSpec, parse_spec
from howdah.model.states import PipelineState
from howdah.model.texts import WARNING

__all__ = [
    "PipelineRow",
    "VersionRow",
    "add_version",
    "by_id",
    "find",
    "get",
    "insert_pipeline",
    "is_stopped",
    "missing",
    "page",
    "remove",
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
    set_version(tx, row.id, number)
    return number


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


@lru_cache(maxsize=256)
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

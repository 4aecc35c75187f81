# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `cron`: how far the schedule of each cron input has come. What inputs tick: `pps.crons`.

The schedule itself is in the spec of the pipeline. A row here says up to which moment it was followed, and whether
its repo was made for it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction

__all__ = ["CronRow", "everything", "find", "note", "of_pipeline", "put", "remove"]

_T: Final = tables.cron.c
_ROWS: Final = select(_T.pipeline_id, _T.name, _T.ticked_at, _T.repo_made).order_by(_T.pipeline_id, _T.name)


@dataclass(frozen=True, slots=True)
class CronRow:
    """A cron input of a pipeline. The next tick is the first of its schedule after `ticked_at`."""

    pipeline_id: int
    name: str
    ticked_at: datetime
    repo_made: bool


def everything(tx: Transaction) -> list[CronRow]:
    """The cron inputs of all pipelines, those that are stopped too."""
    return [CronRow(*row) for row in tx.execute(_ROWS)]


def of_pipeline(tx: Transaction, pipeline_id: int) -> dict[str, CronRow]:
    """The cron inputs of a pipeline, by name."""
    return {row.name: CronRow(*row) for row in tx.execute(_ROWS.where(_T.pipeline_id == pipeline_id))}


def find(tx: Transaction, pipeline_id: int, name: str) -> CronRow | None:
    """One cron input of a pipeline; None if it has none of that name."""
    row = tx.execute(_ROWS.where(_T.pipeline_id == pipeline_id, _T.name == name)).one_or_none()
    return None if row is None else CronRow(*row)


def put(tx: Transaction, row: CronRow) -> None:
    """Add a cron input, or replace what was known of it."""
    remove(tx, row.pipeline_id, [row.name])
    values = {
        "pipeline_id": row.pipeline_id,
        "name": row.name,
        "ticked_at": row.ticked_at,
        "repo_made": row.repo_made,
    }
    tx.execute(insert(tables.cron), values)


def note(tx: Transaction, row: CronRow, at: datetime) -> None:
    """Remember that the schedule was followed up to that moment."""
    one = (_T.pipeline_id == row.pipeline_id, _T.name == row.name)
    tx.execute(update(tables.cron).where(*one).values(ticked_at=at))


def remove(tx: Transaction, pipeline_id: int, names: Collection[str]) -> None:
    """Forget cron inputs of a pipeline."""
    tx.execute(delete(tables.cron).where(_T.pipeline_id == pipeline_id, _T.name.in_(names)))

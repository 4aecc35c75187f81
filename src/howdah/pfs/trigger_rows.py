# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `branch_trigger`: what each trigger has been asked about. What triggers do: `pfs.triggers`.

The trigger itself is a column of its branch (`pfs.branch_rows`). A row here says that it is watched: up to which
commit of its source it was decided already, and when its schedule ticked last.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, insert, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.model.infos import Trigger
from howdah.pfs import branch_rows
from howdah.pfs.branch_rows import BranchRow

__all__ = ["TriggerRow", "everything", "find", "forget", "note", "of_source", "see", "watch"]

_T: Final = tables.branch_trigger.c


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """A trigger with its branch. Commits of the source up to the key `seen` were decided upon."""

    branch: BranchRow
    trigger: Trigger
    seen: int
    ticked_at: datetime


_ROWS: Final[Select[Any]] = select(_T.branch_id, _T.seen, _T.ticked_at).order_by(_T.branch_id)


def everything(tx: Transaction) -> list[TriggerRow]:
    """All triggers."""
    return _rows(tx, _ROWS)


def of_source(tx: Transaction, repo_id: int, name: str) -> list[TriggerRow]:
    """The triggers that watch that branch of a repo."""
    wanted = _ROWS.join(tables.branch, tables.branch.c.id == _T.branch_id).where(tables.branch.c.repo_id == repo_id)
    return [row for row in _rows(tx, wanted) if row.trigger.branch == name]


def find(tx: Transaction, branch_id: int) -> TriggerRow | None:
    """The trigger of a branch; None if it has none."""
    return next(iter(_rows(tx, _ROWS.where(_T.branch_id == branch_id))), None)


def watch(tx: Transaction, branch_id: int, seen: int) -> None:
    """Begin to watch for a branch, from that commit and this moment on; what was known of it is forgotten."""
    forget(tx, [branch_id])
    tx.execute(insert(tables.branch_trigger), {"branch_id": branch_id, "seen": seen, "ticked_at": tx.now})


def see(tx: Transaction, branch_id: int, seen: int) -> None:
    """Remember that commits up to that one were decided upon."""
    tx.execute(update(tables.branch_trigger).where(_T.branch_id == branch_id).values(seen=seen))


def note(tx: Transaction, branch_id: int, seen: int) -> None:
    """Remember that the trigger was pulled, or its schedule ticked, just now."""
    tx.execute(update(tables.branch_trigger).where(_T.branch_id == branch_id).values(seen=seen, ticked_at=tx.now))


def forget(tx: Transaction, branch_ids: Collection[int]) -> None:
    """Watch for these branches no more."""
    tx.execute(delete(tables.branch_trigger).where(_T.branch_id.in_(branch_ids)))


def _rows(tx: Transaction, wanted: Select[Any]) -> list[TriggerRow]:
    found = tx.execute(wanted).all()
    branches = branch_rows.by_ids(tx, [row.branch_id for row in found])
    return [
        TriggerRow(branch, branch.trigger, row.seen, row.ticked_at)
        for row in found
        if (branch := branches[row.branch_id]).trigger is not None
    ]

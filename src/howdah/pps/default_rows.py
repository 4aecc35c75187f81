# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `spec_default`: what specs leave out, as it was given. What it means: `pps.defaults`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select

from howdah.db import tables
from howdah.db.transaction import Transaction

__all__ = ["StoredDefaults", "get", "put", "remove"]

_T: Final = tables.spec_default.c
_ROWS: Final = select(_T.body, _T.created_at)


@dataclass(frozen=True, slots=True)
class StoredDefaults:
    """Defaults as they were given, and since when they hold."""

    text: str = "{}"
    created_at: datetime | None = None


def get(tx: Transaction, project_id: int | None) -> StoredDefaults:
    """The defaults of a project, or for None of all; empty ones if there are none."""
    row = tx.execute(_ROWS.where(_T.project_id.is_not_distinct_from(project_id))).one_or_none()
    return StoredDefaults() if row is None else StoredDefaults(*row)


def put(tx: Transaction, project_id: int | None, text: str) -> None:
    """Replace the defaults of a project, or for None of all."""
    remove(tx, project_id)
    tx.execute(insert(tables.spec_default), {"project_id": project_id, "body": text, "created_at": tx.now})


def remove(tx: Transaction, project_id: int | None) -> None:
    """Take the defaults away, if there are any."""
    tx.execute(delete(tables.spec_default).where(_T.project_id.is_not_distinct_from(project_id)))

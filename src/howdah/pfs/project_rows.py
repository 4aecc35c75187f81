# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `project`. What may be done to a project, and when: `pfs.projects`."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import delete, insert, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.infos import ProjectInfo

__all__ = ["find_id", "get_id", "info", "insert_project", "page", "remove", "set_description", "set_labels"]

_T: Final = tables.project.c
_INFO: Final = select(_T.name, _T.description, _T.created_at, _T.metadata)


def find_id(tx: Transaction, name: str) -> int | None:
    """The key of the project's row; None if there is no such project."""
    found: int | None = tx.execute(select(_T.id).where(_T.name == name)).scalar()
    return found


def get_id(tx: Transaction, name: str) -> int:
    """The key of the project's row.

    Raises:
        NotFound: PROJECT_NOT_FOUND.
    """
    if (found := find_id(tx, name)) is None:
        raise NotFound(
            ErrorKind.PROJECT_NOT_FOUND, f"project {name} not found; create it first: howdah create project {name}"
        )
    return found


def info(tx: Transaction, project_id: int) -> ProjectInfo:
    """What is known of the project with that row."""
    return ProjectInfo(*tx.execute(_INFO.where(_T.id == project_id)).one())


def page(tx: Transaction, after: str, limit: int) -> list[ProjectInfo]:
    """The first `limit` projects with a name after `after`, by name."""
    rows = tx.execute(_INFO.where(_T.name > after).order_by(_T.name).limit(limit))
    return [ProjectInfo(*row) for row in rows]


def insert_project(tx: Transaction, name: str, description: str) -> None:
    """Add the row of a project whose name is free."""
    tx.execute(insert(tables.project), {"name": name, "description": description, "created_at": tx.now})


def set_description(tx: Transaction, project_id: int, description: str) -> None:
    """Replace the description."""
    tx.execute(update(tables.project).where(_T.id == project_id).values(description=description))


def set_labels(tx: Transaction, project_id: int, labels: Mapping[str, str]) -> None:
    """Replace the user's own keys and values."""
    tx.execute(update(tables.project).where(_T.id == project_id).values(metadata=dict(labels)))


def remove(tx: Transaction, project_id: int) -> None:
    """Delete the row of a project without repos."""
    tx.execute(delete(tables.project).where(_T.id == project_id))

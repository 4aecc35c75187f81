# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `repo`. What may be done to a repo, and when: `pfs.repos`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, insert, select, tuple_, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.refs import Repo

__all__ = [
    "NAME_COLUMNS",
    "RepoRow",
    "find",
    "get",
    "insert_repo",
    "of_project",
    "page",
    "page_at",
    "remove",
    "set_description",
    "set_labels",
    "siblings",
]

_T: Final = tables.repo.c
_P: Final = tables.project.c

NAME_COLUMNS: Final = (_P.name.label("project_name"), _T.name.label("repo_name"), _T.type.label("repo_type"))
"""The columns that make a `Repo`, for the selects of neighbours that join both tables."""


@dataclass(frozen=True, slots=True)
class RepoRow:
    """A row of `repo`."""

    id: int
    repo: Repo
    description: str
    created_at: datetime
    metadata: Mapping[str, str]


_ROWS: Final[Select[Any]] = select(_T.id, *NAME_COLUMNS, _T.description, _T.created_at, _T.metadata).join(
    tables.project, _P.id == _T.project_id
)
_FIND: Final = _ROWS.where(_P.name == bindparam("p"), _T.name == bindparam("n"), _T.type == bindparam("t"))
_ORDER: Final = (_P.name, _T.name, _T.type)


def find(tx: Transaction, repo: Repo) -> RepoRow | None:
    """The repo's row; None if there is no such repo."""
    row = tx.execute(_FIND, {"p": repo.project, "n": repo.name, "t": repo.type}).one_or_none()
    return None if row is None else _row(row)


def get(tx: Transaction, repo: Repo) -> RepoRow:
    """The repo's row.

    Raises:
        NotFound: REPO_NOT_FOUND.
    """
    if (row := find(tx, repo)) is None:
        raise NotFound(ErrorKind.REPO_NOT_FOUND, f"repo {repo} not found; create it first: howdah create repo {repo}")
    return row


def page(tx: Transaction, after: Repo | None, limit: int, kind: str, projects: Sequence[str]) -> list[RepoRow]:
    """The first `limit` repos after `after`, by project, name and type; `kind` and `projects` filter if not empty."""
    wanted = _filtered(kind, projects)
    if after is not None:
        wanted = wanted.where(tuple_(*_ORDER) > tuple_(after.project, after.name, after.type))
    return [_row(row) for row in tx.execute(wanted.limit(limit))]


def page_at(tx: Transaction, offset: int, limit: int, kind: str, projects: Sequence[str]) -> list[RepoRow]:
    """`limit` repos from the `offset`-th on, in the order of `page`."""
    return [_row(row) for row in tx.execute(_filtered(kind, projects).limit(limit).offset(offset))]


def siblings(tx: Transaction, repo: Repo) -> list[RepoRow]:
    """The repos of the same project and name and any other type."""
    others = _ROWS.where(_P.name == repo.project, _T.name == repo.name, _T.type != repo.type)
    return [_row(row) for row in tx.execute(others.order_by(_T.type))]


def of_project(tx: Transaction, project: str, limit: int | None = None) -> list[Repo]:
    """The repos of a project, at most `limit`."""
    return [_row(row).repo for row in tx.execute(_ROWS.where(_P.name == project).order_by(*_ORDER).limit(limit))]


def insert_repo(tx: Transaction, project_id: int, repo: Repo, description: str) -> int:
    """Add the row of a repo whose name is free; its key."""
    values = {
        "project_id": project_id,
        "name": repo.name,
        "type": repo.type,
        "description": description,
        "created_at": tx.now,
    }
    key: int = tx.execute(insert(tables.repo).returning(_T.id), values).scalar_one()
    return key


def set_description(tx: Transaction, repo_id: int, description: str) -> None:
    """Replace the description."""
    tx.execute(update(tables.repo).where(_T.id == repo_id).values(description=description))


def set_labels(tx: Transaction, repo_id: int, labels: Mapping[str, str]) -> None:
    """Replace the user's own keys and values."""
    tx.execute(update(tables.repo).where(_T.id == repo_id).values(metadata=dict(labels)))


def remove(tx: Transaction, repo_ids: Collection[int]) -> None:
    """Delete the rows of repos whose branches and commits are gone."""
    tx.execute(delete(tables.repo).where(_T.id.in_(repo_ids)))


def _filtered(kind: str, projects: Sequence[str]) -> Select[Any]:
    wanted = _ROWS.order_by(*_ORDER)
    if kind:
        wanted = wanted.where(_T.type == kind)
    return wanted.where(_P.name.in_(projects)) if projects else wanted


def _row(row: Any) -> RepoRow:
    return RepoRow(row.id, Repo(row[1], row[2], row[3]), row.description, row.created_at, row.metadata)

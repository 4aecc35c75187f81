# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `branch`. What may be done to a branch, and when: `pfs.branches`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, insert, select, update

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.infos import Trigger
from howdah.model.refs import Branch, Repo
from howdah.pfs import repo_rows
from howdah.pfs.repo_rows import NAME_COLUMNS, RepoRow
from howdah.pfs.subjects import branch_subject

__all__ = [
    "BranchRow",
    "by_ids",
    "find",
    "get",
    "has_others",
    "insert_branch",
    "missing",
    "move_head",
    "move_heads",
    "of_repos",
    "page",
    "remove",
    "set_labels",
    "set_trigger",
    "with_heads",
]

_T: Final = tables.branch.c


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A row of `branch`."""

    id: int
    repo_id: int
    branch: Branch
    head_id: int | None
    trigger: Trigger | None
    created_at: datetime
    updated_at: datetime
    metadata: Mapping[str, str]


_ROWS: Final[Select[Any]] = (
    select(
        _T.id,
        _T.repo_id,
        _T.name,
        _T.head_id,
        _T.trigger,
        _T.created_at,
        _T.updated_at,
        _T.metadata,
        *NAME_COLUMNS,
    )
    .join(tables.repo, tables.repo.c.id == _T.repo_id)
    .join(tables.project, tables.project.c.id == tables.repo.c.project_id)
)
_FIND: Final = _ROWS.where(_T.repo_id == bindparam("repo"), _T.name == bindparam("n"))
_BY_IDS: Final = _ROWS.where(_T.id.in_(bindparam("ids", expanding=True)))
_MOVE: Final = (
    update(tables.branch).where(_T.id == bindparam("key")).values(head_id=bindparam("to"), updated_at=bindparam("at"))
)


def find(tx: Transaction, repo_id: int, name: str) -> BranchRow | None:
    """The row of that branch of a repo; None if there is no such branch."""
    row = tx.execute(_FIND, {"repo": repo_id, "n": name}).one_or_none()
    return None if row is None else _row(row)


def get(tx: Transaction, branch: Branch) -> BranchRow:
    """The branch's row.

    Raises:
        NotFound: REPO_NOT_FOUND or BRANCH_NOT_FOUND.
    """
    repo = repo_rows.get(tx, branch.repo)
    if (row := find(tx, repo.id, branch.name)) is None:
        raise missing(branch)
    return row


def missing(branch: Branch) -> NotFound:
    """The error that says that there is no such branch."""
    return NotFound(
        ErrorKind.BRANCH_NOT_FOUND,
        f"branch {branch.name} not found in repo {branch.repo}; see what there is: howdah list branch {branch.repo}",
    )


def by_ids(tx: Transaction, ids: Collection[int]) -> dict[int, BranchRow]:
    """The rows with these keys; keys of no row are left out."""
    return {row.id: _row(row) for batch in batches(ids) for row in tx.execute(_BY_IDS, {"ids": batch})}


def of_repos(tx: Transaction, repo_ids: Collection[int]) -> list[BranchRow]:
    """All branches of these repos, oldest first."""
    return [_row(row) for row in tx.execute(_ROWS.where(_T.repo_id.in_(repo_ids)).order_by(_T.id))]


def page(tx: Transaction, repo_id: int | None, past: int | None, limit: int, *, oldest_first: bool) -> list[BranchRow]:
    """The first `limit` branches past the row `past`, by age; of all repos when `repo_id` is None."""
    wanted = _ROWS.order_by(_T.id if oldest_first else _T.id.desc()).limit(limit)
    if repo_id is not None:
        wanted = wanted.where(_T.repo_id == repo_id)
    if past is not None:
        wanted = wanted.where(_T.id > past if oldest_first else _T.id < past)
    return [_row(row) for row in tx.execute(wanted)]


def has_others(tx: Transaction, repo_ids: Collection[int], branch_ids: Collection[int]) -> bool:
    """Whether these repos have branches besides these."""
    wanted = select(_T.id).where(_T.repo_id.in_(repo_ids), _T.id.not_in(branch_ids)).limit(1)
    return tx.execute(wanted).scalar() is not None


def insert_branch(tx: Transaction, repo: RepoRow, name: str, head_id: int | None) -> BranchRow:
    """Add a branch whose name is free in its repo."""
    values = {"repo_id": repo.id, "name": name, "head_id": head_id, "created_at": tx.now, "updated_at": tx.now}
    key: int = tx.execute(insert(tables.branch).returning(_T.id), values).scalar_one()
    branch = Branch(repo.repo, name)
    tx.emit(branch_subject(branch), "created")
    return BranchRow(key, repo.id, branch, head_id, None, tx.now, tx.now, {})


def with_heads(tx: Transaction, commit_ids: Collection[int]) -> list[BranchRow]:
    """The branches whose head is one of these commits, oldest first."""
    found = []
    for batch in batches(commit_ids):
        found += [_row(row) for row in tx.execute(_ROWS.where(_T.head_id.in_(batch)))]
    return sorted(found, key=lambda row: row.id)


def move_head(tx: Transaction, row: BranchRow, head_id: int | None) -> None:
    """Let the branch point to another commit of its repo; None for a branch that is about to get one."""
    tx.execute(_MOVE, {"key": row.id, "to": head_id, "at": tx.now})
    tx.emit(branch_subject(row.branch), "moved")


def move_heads(tx: Transaction, heads: Sequence[tuple[BranchRow, int]]) -> None:
    """Let branches point to other commits of their repos."""
    if heads:
        tx.execute(_MOVE, [{"key": row.id, "to": head_id, "at": tx.now} for row, head_id in heads])
    for row, _ in heads:
        tx.emit(branch_subject(row.branch), "moved")


def set_trigger(tx: Transaction, row: BranchRow, trigger: Trigger | None) -> None:
    """Replace the trigger of a branch; None for none."""
    values = {"trigger": None if trigger is None else asdict(trigger), "updated_at": tx.now}
    tx.execute(update(tables.branch).where(_T.id == row.id).values(values))
    tx.emit(branch_subject(row.branch), "trigger")


def set_labels(tx: Transaction, row: BranchRow, labels: Mapping[str, str]) -> None:
    """Replace the user's own keys and values."""
    tx.execute(update(tables.branch).where(_T.id == row.id).values(metadata=dict(labels), updated_at=tx.now))
    tx.emit(branch_subject(row.branch), "updated")


def remove(tx: Transaction, rows: Collection[BranchRow]) -> None:
    """Delete branches that are in nobody's provenance; their own provenance goes with them."""
    tx.execute(delete(tables.branch).where(_T.id.in_([row.id for row in rows])))
    for row in rows:
        tx.emit(branch_subject(row.branch), "deleted")


def _row(row: Any) -> BranchRow:
    branch = Branch(Repo(row.project_name, row.repo_name, row.repo_type), row.name)
    trigger = None if row.trigger is None else Trigger(**row.trigger)
    return BranchRow(row.id, row.repo_id, branch, row.head_id, trigger, row.created_at, row.updated_at, row.metadata)

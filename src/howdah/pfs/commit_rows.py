# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `commit_`: one row for each commit. What may be done to a commit: `pfs.commits`.

Keys grow with time and a commit is added after all that it depends on. So the order of keys is at once
the order of age and a topological one, and every listing is a page by key. What a commit depends on is in
`pfs.provenance`; what was written into an open one, in `pfs.commit_changes`; the way up through its parents, in
`pfs.commit_lines`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, exists, insert, select, update

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.model.refs import Commit, Repo
from howdah.model.states import CommitState, OriginKind
from howdah.pfs.repo_rows import NAME_COLUMNS

__all__ = [
    "ROWS",
    "CommitDraft",
    "CommitFilter",
    "CommitRow",
    "by_ids",
    "child_rows",
    "children",
    "clear_partial",
    "close",
    "find",
    "forget",
    "has_reached",
    "in_sets",
    "insert_commits",
    "newest_in",
    "open_in",
    "page",
    "remove",
    "remove_of",
    "reparent",
    "repos_in_set",
    "row_of",
    "set_description",
    "set_labels",
    "set_partial",
    "set_ready",
    "sets_page",
]

_T: Final = tables.commit.c
_PARENT: Final = tables.commit.alias("parent")


@dataclass(frozen=True, slots=True)
class CommitRow:
    """A row of `commit_`. While it is open, `partial_root` is its base with all changes up to `partial_seq`.

    One that is `forgotten` is finished but has no `root` any more.
    """

    id: int
    repo_id: int
    commit: Commit
    branch_name: str
    parent_id: int | None
    parent: Commit | None
    origin: OriginKind
    description: str
    error: str
    started_at: datetime
    ready_at: datetime | None
    finishing_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    root: bytes | None
    partial_root: bytes | None
    partial_seq: int | None
    files: int | None
    size_bytes: int | None
    forgotten: bool
    metadata: Mapping[str, str]

    @property
    def set_id(self) -> str:
        """The commit set it belongs to."""
        return self.commit.id


@dataclass(frozen=True, slots=True)
class CommitDraft:
    """A commit that is about to be added, open."""

    repo_id: int
    set_id: str
    branch_name: str
    parent_id: int | None
    origin: OriginKind
    description: str = ""
    ready: bool = True


@dataclass(frozen=True, slots=True)
class CommitFilter:
    """Which commits a listing wants; what is None does not matter."""

    repo_id: int | None = None
    branch: str | None = None
    origin: OriginKind | None = None
    started_before: datetime | None = None
    started_after: datetime | None = None


_PLAIN: Final = (
    _T.branch_name,
    _T.parent_id,
    _T.description,
    _T.error,
    _T.started_at,
    _T.ready_at,
    _T.finishing_at,
    _T.finished_at,
    _T.updated_at,
    _T.root,
    _T.partial_root,
    _T.partial_seq,
    _T.files,
    _T.size_bytes,
    _T.forgotten,
    _T.metadata,
)
ROWS: Final[Select[Any]] = (
    select(_T.id, _T.repo_id, _T.set_id, _T.origin, _PARENT.c.set_id.label("parent_set"), *NAME_COLUMNS, *_PLAIN)
    .join(tables.repo, tables.repo.c.id == _T.repo_id)
    .join(tables.project, tables.project.c.id == tables.repo.c.project_id)
    .outerjoin(_PARENT, _PARENT.c.id == _T.parent_id)
)
"""Statements over whole rows: narrow it down, and give what it finds to `row_of`."""
_FIND: Final = ROWS.where(_T.repo_id == bindparam("repo"), _T.set_id == bindparam("set"))
_BY_IDS: Final = ROWS.where(_T.id.in_(bindparam("ids", expanding=True)))
_INSERT: Final = insert(tables.commit).returning(_T.id, sort_by_parameter_order=True)
_REPOS_IN_SET: Final = select(_T.repo_id).where(_T.set_id == bindparam("set"))
_REPARENT: Final = update(tables.commit).where(_T.id == bindparam("key")).values(parent_id=bindparam("to"))
_CLOSE: Final = (
    update(tables.commit)
    .where(_T.id == bindparam("key"), _T.finishing_at.is_(None))
    .values(
        finishing_at=bindparam("at"),
        finished_at=bindparam("at"),
        updated_at=bindparam("at"),
        root=bindparam("new_root"),
        files=bindparam("new_files"),
        size_bytes=bindparam("new_size"),
        description=bindparam("new_description"),
        error=bindparam("new_error"),
        partial_root=None,
        partial_seq=None,
    )
)


def find(tx: Transaction, repo_id: int, set_id: str) -> CommitRow | None:
    """The commit that a repo made in a commit set; None if it made none."""
    row = tx.execute(_FIND, {"repo": repo_id, "set": set_id}).one_or_none()
    return None if row is None else row_of(row)


def by_ids(tx: Transaction, ids: Collection[int]) -> dict[int, CommitRow]:
    """The rows with these keys; keys of no row are left out."""
    return {row.id: row_of(row) for batch in batches(ids) for row in tx.execute(_BY_IDS, {"ids": batch})}


def page(
    tx: Transaction, wanted: CommitFilter, past: int | None, limit: int, *, oldest_first: bool = False
) -> list[CommitRow]:
    """The first `limit` wanted commits past the row `past`, by age."""
    found = ROWS.order_by(_T.id if oldest_first else _T.id.desc()).limit(limit)
    if past is not None:
        found = found.where(_T.id > past if oldest_first else _T.id < past)
    if wanted.repo_id is not None:
        found = found.where(_T.repo_id == wanted.repo_id)
    if wanted.branch is not None:
        found = found.where(_T.branch_name == wanted.branch)
    if wanted.origin is not None:
        found = found.where(_T.origin == int(wanted.origin))
    if wanted.started_before is not None:
        found = found.where(_T.started_at < wanted.started_before)
    if wanted.started_after is not None:
        found = found.where(_T.started_at > wanted.started_after)
    return [row_of(row) for row in tx.execute(found)]


def in_sets(tx: Transaction, set_ids: Collection[str]) -> list[CommitRow]:
    """The commits of these sets, each after those it depends on."""
    return [row_of(row) for row in tx.execute(ROWS.where(_T.set_id.in_(set_ids)).order_by(_T.id))]


def repos_in_set(tx: Transaction, set_id: str) -> set[int]:
    """The keys of the repos that have made a commit in the set."""
    return set(tx.execute(_REPOS_IN_SET, {"set": set_id}).scalars())


def sets_page(tx: Transaction, before: int | None, limit: int, project: str | None) -> list[tuple[int, str]]:
    """The first `limit` commit sets whose newest commit is older than the row `before`: that commit's key, and the id.

    Newest first. With `project`, only the commits of its repos count.
    """
    later = tables.commit.alias("later")
    newer = select(later.c.id).where(later.c.set_id == _T.set_id, later.c.id > _T.id)
    wanted = select(_T.id, _T.set_id).order_by(_T.id.desc()).limit(limit)
    if project is not None:
        # Looked up for each commit on the way down: a join would have the database sort all commits of the project.
        newer = newer.where(_project_of(later.c.repo_id) == project)
        wanted = wanted.where(_project_of(_T.repo_id) == project)
    wanted = wanted.where(~exists(newer))
    if before is not None:
        wanted = wanted.where(_T.id < before)
    return [(row.id, row.set_id) for row in tx.execute(wanted)]


def newest_in(tx: Transaction, repo_id: int, ids: Collection[int]) -> CommitRow | None:
    """The newest commit of a repo among these keys."""
    found = ROWS.where(_T.repo_id == repo_id, _T.id.in_(ids)).order_by(_T.id.desc()).limit(1)
    row = tx.execute(found).one_or_none()
    return None if row is None else row_of(row)


def children(tx: Transaction, ids: Collection[int]) -> dict[int, list[str]]:
    """For each of these commits that has children: their set ids, oldest first."""
    found: dict[int, list[str]] = {}
    wanted = select(_T.parent_id, _T.set_id).where(_T.parent_id.in_(ids)).order_by(_T.id)
    for parent, set_id in tx.execute(wanted):
        found.setdefault(parent, []).append(set_id)
    return found


def child_rows(tx: Transaction, ids: Collection[int]) -> list[CommitRow]:
    """The rows of all children of these commits."""
    found = []
    for batch in batches(ids):
        found += [row_of(row) for row in tx.execute(ROWS.where(_T.parent_id.in_(batch)))]
    return found


def insert_commits(tx: Transaction, drafts: Sequence[CommitDraft]) -> list[int]:
    """Add open commits in their order, dependants last; their keys. No repo may have a commit in the set yet."""
    values = [
        {
            "repo_id": draft.repo_id,
            "set_id": draft.set_id,
            "branch_name": draft.branch_name,
            "parent_id": draft.parent_id,
            "origin": int(draft.origin),
            "description": draft.description,
            "started_at": tx.now,
            "ready_at": tx.now if draft.ready else None,
            "updated_at": tx.now,
        }
        for draft in drafts
    ]
    return list(tx.execute(_INSERT, values if len(values) > 1 else values[0]).scalars())


def close(
    tx: Transaction, row: CommitRow, root: bytes, files: int, size: int, description: str | None, error: str
) -> bool:
    """Give an open commit its files and finish it; False, and nothing happens, if it is closed already."""
    values = {
        "key": row.id,
        "at": tx.now,
        "new_root": root,
        "new_files": files,
        "new_size": size,
        "new_description": row.description if description is None else description,
        "new_error": error,
    }
    return tx.execute(_CLOSE, values).rowcount == 1


def set_partial(tx: Transaction, commit_id: int, root: bytes, seq: int, old_seq: int | None) -> bool:
    """Remember what was merged so far of an open commit; False if somebody else did, or closed it, since `old_seq`."""
    old = _T.partial_seq.is_(None) if old_seq is None else _T.partial_seq == old_seq
    merged = update(tables.commit).where(_T.id == commit_id, _T.finishing_at.is_(None), old)
    return tx.execute(merged.values(partial_root=root, partial_seq=seq)).rowcount == 1


def clear_partial(tx: Transaction, commit_id: int, seq: int) -> None:
    """Forget what was merged of an open commit, as if `seq` changes had come to nothing."""
    cleared = update(tables.commit).where(_T.id == commit_id)
    tx.execute(cleared.values(partial_root=None, partial_seq=seq, updated_at=tx.now))


def set_description(tx: Transaction, commit_id: int, description: str) -> None:
    """Replace the description, of a finished commit too."""
    tx.execute(update(tables.commit).where(_T.id == commit_id).values(description=description, updated_at=tx.now))


def forget(tx: Transaction, commit_id: int) -> None:
    """Give up the files of a finished commit; how many there were and their size stay."""
    tx.execute(update(tables.commit).where(_T.id == commit_id).values(root=None, forgotten=True, updated_at=tx.now))


def set_labels(tx: Transaction, row: CommitRow, labels: Mapping[str, str]) -> None:
    """Replace the user's own keys and values."""
    tx.execute(update(tables.commit).where(_T.id == row.id).values(metadata=dict(labels), updated_at=tx.now))


def set_ready(tx: Transaction, ids: Collection[int]) -> None:
    """Say that all that these commits depend on is finished."""
    for batch in batches(ids):
        tx.execute(update(tables.commit).where(_T.id.in_(batch)).values(ready_at=tx.now, updated_at=tx.now))


def open_in(tx: Transaction, repo_ids: Collection[int]) -> list[CommitRow]:
    """The commits of these repos that are not finished."""
    return [row_of(row) for row in tx.execute(ROWS.where(_T.repo_id.in_(repo_ids), _T.finished_at.is_(None)))]


def reparent(tx: Transaction, parents: Mapping[int, int | None]) -> None:
    """Give commits other parents, of the same repo: each key's new parent, None for none."""
    if parents:
        tx.execute(_REPARENT, [{"key": key, "to": parent} for key, parent in parents.items()])


def remove(tx: Transaction, ids: Collection[int]) -> None:
    """Delete these commits, with their changes; no branch, no child and no provenance may name them any more."""
    # Newest first, so that a batch never leaves a commit whose parent is gone.
    for batch in batches(sorted(ids, reverse=True)):
        tx.execute(delete(tables.commit).where(_T.id.in_(batch)))


def remove_of(tx: Transaction, repo_ids: Collection[int]) -> None:
    """Delete all commits of these repos, with their changes; no branch and no provenance may name them any more."""
    tx.execute(delete(tables.commit).where(_T.repo_id.in_(repo_ids)))


def has_reached(row: CommitRow, state: CommitState) -> bool:
    """Whether the commit has come as far as `state`."""
    reached = {
        CommitState.STARTED: row.started_at,
        CommitState.READY: row.ready_at,
        CommitState.FINISHING: row.finishing_at,
        CommitState.FINISHED: row.finished_at,
    }
    return reached[state] is not None


def _project_of(repo_id: Any) -> Any:
    """The name of the project of a repo, for a statement."""
    of = select(tables.project.c.name).join(tables.repo, tables.repo.c.project_id == tables.project.c.id)
    return of.where(tables.repo.c.id == repo_id).scalar_subquery()


def row_of(row: Any) -> CommitRow:
    """The value of a row of `ROWS`."""
    repo = Repo(row.project_name, row.repo_name, row.repo_type)
    return CommitRow(
        id=row.id,
        repo_id=row.repo_id,
        commit=Commit(repo, row.set_id),
        parent=None if row.parent_set is None else Commit(repo, row.parent_set),
        origin=OriginKind(row.origin),
        **{column.name: row._mapping[column] for column in _PLAIN},
    )

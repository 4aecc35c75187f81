# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `commit_`: one row for each commit. What may be done to a commit: `pfs.commits`.

Keys grow with time and a commit is added after all that it depends on. So the order of keys is at once
the order of age and a topological one, and every listing is a page by key. What a commit depends on is in
`pfs.provenance`; what was written into an open one, in `pfs.commit_changes`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, bindparam, delete, exists, insert, literal, or_, select, update

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.model.refs import Commit, Repo
from howdah.model.states import CommitState, OriginKind
from howdah.pfs.repo_rows import NAME_COLUMNS

__all__ = [
    "CommitDraft",
    "CommitFilter",
    "CommitRow",
    "Link",
    "ancestor",
    "ancestors",
    "by_ids",
    "child_rows",
    "children",
    "clear_partial",
    "close",
    "distance",
    "find",
    "forget",
    "from_root",
    "has_reached",
    "in_sets",
    "insert_commits",
    "last_good",
    "line",
    "newest_in",
    "open_in",
    "page",
    "remove",
    "remove_of",
    "reparent",
    "repos_in_set",
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


class Link(NamedTuple):
    """A commit as one of many in a history: what it takes to compare it with its neighbours.

    `good` is one that is finished without an error, and whose files were not forgotten.
    """

    id: int
    set_id: str
    parent_id: int | None
    root: bytes | None
    good: bool


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
_ROWS: Final[Select[Any]] = (
    select(_T.id, _T.repo_id, _T.set_id, _T.origin, _PARENT.c.set_id.label("parent_set"), *NAME_COLUMNS, *_PLAIN)
    .join(tables.repo, tables.repo.c.id == _T.repo_id)
    .join(tables.project, tables.project.c.id == tables.repo.c.project_id)
    .outerjoin(_PARENT, _PARENT.c.id == _T.parent_id)
)
_FIND: Final = _ROWS.where(_T.repo_id == bindparam("repo"), _T.set_id == bindparam("set"))
_BY_IDS: Final = _ROWS.where(_T.id.in_(bindparam("ids", expanding=True)))
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
    return None if row is None else _row(row)


def by_ids(tx: Transaction, ids: Collection[int]) -> dict[int, CommitRow]:
    """The rows with these keys; keys of no row are left out."""
    return {row.id: _row(row) for batch in batches(ids) for row in tx.execute(_BY_IDS, {"ids": batch})}


def page(
    tx: Transaction, wanted: CommitFilter, past: int | None, limit: int, *, oldest_first: bool = False
) -> list[CommitRow]:
    """The first `limit` wanted commits past the row `past`, by age."""
    found = _ROWS.order_by(_T.id if oldest_first else _T.id.desc()).limit(limit)
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
    return [_row(row) for row in tx.execute(found)]


def in_sets(tx: Transaction, set_ids: Collection[str]) -> list[CommitRow]:
    """The commits of these sets, each after those it depends on."""
    return [_row(row) for row in tx.execute(_ROWS.where(_T.set_id.in_(set_ids)).order_by(_T.id))]


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
    found = _ROWS.where(_T.repo_id == repo_id, _T.id.in_(ids)).order_by(_T.id.desc()).limit(1)
    row = tx.execute(found).one_or_none()
    return None if row is None else _row(row)


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
        found += [_row(row) for row in tx.execute(_ROWS.where(_T.parent_id.in_(batch)))]
    return found


def ancestors(tx: Transaction, start: int, limit: int) -> list[CommitRow]:
    """The commit `start` and its parents, newest first, at most `limit` in all."""
    up = _up_from(start, limit - 1)
    return [_row(row) for row in tx.execute(_ROWS.join(up, up.c.id == _T.id).order_by(up.c.depth))]


def line(tx: Transaction, start: int, limit: int) -> list[Link]:
    """The commit `start` and its parents, newest first, at most `limit` in all; for histories of many thousands."""
    up = _up_from(start, limit - 1)
    good = and_(_T.finished_at.is_not(None), _T.error == "", _T.root.is_not(None))
    wanted = select(_T.id, _T.set_id, _T.parent_id, _T.root, good).join(up, up.c.id == _T.id).order_by(up.c.depth)
    return [Link(*row) for row in tx.execute(wanted)]


def ancestor(tx: Transaction, start: int, steps: int) -> int | None:
    """The key of the commit `steps` parents above `start`; None if its history is shorter."""
    up = _up_from(start, steps)
    found: int | None = tx.execute(select(up.c.id).where(up.c.depth == steps)).scalar()
    return found


def from_root(tx: Transaction, start: int, place: int) -> int | None:
    """The key of the `place`-th commit (the first is 0) of the history that ends with `start`; None if it is shorter.

    Counts all of the history, inside the database.
    """
    up = _up_from(start, None)
    found: int | None = tx.execute(select(up.c.id).order_by(up.c.depth.desc()).offset(place).limit(1)).scalar()
    return found


def distance(tx: Transaction, start: int, end: int | None, limit: int) -> int:
    """How many commits lie from `start`, which counts, up to `end`, which does not, or to the root; `limit` at most."""
    up = select(_T.id, _T.parent_id, literal(1).label("count")).where(_T.id == start).cte("up", recursive=True)
    more = select(_T.id, _T.parent_id, up.c.count + 1).join(up, _T.id == up.c.parent_id).where(up.c.count < limit)
    up = up.union_all(more if end is None else more.where(_T.id != end))
    found: int = tx.execute(select(up.c.count).order_by(up.c.count.desc()).limit(1)).scalar_one()
    return found


def last_good(tx: Transaction, start: int, *, past_open: bool = False) -> CommitRow | None:
    """The first commit without error from `start` up through the parents; None if there is none.

    An open commit ends the search, whatever it will become: the caller sees it by its `finished_at`.
    With `past_open` it is passed over too.
    """
    up = select(_T.id, _T.parent_id, _T.finished_at, _T.error).where(_T.id == start).cte("up", recursive=True)
    more = select(_T.id, _T.parent_id, _T.finished_at, _T.error).join(up, _T.id == up.c.parent_id)
    bad = and_(up.c.finished_at.is_not(None), up.c.error != "")
    up = up.union_all(more.where(or_(bad, up.c.finished_at.is_(None)) if past_open else bad))
    # A parent is older than its child, so the last one that was looked at has the lowest key.
    row = _row(tx.execute(_ROWS.join(up, up.c.id == _T.id).order_by(_T.id).limit(1)).one())
    if row.finished_at is None:
        return None if past_open else row
    return None if row.error else row


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
    return [_row(row) for row in tx.execute(_ROWS.where(_T.repo_id.in_(repo_ids), _T.finished_at.is_(None)))]


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


def _up_from(start: int, steps: int | None) -> Any:
    """The keys of a commit and its parents with their distance, at most `steps` parents."""
    up = select(_T.id, _T.parent_id, literal(0).label("depth")).where(_T.id == start).cte("up", recursive=True)
    more = select(_T.id, _T.parent_id, up.c.depth + 1).join(up, _T.id == up.c.parent_id)
    return up.union_all(more if steps is None else more.where(up.c.depth < steps))


def _row(row: Any) -> CommitRow:
    repo = Repo(row.project_name, row.repo_name, row.repo_type)
    return CommitRow(
        id=row.id,
        repo_id=row.repo_id,
        commit=Commit(repo, row.set_id),
        parent=None if row.parent_set is None else Commit(repo, row.parent_set),
        origin=OriginKind(row.origin),
        **{column.name: row._mapping[column] for column in _PLAIN},
    )

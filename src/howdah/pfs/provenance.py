# SPDX-License-Identifier: Apache-2.0
"""Who depends on whom: owner of `branch_provenance` and `commit_provenance`, with their closures and order.

The graph of branches is the plan: what shall follow what. The graph of commits is what happened. Both
hold direct edges alone; all else is a closure, computed in the database. `pfs.propagation` makes the second
follow the first.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Final

from sqlalchemy import bindparam, case, delete, exists, insert, or_, select

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.model.refs import Commit, Repo
from howdah.pfs.repo_rows import NAME_COLUMNS

__all__ = [
    "BranchEdge",
    "add_commit_edges",
    "branches_above",
    "branches_below",
    "commit_neighbours",
    "commits_above",
    "commits_below",
    "cut_below_branches",
    "cut_below_commits",
    "cut_below_repos",
    "dag_near",
    "dag_of",
    "direct_downstreams",
    "direct_upstreams",
    "edges_of_affected",
    "edges_of_branches",
    "has_upstream",
    "in_order",
    "newly_ready",
    "next_branches",
    "next_commits",
    "ready_among",
    "set_branch_provenance",
    "waiting_for_repos",
]

_B: Final = tables.branch_provenance.c
_C: Final = tables.commit_provenance.c
_COMMIT: Final = tables.commit.c


@dataclass(frozen=True, slots=True)
class BranchEdge:
    """A branch depends directly on another; with `never` it does not follow when that one moves."""

    branch_id: int
    upstream_id: int
    never: bool = False


_EDGES: Final = select(_B.branch_id, _B.upstream_id, _B.never)
_OF_BRANCHES: Final = _EDGES.where(_B.branch_id.in_(bindparam("ids", expanding=True))).order_by(
    _B.branch_id, _B.position
)
_HAS_UPSTREAM: Final = select(exists().where(_C.commit_id == bindparam("key")))


def _ready() -> Any:
    """Commits that are not marked ready though all that they depend on is finished."""
    above, edge = tables.commit.alias("above"), tables.commit_provenance.alias("edge")
    unfinished = (
        select(above.c.id)
        .join(edge, edge.c.upstream_id == above.c.id)
        .where(edge.c.commit_id == _COMMIT.id, above.c.finished_at.is_(None))
    )
    return select(_COMMIT.id).where(_COMMIT.ready_at.is_(None), ~exists(unfinished)).order_by(_COMMIT.id)


_READY: Final = _ready()
_READY_BELOW: Final = _READY.join(tables.commit_provenance, _C.commit_id == _COMMIT.id).where(
    _C.upstream_id == bindparam("upstream")
)


def _affected_edges() -> Any:
    """The edges into the moved branches and into all that follow them."""
    down = (
        select(tables.branch.c.id)
        .where(tables.branch.c.id.in_(bindparam("moved", expanding=True)))
        .cte("down", recursive=True)
    )
    down = down.union(select(_B.branch_id).join(down, _B.upstream_id == down.c.id).where(_B.never.is_(False)))
    return _EDGES.join(down, down.c.id == _B.branch_id).order_by(_B.branch_id, _B.position)


_AFFECTED: Final = _affected_edges()


def edges_of_affected(tx: Transaction, moved: Collection[int]) -> list[BranchEdge]:
    """Every edge into one of the moved branches or into a branch that follows one of them, however far."""
    return [BranchEdge(*row) for row in tx.execute(_AFFECTED, {"moved": list(moved)})]


def edges_of_branches(tx: Transaction, branch_ids: Collection[int]) -> list[BranchEdge]:
    """The direct provenance of these branches, in the order in which it was given."""
    return [BranchEdge(*row) for row in tx.execute(_OF_BRANCHES, {"ids": list(branch_ids)})]


def branches_above(tx: Transaction, branch_ids: Collection[int]) -> dict[int, list[int]]:
    """For each of these branches that depends on any: all that it depends on, however far."""
    return _closure(tx, _B.branch_id, _B.upstream_id, branch_ids)


def branches_below(tx: Transaction, branch_ids: Collection[int]) -> dict[int, list[int]]:
    """For each of these branches that others depend on: all that do, however far."""
    return _closure(tx, _B.upstream_id, _B.branch_id, branch_ids)


def dag_of(tx: Transaction, branch_id: int) -> list[int]:
    """Every branch that an edge, in any direction, connects with this one, and itself."""
    return list(tx.execute(select(_connected(branch_id).c.id)).scalars())


def dag_near(tx: Transaction, branch_id: int, limit: int, *, without: int) -> set[int]:
    """As `dag_of`, but the nearest `limit` branches alone, and by no edge of the branch `without`."""
    dag = _connected(branch_id, without)
    return set(tx.execute(select(dag.c.id).limit(limit)).scalars())


def set_branch_provenance(tx: Transaction, branch_id: int, edges: Sequence[BranchEdge]) -> None:
    """Replace the direct provenance of a branch."""
    tx.execute(delete(tables.branch_provenance).where(_B.branch_id == branch_id))
    rows = [
        {"branch_id": branch_id, "upstream_id": edge.upstream_id, "position": position, "never": edge.never}
        for position, edge in enumerate(edges)
    ]
    if rows:
        tx.execute(insert(tables.branch_provenance), rows)


def cut_below_branches(tx: Transaction, branch_ids: Collection[int]) -> list[int]:
    """Take these branches out of everybody's provenance; the branches that lost an edge."""
    cut = delete(tables.branch_provenance).where(_B.upstream_id.in_(branch_ids)).returning(_B.branch_id)
    return list(tx.execute(cut).scalars())


def has_upstream(tx: Transaction, commit_id: int) -> bool:
    """Whether a commit depends on others: it was made by propagation, and its files come from a pipeline."""
    return bool(tx.execute(_HAS_UPSTREAM, {"key": commit_id}).scalar())


def direct_upstreams(tx: Transaction, commit_ids: Collection[int]) -> dict[int, set[tuple[int, int]]]:
    """For each of these commits that depends on any: key and repo's key of those it directly depends on."""
    found: dict[int, set[tuple[int, int]]] = {}
    wanted = select(_C.commit_id, _COMMIT.id, _COMMIT.repo_id).join(tables.commit, _COMMIT.id == _C.upstream_id)
    for batch in batches(commit_ids):
        for commit_id, upstream, repo_id in tx.execute(wanted.where(_C.commit_id.in_(batch))):
            found.setdefault(commit_id, set()).add((upstream, repo_id))
    return found


def direct_downstreams(tx: Transaction, commit_id: int) -> list[int]:
    """The keys of the commits that directly depend on one, oldest first."""
    below = select(_C.commit_id).where(_C.upstream_id == commit_id).order_by(_C.commit_id)
    return list(tx.execute(below).scalars())


def commit_neighbours(tx: Transaction, commit_ids: Collection[int], *, above: bool) -> dict[int, list[Commit]]:
    """For each of these commits: those it directly depends on, or those that depend on it; oldest first."""
    own, other = (_C.commit_id, _C.upstream_id) if above else (_C.upstream_id, _C.commit_id)
    wanted = (
        select(own, _COMMIT.set_id, *NAME_COLUMNS)
        .select_from(tables.commit_provenance)
        .join(tables.commit, _COMMIT.id == other)
        .join(tables.repo, tables.repo.c.id == _COMMIT.repo_id)
        .join(tables.project, tables.project.c.id == tables.repo.c.project_id)
        .where(own.in_(commit_ids))
        .order_by(_COMMIT.id)
    )
    found: dict[int, list[Commit]] = {}
    for key, set_id, *name in tx.execute(wanted):
        found.setdefault(key, []).append(Commit(Repo(*name), set_id))
    return found


def commits_above(tx: Transaction, set_id: str) -> list[int]:
    """The keys of all commits, in whatever set, that the commits of a set depend on; oldest first.

    Commits of the set that others of it depend on are among them.
    """
    start = select(_C.upstream_id.label("id")).join(tables.commit, _COMMIT.id == _C.commit_id)
    up = start.where(_COMMIT.set_id == set_id).cte("up", recursive=True)
    up = up.union(select(_C.upstream_id).join(up, _C.commit_id == up.c.id))
    return list(tx.execute(select(up.c.id).order_by(up.c.id)).scalars())


def commits_below(tx: Transaction, commit_ids: Collection[int]) -> set[int]:
    """The keys of all commits that depend on one of these, however far; those of them that others depend on too."""
    found: set[int] = set()
    for batch in batches(commit_ids):
        down = select(_C.commit_id.label("id")).where(_C.upstream_id.in_(batch)).cte("down", recursive=True)
        down = down.union(select(_C.commit_id).join(down, _C.upstream_id == down.c.id))
        found.update(tx.execute(select(down.c.id)).scalars())
    return found


def cut_below_commits(tx: Transaction, commit_ids: Collection[int]) -> None:
    """Take these commits out of every commit's provenance."""
    for batch in batches(commit_ids):
        tx.execute(delete(tables.commit_provenance).where(_C.upstream_id.in_(batch)))


def add_commit_edges(tx: Transaction, edges: Collection[tuple[int, int]]) -> None:
    """Say that commits depend on others: pairs of a commit's key and one that it depends on."""
    tx.execute(
        insert(tables.commit_provenance),
        [{"commit_id": commit_id, "upstream_id": upstream} for commit_id, upstream in edges],
    )


def newly_ready(tx: Transaction, upstream: int) -> list[int]:
    """The commits directly below one that are not marked ready though all above them is finished."""
    return list(tx.execute(_READY_BELOW, {"upstream": upstream}).scalars())


def ready_among(tx: Transaction, commit_ids: Collection[int]) -> list[int]:
    """Those of these commits that are not marked ready though all above them is finished."""
    return list(tx.execute(_READY.where(_COMMIT.id.in_(commit_ids))).scalars())


def waiting_for_repos(tx: Transaction, repo_ids: Collection[int]) -> list[int]:
    """The commits outside these repos that are not ready and depend directly on a commit in them."""
    above = tables.commit.alias("above")
    wanted = (
        select(_COMMIT.id)
        .distinct()
        .join(tables.commit_provenance, _C.commit_id == _COMMIT.id)
        .join(above, above.c.id == _C.upstream_id)
        .where(above.c.repo_id.in_(repo_ids), _COMMIT.repo_id.not_in(repo_ids), _COMMIT.ready_at.is_(None))
    )
    return list(tx.execute(wanted).scalars())


def cut_below_repos(tx: Transaction, repo_ids: Collection[int]) -> None:
    """Take the commits of these repos out of every commit's provenance."""
    gone = select(_COMMIT.id).where(_COMMIT.repo_id.in_(repo_ids))
    tx.execute(delete(tables.commit_provenance).where(_C.upstream_id.in_(gone)))


def next_commits(tx: Transaction, commit_ids: Collection[int], *, above: bool) -> list[int]:
    """The keys of the commits that these directly depend on, or that depend on them; newest first, each once."""
    own, other = (_C.commit_id, _C.upstream_id) if above else (_C.upstream_id, _C.commit_id)
    return list(tx.execute(select(other).distinct().where(own.in_(commit_ids)).order_by(other.desc())).scalars())


def next_branches(tx: Transaction, branch_ids: Collection[int], *, above: bool) -> list[int]:
    """The keys of the branches that these directly depend on, or that depend on them; oldest first, each once."""
    own, other = (_B.branch_id, _B.upstream_id) if above else (_B.upstream_id, _B.branch_id)
    return list(tx.execute(select(other).distinct().where(own.in_(branch_ids)).order_by(other)).scalars())


def in_order(edges: Iterable[BranchEdge]) -> list[int]:
    """The branches at both ends of the edges, each after those it depends on. The edges have no cycle."""
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for edge in edges:
        sorter.add(edge.branch_id, edge.upstream_id)
    return list(sorter.static_order())


def _connected(branch_id: int, without: int | None = None) -> Any:
    """All that edges connect with a branch, the nearest first; databases go no further than rows are asked for."""
    dag = select(tables.branch.c.id).where(tables.branch.c.id == branch_id).cte("dag", recursive=True)
    other_end = case((_B.branch_id == dag.c.id, _B.upstream_id), else_=_B.branch_id)
    step = select(other_end).join(dag, or_(_B.branch_id == dag.c.id, _B.upstream_id == dag.c.id))
    if without is not None:
        step = step.where(_B.branch_id != without, _B.upstream_id != without)
    return dag.union(step)


def _closure(tx: Transaction, here: Any, there: Any, branch_ids: Collection[int]) -> dict[int, list[int]]:
    """Follow the edges from `here` to `there` from each branch as far as they go."""
    walk = select(here.label("start"), there.label("id")).where(here.in_(branch_ids)).cte("walk", recursive=True)
    walk = walk.union(select(walk.c.start, there).join(walk, here == walk.c.id))
    found: dict[int, list[int]] = {}
    for start, reached in tx.execute(select(walk.c.start, walk.c.id).order_by(walk.c.start, walk.c.id)):
        found.setdefault(start, []).append(reached)
    return found

# SPDX-License-Identifier: Apache-2.0
"""Make the commits follow the branches: whoever depends on a branch that moved gets a commit in the same set.

The invariant, whenever a transaction ends: the head of a branch depends directly on the heads of the branches
that its branch depends on directly, and on nothing else. Exempt are edges marked `never`, whose upstream may
move alone, and branches without provenance (an output whose pipeline was stopped keeps its history).

`propagate` restores it in one pass, in topological order, with a fixed number of statements whatever the
size of the DAG. It is called once, at the end of each `pfs.work.Work`, and by nobody else.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import Commit, Repo
from howdah.model.states import OriginKind
from howdah.pfs import branch_rows, commit_rows, provenance
from howdah.pfs.branch_rows import BranchRow
from howdah.pfs.commit_rows import CommitDraft
from howdah.pfs.provenance import BranchEdge
from howdah.pfs.subjects import commit_subject

__all__ = ["NewCommit", "inconsistent", "propagate"]


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit that propagation made; `ready` when all that it depends on was finished already."""

    row_id: int
    repo: Repo
    branch: str
    set_id: str
    ready: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """The branches that need a commit, dependants last, and what their commits will depend on."""

    branches: list[BranchRow]
    edges: dict[int, list[BranchEdge]]
    rows: dict[int, BranchRow]


def propagate(tx: Transaction, moved: Collection[int], set_id: str) -> list[NewCommit]:
    """Give each branch that follows a moved one, or that moved itself, the commit it lacks; those commits in order.

    A branch whose head depends on the right commits already is left alone, so a repetition does nothing.

    Raises:
        BadRequest: DAG_INVALID: a repo would need a second commit in the set.
    """
    edges = provenance.edges_of_affected(tx, moved) if moved else []
    if not edges:
        return []
    plan = _plan(tx, edges)
    if not plan.branches:
        return []
    _check_one_commit_per_repo(tx, plan.branches, set_id)
    return _carry_out(tx, plan, set_id)


def inconsistent(repo: Repo, set_id: str) -> BadRequest:
    """The error that says that a repo would have two commits in one set."""
    return BadRequest(
        ErrorKind.DAG_INVALID,
        f"inconsistent dependencies: repo {repo} would have two commits in commit set {set_id}; "
        "change one branch of a repo in one transaction",
    )


def _plan(tx: Transaction, edges: list[BranchEdge]) -> _Plan:
    into: dict[int, list[BranchEdge]] = {}
    for edge in edges:
        into.setdefault(edge.branch_id, []).append(edge)
    rows = branch_rows.by_ids(tx, {end for edge in edges for end in (edge.branch_id, edge.upstream_id)})
    heads = [head for branch_id in into if (head := rows[branch_id].head_id) is not None]
    actual = provenance.direct_upstreams(tx, heads)
    needing: dict[int, BranchRow] = {}
    for branch_id in provenance.in_order(edges):
        if branch_id not in into:
            continue
        follows = [edge.upstream_id for edge in into[branch_id] if not edge.never]
        if any(upstream in needing for upstream in follows) or _differs(rows, into[branch_id], actual):
            needing[branch_id] = rows[branch_id]
    return _Plan(list(needing.values()), into, rows)


def _differs(rows: dict[int, BranchRow], edges: list[BranchEdge], actual: dict[int, set[tuple[int, int]]]) -> bool:
    """Whether a branch's head depends on other commits than on the present heads of the branches above it."""
    head = rows[edges[0].branch_id].head_id
    if head is None:
        return True
    wanted = {rows[edge.upstream_id].head_id for edge in edges if not edge.never}
    # A repo has one branch in a DAG, so its key tells which commit came by which edge.
    ignored = {rows[edge.upstream_id].repo_id for edge in edges if edge.never}
    return {commit for commit, repo_id in actual.get(head, ()) if repo_id not in ignored} != wanted


def _check_one_commit_per_repo(tx: Transaction, branches: Iterable[BranchRow], set_id: str) -> None:
    taken = commit_rows.repos_in_set(tx, set_id)
    for row in branches:
        if row.repo_id in taken:
            raise inconsistent(row.branch.repo, set_id)
        taken.add(row.repo_id)


def _carry_out(tx: Transaction, plan: _Plan, set_id: str) -> list[NewCommit]:
    ready = _ready(tx, plan)
    drafts = [
        CommitDraft(row.repo_id, set_id, row.branch.name, row.head_id, OriginKind.AUTO, ready=row.id in ready)
        for row in plan.branches
    ]
    keys = dict(zip((row.id for row in plan.branches), commit_rows.insert_commits(tx, drafts), strict=True))
    provenance.add_commit_edges(
        tx,
        [
            (keys[row.id], head)
            for row in plan.branches
            for edge in plan.edges[row.id]
            if (head := keys.get(edge.upstream_id, plan.rows[edge.upstream_id].head_id)) is not None
        ],
    )
    branch_rows.move_heads(tx, [(row, keys[row.id]) for row in plan.branches])
    made = []
    for row in plan.branches:
        made.append(NewCommit(keys[row.id], row.branch.repo, row.branch.name, set_id, row.id in ready))
        subject = commit_subject(Commit(row.branch.repo, set_id))
        tx.emit(subject, "started", {"branch": row.branch.name})
        if row.id in ready:
            tx.emit(subject, "ready", {"branch": row.branch.name})
    return made


def _ready(tx: Transaction, plan: _Plan) -> set[int]:
    """The branches whose new commit will depend on finished commits alone."""
    new = {row.id for row in plan.branches}
    above = {edge.upstream_id for row in plan.branches for edge in plan.edges[row.id]} - new
    heads = {head for branch_id in above if (head := plan.rows[branch_id].head_id) is not None}
    found = commit_rows.by_ids(tx, heads)
    unfinished = new | {
        branch_id
        for branch_id in above
        if (head := plan.rows[branch_id].head_id) is not None and found[head].finished_at is None
    }
    return {row.id for row in plan.branches if not any(edge.upstream_id in unfinished for edge in plan.edges[row.id])}

# SPDX-License-Identifier: Apache-2.0
"""Branches: movable names of commits, and the graph of which branch follows which.

A branch with provenance is an output: nobody starts commits on it; it gets one whenever a branch that it
depends on moves (`pfs.propagation`).
"""

from collections.abc import Iterator, Sequence
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, Refused
from howdah.model.infos import BranchInfo, Trigger
from howdah.model.names import branch_name
from howdah.model.refs import Branch, Commitish, Repo
from howdah.pfs import branch_rows, repo_rows, trigger_rows, triggers
from howdah.pfs import provenance as dag
from howdah.pfs.branch_rows import BranchRow
from howdah.pfs.infos import branch_infos
from howdah.pfs.provenance import BranchEdge
from howdah.pfs.resolve import resolve_in
from howdah.pfs.starting import make_empty
from howdah.pfs.work import Work, Works, dependants

__all__ = ["Branches", "create", "delete"]

_PAGE: Final = 200
_NEAR: Final = 64  # branches of a DAG that are looked at before all of it is


def create(
    work: Work,
    branch: Branch,
    head: Commitish | None = None,
    provenance: Sequence[Branch] = (),
    trigger: Trigger | None = None,
    *,
    new_set: bool = False,
    never: Sequence[Branch] = (),
) -> None:
    """Make a branch, or change one: its head if one is given, and its provenance in any case.

    A new branch without a head gets an empty finished commit, or with provenance one that follows from it.
    Branches of the provenance that are missing are made in the same way. Those of them that are also in
    `never` may move without this one. A trigger stays unless another is given. A repetition does nothing. With
    `new_set`, what is made from here on in this work, propagation included, is a commit set of its own.

    Raises:
        BadRequest: BAD_NAME; the head is in another repo; provenance and a trigger both; DAG_INVALID; a trigger
            that cannot be read.
        NotFound: a repo, the head, or the branch that the trigger watches.
    """
    branch_name(branch.name)
    _check_call(branch, provenance, trigger, never)
    repo = repo_rows.get(work.tx, branch.repo)
    if new_set:
        work.new_set()
    to = None if head is None else resolve_in(work.tx, head, branch.repo, "head commit").id
    upstreams = [_upstream(work, each) for each in dict.fromkeys(provenance)]
    row = branch_rows.find(work.tx, repo.id, branch.name)
    if upstreams and row is not None and row.trigger is not None:
        raise _both(branch)
    if row is None:
        if to is None and not upstreams:
            to = make_empty(work, repo, branch.name)
        row = branch_rows.insert_branch(work.tx, repo, branch.name, to)
        work.moved(row.id)
    elif to is not None and to != row.head_id:
        branch_rows.move_head(work.tx, row, to)
        triggers.decided_by_hand(work.tx, row)
        work.moved(row.id)
    edges = [BranchEdge(row.id, upstream.id, upstream.branch in never) for upstream in upstreams]
    _set_provenance(work, row, edges)
    if trigger is not None:
        triggers.attach(work, row, trigger)


def delete(work: Work, branch: Branch, *, force: bool = False) -> None:
    """Delete a branch; its commits stay. With `force` branches that depend on it lose that provenance or trigger.

    Raises:
        NotFound: the repo or the branch.
        Refused: HAS_DEPENDANTS.
    """
    row = branch_rows.get(work.tx, branch)
    below = dag.branches_below(work.tx, [row.id]).get(row.id, [])
    if below and not force:
        raise dependants(work, f"branch {branch}", branch_rows.by_ids(work.tx, below).values())
    _release_triggered(work.tx, row, force=force)
    dag.cut_below_branches(work.tx, [row.id])
    branch_rows.remove(work.tx, [row])


class Branches:
    """The branches of a lake. Each method is one transaction, and each change one commit set."""

    def __init__(self, db: Database, works: Works) -> None:
        self._db = db
        self._works = works

    def create(
        self,
        branch: Branch,
        head: Commitish | None = None,
        provenance: Sequence[Branch] = (),
        trigger: Trigger | None = None,
        *,
        new_set: bool = False,
        never: Sequence[Branch] = (),
    ) -> None:
        """As the function `create`."""
        with self._works.open() as work:
            create(work, branch, head, provenance, trigger, new_set=new_set, never=never)

    def delete(self, branch: Branch, *, force: bool = False) -> None:
        """As the function `delete`."""
        with self._works.open() as work:
            delete(work, branch, force=force)

    def inspect(self, branch: Branch) -> BranchInfo:
        """What is known of a branch.

        Raises:
            NotFound: REPO_NOT_FOUND or BRANCH_NOT_FOUND.
        """
        with self._db.read() as tx:
            return branch_infos(tx, [branch_rows.get(tx, branch)])[0]

    def list(self, repo: Repo | None = None, *, reverse: bool = False) -> Iterator[BranchInfo]:
        """The branches of a repo, or of all repos, newest first, with `reverse` oldest first.

        Pages are read as they are reached, each as things are then.

        Raises:
            NotFound: REPO_NOT_FOUND.
        """
        repo_id = None
        if repo is not None:
            with self._db.read() as tx:
                repo_id = repo_rows.get(tx, repo).id
        return self._pages(repo_id, reverse)

    def _pages(self, repo_id: int | None, oldest_first: bool) -> Iterator[BranchInfo]:
        past: int | None = None
        while True:
            with self._db.read() as tx:
                rows = branch_rows.page(tx, repo_id, past, _PAGE, oldest_first=oldest_first)
                infos = branch_infos(tx, rows)
            yield from infos
            if len(rows) < _PAGE:
                return
            past = rows[-1].id


def _check_call(branch: Branch, provenance: Sequence[Branch], trigger: Trigger | None, never: Sequence[Branch]) -> None:
    """Refuse what is wrong whatever the lake holds."""
    if provenance and trigger is not None:
        raise _both(branch)
    if trigger is not None:
        triggers.check(branch, trigger)
    if any(each.repo == branch.repo for each in provenance):
        raise BadRequest(
            ErrorKind.DAG_INVALID,
            f"repo {branch.repo} cannot be in the provenance of its own branch {branch}; use another repo",
        )
    if strangers := [each for each in never if each not in provenance]:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"branch {strangers[0]} is not to be followed but is not in the provenance of {branch}; add it there too",
        )


def _both(branch: Branch) -> BadRequest:
    text = f"branch {branch} cannot have both provenance and a trigger; leave one of them out"
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)


def _release_triggered(tx: Transaction, row: BranchRow, *, force: bool) -> None:
    """Take away the triggers that watch a branch which is about to go; refused without `force`."""
    watching = trigger_rows.of_source(tx, row.repo_id, row.branch.name)
    if watching and not force:
        raise Refused(
            ErrorKind.HAS_DEPENDANTS,
            f"branch {row.branch} cannot be deleted: it triggers branch {watching[0].branch.branch}; "
            "delete that first, or use force",
        )
    trigger_rows.forget(tx, [each.branch.id for each in watching])
    for each in watching:
        branch_rows.set_trigger(tx, each.branch, None)


def _upstream(work: Work, branch: Branch) -> BranchRow:
    """The row of a branch that is to be depended on; made if it is missing."""
    repo = repo_rows.get(work.tx, branch.repo)
    if (row := branch_rows.find(work.tx, repo.id, branch.name)) is None:
        create(work, branch)
        row = branch_rows.get(work.tx, branch)
    return row


def _set_provenance(work: Work, row: BranchRow, edges: Sequence[BranchEdge]) -> None:
    if dag.edges_of_branches(work.tx, [row.id]) == list(edges):
        return
    dag.set_branch_provenance(work.tx, row.id, edges)
    if edges:
        _check_dag(work.tx, row, edges)
    work.moved(row.id)


def _check_dag(tx: Transaction, row: BranchRow, edges: Sequence[BranchEdge]) -> None:
    """Refuse a cycle, and two branches of a repo in one DAG: a commit set has one commit for each repo."""
    is_followed = bool(dag.next_branches(tx, [row.id], above=False))
    if is_followed and row.id in dag.branches_above(tx, [row.id]).get(row.id, ()):
        raise BadRequest(
            ErrorKind.DAG_INVALID, f"branch {row.branch} would depend on itself; leave out the branch that follows it"
        )
    if not is_followed and _is_plainly_good(tx, row, [edge.upstream_id for edge in edges]):
        return
    seen: dict[int, BranchRow] = {}
    for each in branch_rows.by_ids(tx, dag.dag_of(tx, row.id)).values():
        if (other := seen.setdefault(each.repo_id, each)) is not each:
            raise BadRequest(
                ErrorKind.DAG_INVALID,
                "multiple branches from the same repo cannot participate in a DAG: "
                f"{other.branch} and {each.branch}; use one of them",
            )


def _is_plainly_good(tx: Transaction, row: BranchRow, upstreams: Sequence[int]) -> bool:
    """Whether a look around shows that no repo is in the DAG twice, by a branch that nobody follows yet.

    Each DAG was good before. So if at most one of those that are joined is large, it need not be looked through: what
    is new to it is few branches, whose repos must have no others. False says nothing.
    """
    parts: list[tuple[set[int], bool]] = []
    for upstream in upstreams:
        near = dag.dag_near(tx, upstream, _NEAR, without=row.id)
        is_whole = len(near) < _NEAR
        same = [part for part in parts if part[0] & near]
        parts = [part for part in parts if part not in same]
        parts.append((near.union(*(nodes for nodes, _ in same)), is_whole or any(whole for _, whole in same)))
    large = [nodes for nodes, is_whole in parts if not is_whole]
    few = {row.id}.union(*(nodes for nodes, is_whole in parts if is_whole))
    repos = [each.repo_id for each in branch_rows.by_ids(tx, few).values()]
    if len(large) > 1 or len(set(repos)) < len(repos):
        return False
    return not large or not branch_rows.has_others(tx, repos, few)

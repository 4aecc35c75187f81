# SPDX-License-Identifier: Apache-2.0
"""Rows made into the answers of `model.infos`, a page at a time: a few statements, however many rows."""

from collections.abc import Sequence

from howdah.db.transaction import Transaction
from howdah.model.infos import BranchInfo, CommitInfo, RepoInfo
from howdah.model.names import DEFAULT_BRANCH
from howdah.model.refs import Branch, Commit
from howdah.pfs import branch_rows, commit_lines, commit_rows, provenance
from howdah.pfs.branch_rows import BranchRow
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.repo_rows import RepoRow

__all__ = ["branch_infos", "commit_infos", "repo_infos"]


def commit_infos(tx: Transaction, rows: Sequence[CommitRow]) -> list[CommitInfo]:
    """What is known of these commits, in their order."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    children = commit_rows.children(tx, ids)
    above = provenance.commit_neighbours(tx, ids, above=True)
    below = provenance.commit_neighbours(tx, ids, above=False)
    return [
        CommitInfo(
            commit=row.commit,
            branch=row.branch_name,
            origin=row.origin,
            description=row.description,
            parent=row.parent,
            children=tuple(Commit(row.commit.repo, child) for child in children.get(row.id, ())),
            started_at=row.started_at,
            ready_at=row.ready_at,
            finishing_at=row.finishing_at,
            finished_at=row.finished_at,
            error=row.error,
            size_bytes=row.size_bytes,
            files=row.files,
            direct_provenance=tuple(above.get(row.id, ())),
            direct_subvenance=tuple(below.get(row.id, ())),
            updated_at=row.updated_at,
            metadata=row.metadata,
        )
        for row in rows
    ]


def branch_infos(tx: Transaction, rows: Sequence[BranchRow]) -> list[BranchInfo]:
    """What is known of these branches, in their order; provenance in all is in the order of names."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    direct: dict[int, list[int]] = {}
    never: dict[int, list[int]] = {}
    for edge in provenance.edges_of_branches(tx, ids):
        direct.setdefault(edge.branch_id, []).append(edge.upstream_id)
        if edge.never:
            never.setdefault(edge.branch_id, []).append(edge.upstream_id)
    above, below = provenance.branches_above(tx, ids), provenance.branches_below(tx, ids)
    others = {key for found in (above, below) for keys in found.values() for key in keys}
    names = {key: row.branch for key, row in branch_rows.by_ids(tx, others).items()}
    heads = commit_rows.by_ids(tx, [row.head_id for row in rows if row.head_id is not None])

    def sorted_names(keys: Sequence[int]) -> tuple[Branch, ...]:
        return tuple(sorted(names[key] for key in keys))

    return [
        BranchInfo(
            branch=row.branch,
            head=None if row.head_id is None else heads[row.head_id].commit,
            direct_provenance=tuple(names[key] for key in direct.get(row.id, ())),
            provenance=sorted_names(above.get(row.id, ())),
            subvenance=sorted_names(below.get(row.id, ())),
            trigger=row.trigger,
            created_at=row.created_at,
            updated_at=row.updated_at,
            metadata=row.metadata,
            never=tuple(names[key] for key in never.get(row.id, ())),
        )
        for row in rows
    ]


def repo_infos(tx: Transaction, rows: Sequence[RepoRow]) -> list[RepoInfo]:
    """What is known of these repos, in their order; branches oldest first."""
    if not rows:
        return []
    branches: dict[int, list[Branch]] = {}
    masters: dict[int, int] = {}
    for branch in branch_rows.of_repos(tx, [row.id for row in rows]):
        branches.setdefault(branch.repo_id, []).append(branch.branch)
        if branch.branch.name == DEFAULT_BRANCH and branch.head_id is not None:
            masters[branch.repo_id] = branch.head_id
    heads = commit_rows.by_ids(tx, masters.values())
    return [
        RepoInfo(
            repo=row.repo,
            description=row.description,
            created_at=row.created_at,
            branches=tuple(branches.get(row.id, ())),
            size_bytes=_size(tx, heads[masters[row.id]]) if row.id in masters else 0,
            metadata=row.metadata,
        )
        for row in rows
    ]


def _size(tx: Transaction, head: CommitRow) -> int:
    """The size of the last commit of a history that is finished and good; 0 if there is none."""
    if head.finished_at is not None and not head.error:
        return head.size_bytes or 0
    last = commit_lines.last_good(tx, head.id, past_open=True)
    return 0 if last is None else last.size_bytes or 0

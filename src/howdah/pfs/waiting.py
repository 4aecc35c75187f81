# SPDX-License-Identifier: Apache-2.0
"""What waiting calls ask again and again: has it happened? Nothing here blocks.

The caller listens for the events of a commit or a repo (`pfs.subjects`), asks, and asks again after each; so
no thread is held while nothing happens.
"""

from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind
from howdah.model.infos import CommitInfo
from howdah.model.refs import Commit, Repo
from howdah.model.states import CommitState, OriginKind
from howdah.pfs import commit_rows, repo_rows
from howdah.pfs.commit_rows import CommitFilter, has_reached
from howdah.pfs.infos import commit_infos

__all__ = ["reached", "subscription_page"]


def reached(tx: Transaction, commit: Commit, state: CommitState) -> CommitInfo | None:
    """What is known of a commit once it has come as far as `state`; None before. `commit` has been resolved.

    Raises:
        Conflict: DELETED_MEANWHILE.
    """
    repo = repo_rows.find(tx, commit.repo)
    row = None if repo is None else commit_rows.find(tx, repo.id, commit.id)
    if row is None:
        raise Conflict(ErrorKind.DELETED_MEANWHILE, f"commit {commit} was deleted; wait for another one")
    return commit_infos(tx, [row])[0] if has_reached(row, state) else None


def subscription_page(
    tx: Transaction,
    repo: Repo,
    after: int,
    limit: int,
    branch: str | None,
    origin: OriginKind | None,
    state: CommitState,
) -> list[tuple[int, CommitInfo]]:
    """The commits after the row `after`, oldest first, up to the first that has not come as far as `state`.

    So each commit is given once, in the order in which they were made, by passing the last key on.

    Raises:
        NotFound: REPO_NOT_FOUND.
    """
    wanted = CommitFilter(repo_rows.get(tx, repo).id, branch=branch, origin=origin)
    rows = commit_rows.page(tx, wanted, after, limit, oldest_first=True)
    far = next((place for place, row in enumerate(rows) if not has_reached(row, state)), len(rows))
    return [(row.id, info) for row, info in zip(rows[:far], commit_infos(tx, rows[:far]), strict=True)]

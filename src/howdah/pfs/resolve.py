# SPDX-License-Identifier: Apache-2.0
"""Find the commit that a reference means: a branch's head, an id, an alias, and steps from there.

A repo that made no commit of its own in a set still has one that the set's commits were made from: the one
in their provenance. `repo@ID` means that one. So a result's id may differ from the id that was asked for.
"""

from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.refs import HEAD, Ancestry, Branch, Commit, Commitish, Repo
from howdah.pfs import branch_rows, commit_lines, commit_rows, provenance, repo_rows
from howdah.pfs.commit_rows import CommitRow

__all__ = ["commit_missing", "exact", "head_of", "of_set", "own", "resolve", "resolve_in"]


def resolve(tx: Transaction, ref: Commitish) -> CommitRow:
    """The commit that a reference means.

    Raises:
        NotFound: REPO_NOT_FOUND, BRANCH_NOT_FOUND, or COMMIT_NOT_FOUND also for a branch without commits and
            for steps that lead out of the history.
    """
    repo = repo_rows.get(tx, ref.repo)
    start = _start(tx, repo.id, ref)
    ancestry = HEAD if isinstance(ref, Commit) else ref.ancestry
    return start if ancestry == HEAD else _walk(tx, start, ancestry, ref)


def resolve_in(tx: Transaction, ref: Commitish, repo: Repo, what: str) -> CommitRow:
    """The commit that a reference means, in a given repo; `what` says in the error what it was wanted for.

    Raises:
        BadRequest: BAD_ARGUMENT: the reference is one into another repo.
        NotFound: as `resolve`.
    """
    if ref.repo != repo:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT, f"{what} {ref} is not in repo {repo}; name a commit of repo {repo} instead"
        )
    return resolve(tx, ref)


def exact(tx: Transaction, commit: Commit) -> CommitRow:
    """The row of a commit that the repo itself made; no alias will do.

    Raises:
        NotFound: REPO_NOT_FOUND or COMMIT_NOT_FOUND.
    """
    repo = repo_rows.get(tx, commit.repo)
    if (row := commit_rows.find(tx, repo.id, commit.id)) is None:
        raise commit_missing(commit)
    return row


def own(tx: Transaction, ref: Commitish) -> CommitRow:
    """As `resolve`, for whoever changes the commit: an id means what the repo itself made in that set, no alias.

    Raises:
        NotFound: as `resolve`.
    """
    plain = bool(ref.id) and (isinstance(ref, Commit) or ref.ancestry == HEAD)
    return exact(tx, Commit(ref.repo, ref.id)) if plain else resolve(tx, ref)


def head_of(tx: Transaction, branch: Branch) -> CommitRow | None:
    """The head of a branch; None if there is no such branch yet, or it has no commit.

    Raises:
        NotFound: REPO_NOT_FOUND.
    """
    repo = repo_rows.get(tx, branch.repo)
    row = branch_rows.find(tx, repo.id, branch.name)
    if row is None or row.head_id is None:
        return None
    return commit_rows.by_ids(tx, [row.head_id])[row.head_id]


def of_set(tx: Transaction, repo_id: int, set_id: str) -> CommitRow | None:
    """The commit of a repo that a set means: its own, or the newest that the set's commits were made from."""
    if (own := commit_rows.find(tx, repo_id, set_id)) is not None:
        return own
    above = provenance.commits_above(tx, set_id)
    return commit_rows.newest_in(tx, repo_id, above) if above else None


def commit_missing(ref: Commitish) -> NotFound:
    """The error that says that there is no such commit."""
    return NotFound(
        ErrorKind.COMMIT_NOT_FOUND, f"commit {ref} not found; see what there is: howdah list commit {ref.repo}"
    )


def _start(tx: Transaction, repo_id: int, ref: Commitish) -> CommitRow:
    if ref.id:
        if (found := of_set(tx, repo_id, ref.id)) is None:
            raise commit_missing(ref)
        return found
    branch = Branch(ref.repo, "" if isinstance(ref, Commit) else ref.branch)
    if not branch.name:
        raise BadRequest(ErrorKind.BAD_REFERENCE, f"no commit of repo {ref.repo} is named; give a branch or an id")
    if (row := branch_rows.find(tx, repo_id, branch.name)) is None:
        raise branch_rows.missing(branch)
    if row.head_id is None:
        raise NotFound(
            ErrorKind.COMMIT_NOT_FOUND,
            f"commit {ref} not found: the branch has no commit yet; start one: howdah start commit {branch}",
        )
    return commit_rows.by_ids(tx, [row.head_id])[row.head_id]


def _walk(tx: Transaction, start: CommitRow, ancestry: Ancestry, ref: Commitish) -> CommitRow:
    if ancestry.from_root is None:
        found = commit_lines.ancestor(tx, start.id, ancestry.parents)
    else:
        place = ancestry.from_root - 1 - ancestry.parents
        found = commit_lines.from_root(tx, start.id, place) if place >= 0 else None
    if found is None:
        raise NotFound(
            ErrorKind.COMMIT_NOT_FOUND,
            f"commit {ref} not found: its history is shorter; see it: howdah list commit {ref.repo}",
        )
    return commit_rows.by_ids(tx, [found])[found]

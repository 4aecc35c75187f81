# SPDX-License-Identifier: Apache-2.0
"""Make the commits that somebody asked for. Those that follow from them are made by `pfs.propagation`."""

from howdah.errors import BadRequest, Conflict, ErrorKind, Refused
from howdah.model.names import branch_name
from howdah.model.refs import Branch, Commit, Commitish
from howdah.model.states import OriginKind
from howdah.pfs import branch_rows, commit_rows, provenance, repo_rows, touched
from howdah.pfs.branch_rows import BranchRow
from howdah.pfs.closing import close_row
from howdah.pfs.commit_rows import CommitDraft, CommitRow
from howdah.pfs.propagation import inconsistent
from howdah.pfs.repo_rows import RepoRow
from howdah.pfs.resolve import resolve_in
from howdah.pfs.subjects import commit_subject
from howdah.pfs.work import Work
from howdah.storage.filesets import EMPTY_ROOT

__all__ = ["make_empty", "make_finished", "start"]


def start(work: Work, branch: Branch, parent: Commitish | None = None, description: str = "") -> Commit:
    """Open a commit on a branch and move the branch to it; a missing branch is made.

    Its parent is the head of the branch, unless another commit of the repo is given.

    Raises:
        BadRequest: no branch is named or its name is bad; the parent is in another repo; DAG_INVALID: the repo
            has a commit in this commit set already.
        NotFound: the repo, or the parent.
        Refused: COMMIT_OPEN: the parent has not been finished; OUTPUT_BRANCH.
    """
    repo, row = _target(work, branch)
    base = _head(work, row) if parent is None else resolve_in(work.tx, parent, branch.repo, "parent commit")
    _open(work, repo, row, branch.name, base, description)
    return Commit(branch.repo, work.set_id)


def make_finished(
    work: Work,
    branch: Branch,
    root: bytes,
    files: int,
    size: int,
    description: str = "",
    *,
    expected_head: int | None,
    hashes: bytes | None = None,
) -> Commit:
    """Start and finish a commit in one step, on top of the head that its files were made from.

    `hashes` are those of the paths in which it differs from that head (`pfs.touched`), if they are known.
    `expected_head` is the key of that head's row; None means that the branch was missing or without commits.

    Raises:
        Conflict: WRITE_CONFLICT: the branch has another head now, so the files must be made again.
        BadRequest, NotFound, Refused: as `start`.
    """
    repo, row = _target(work, branch)
    if (None if row is None else row.head_id) != expected_head:
        raise Conflict(
            ErrorKind.WRITE_CONFLICT, f"branch {branch} moved while its next commit was made; repeat the write"
        )
    key = _open(work, repo, row, branch.name, _head(work, row), description)
    close_row(work.tx, key, root, files, size)
    touched.remember(work.tx, key, expected_head, hashes)
    return Commit(branch.repo, work.set_id)


def make_empty(work: Work, repo: RepoRow, name: str) -> int:
    """Make a finished commit without files, for a new branch that needs a head; its key."""
    key = _insert(work, repo, CommitDraft(repo.id, work.set_id, name, None, OriginKind.AUTO))
    close_row(work.tx, key, EMPTY_ROOT, 0, 0)
    return key


def _target(work: Work, branch: Branch) -> tuple[RepoRow, BranchRow | None]:
    """The rows of a branch that may be written by hand; the branch may be missing."""
    if not branch.name:
        raise BadRequest(ErrorKind.BAD_REFERENCE, f"branch must be specified; name a branch of repo {branch.repo}")
    repo = repo_rows.get(work.tx, branch.repo)
    row = branch_rows.find(work.tx, repo.id, branch.name)
    if row is None:
        branch_name(branch.name)
    elif provenance.edges_of_branches(work.tx, [row.id]):
        raise Refused(
            ErrorKind.OUTPUT_BRANCH,
            f"cannot start a commit on an output branch: {branch} follows other branches; write to those instead",
        )
    return repo, row


def _head(work: Work, row: BranchRow | None) -> CommitRow | None:
    if row is None or row.head_id is None:
        return None
    return commit_rows.by_ids(work.tx, [row.head_id])[row.head_id]


def _open(work: Work, repo: RepoRow, row: BranchRow | None, name: str, base: CommitRow | None, description: str) -> int:
    if base is not None and base.finishing_at is None:
        raise Refused(
            ErrorKind.COMMIT_OPEN,
            f"parent commit {base.commit} has not been finished; finish it first: howdah finish commit {base.commit}",
        )
    parent_id = None if base is None else base.id
    key = _insert(work, repo, CommitDraft(repo.id, work.set_id, name, parent_id, OriginKind.USER, description))
    if row is None:
        row = branch_rows.insert_branch(work.tx, repo, name, key)
    else:
        branch_rows.move_head(work.tx, row, key)
    work.moved(row.id)
    return key


def _insert(work: Work, repo: RepoRow, draft: CommitDraft) -> int:
    if repo.id in commit_rows.repos_in_set(work.tx, work.set_id):
        raise inconsistent(repo.repo, work.set_id)
    [key] = commit_rows.insert_commits(work.tx, [draft])
    subject = commit_subject(Commit(repo.repo, work.set_id))
    work.tx.emit(subject, "started", {"branch": draft.branch_name})
    work.tx.emit(subject, "ready", {"branch": draft.branch_name})
    return key

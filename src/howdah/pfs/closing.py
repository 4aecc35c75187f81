# SPDX-License-Identifier: Apache-2.0
"""Close a commit: its files are fixed, and the commits that waited for it may begin.

What its files are is worked out before, by whoever finishes it; here is the one place that says so in the database.
"""

from collections.abc import Collection

from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind, Refused, Unavailable
from howdah.model.refs import Commit
from howdah.pfs import commit_changes, commit_lines, commit_rows, provenance
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.subjects import commit_subject
from howdah.storage.filesets import EMPTY_ROOT

__all__ = ["base_files", "close_row", "deleted", "forgotten", "good_base", "good_root", "mark_ready"]


def close_row(
    tx: Transaction,
    commit_id: int,
    root: bytes,
    files: int,
    size: int,
    description: str | None = None,
    error: str = "",
) -> None:
    """Finish a commit with its fileset, and mark as ready those that waited for nothing else.

    `description` replaces the one of its start; None keeps it. Its changes are forgotten: `root` holds them.

    Raises:
        Refused: COMMIT_FINISHED: it was closed before.
        Conflict: DELETED_MEANWHILE.
    """
    if (row := commit_rows.by_ids(tx, [commit_id]).get(commit_id)) is None:
        raise deleted()
    if not commit_rows.close(tx, row, root, files, size, description, error):
        raise commit_changes.already_finished(row.commit)
    commit_changes.clear(tx, commit_id)
    subject = commit_subject(row.commit)
    tx.emit(subject, "finishing", {"branch": row.branch_name})
    tx.emit(subject, "finished", {"branch": row.branch_name, "error": error})
    mark_ready(tx, provenance.newly_ready(tx, commit_id))


def mark_ready(tx: Transaction, commit_ids: Collection[int]) -> None:
    """Say of commits that all that they depend on is finished."""
    if not commit_ids:
        return
    commit_rows.set_ready(tx, commit_ids)
    for row in commit_rows.by_ids(tx, commit_ids).values():
        tx.emit(commit_subject(row.commit), "ready", {"branch": row.branch_name})


def good_root(tx: Transaction, row: CommitRow) -> bytes:
    """The files to read in a commit: its own, or if it has an error those of its nearest good ancestor.

    Raises:
        Unavailable: BUSY: that commit is still open.
        Refused: COMMIT_FORGOTTEN.
    """
    return _root(tx, row.id, row)


def good_base(tx: Transaction, row: CommitRow) -> bytes:
    """The files that a commit starts from: those of its nearest ancestor without error; empty if it has none.

    Raises:
        Unavailable: BUSY: that ancestor is still open.
        Refused: COMMIT_FORGOTTEN.
    """
    return EMPTY_ROOT if row.parent_id is None else _root(tx, row.parent_id, row)


def base_files(tx: Transaction, row: CommitRow) -> tuple[bytes, int, int]:
    """As `good_base`, with the number and the size of those files."""
    root = good_base(tx, row)
    base = None if row.parent_id is None else commit_lines.last_good(tx, row.parent_id)
    return (root, 0, 0) if base is None else (root, base.files or 0, base.size_bytes or 0)


def deleted(commit: Commit | None = None) -> Conflict:
    """The error that says that a commit is gone that was there a moment ago; named, if the caller knows its name."""
    name = "the commit" if commit is None else f"commit {commit}"
    return Conflict(ErrorKind.DELETED_MEANWHILE, f"{name} was deleted before it was finished; start another one")


def forgotten(commit: Commit) -> Refused:
    """The error that says that the files of a commit were given up."""
    return Refused(
        ErrorKind.COMMIT_FORGOTTEN,
        f"commit {commit} is forgotten: its files were given up; use a later one: howdah list commit {commit.repo}",
    )


def _root(tx: Transaction, start: int, row: CommitRow) -> bytes:
    base = commit_lines.last_good(tx, start)
    if base is None:
        return EMPTY_ROOT
    if base.forgotten:
        raise forgotten(base.commit)
    if base.root is None:
        raise Unavailable(
            ErrorKind.BUSY,
            f"base commit {base.commit} for commit {row.commit} unfinished; "
            f"wait for it: howdah wait commit {base.commit}",
        )
    return base.root

# SPDX-License-Identifier: Apache-2.0
"""What may still be done to one commit: describe it, clear it while it is open, give up its files when it is closed.

Removing it from history is `pfs.removal`.
"""

from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, Refused
from howdah.model.refs import Commit, Commitish
from howdah.pfs import branch_rows, commit_changes, commit_rows, provenance
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.resolve import own
from howdah.pfs.subjects import commit_subject

__all__ = ["clear", "describe", "forget", "forgettable"]


def describe(tx: Transaction, ref: Commitish, description: str) -> Commit:
    """Replace the description of a commit, open or finished; its name.

    Raises:
        NotFound: there is no such commit; an alias is none.
    """
    row = own(tx, ref)
    commit_rows.set_description(tx, row.id, description)
    tx.emit(commit_subject(row.commit), "updated", {"branch": row.branch_name})
    return row.commit


def clear(tx: Transaction, ref: Commitish) -> Commit:
    """Let an open commit lose what was written to it, so that it holds what its parent does; its name.

    What is being written meanwhile counts as written afterwards.

    Raises:
        NotFound: there is no such commit; an alias is none.
        Refused: COMMIT_FINISHED.
    """
    row = own(tx, ref)
    if row.finishing_at is not None:
        raise commit_changes.already_finished(row.commit)
    commit_changes.clear_all(tx, row)
    tx.emit(commit_subject(row.commit), "cleared", {"branch": row.branch_name})
    return row.commit


def forget(tx: Transaction, ref: Commitish) -> Commit:
    """Give up the files of a finished commit; the commit itself, its size and its provenance stay. Its name.

    Reads of it are refused from now on. A repetition does nothing. Raises as `forgettable`.
    """
    row = forgettable(tx, ref)
    if not row.forgotten:
        commit_rows.forget(tx, row.id)
        tx.emit(commit_subject(row.commit), "forgotten", {"branch": row.branch_name})
    return row.commit


def forgettable(tx: Transaction, ref: Commitish) -> CommitRow:
    """The commit if its files can be given up, or have been.

    Raises:
        NotFound: there is no such commit; an alias is none.
        Refused: COMMIT_OPEN: it is not finished; HAS_DEPENDANTS: a branch shows its files, or a commit that is
            not finished is made from them.
    """
    row = own(tx, ref)
    if row.finished_at is None:
        text = f"commit {row.commit} is not finished and cannot be forgotten; finish it, or drop it"
        raise Refused(ErrorKind.COMMIT_OPEN, text)
    if not row.forgotten:
        _check_unused(tx, row)
    return row


def _check_unused(tx: Transaction, row: CommitRow) -> None:
    """Refuse if the files are read as those of a head, or will be read to finish another commit."""
    below = commit_rows.by_ids(tx, provenance.direct_downstreams(tx, row.id))
    waiting = [each for each in below.values() if each.finished_at is None]
    # The commit, and those after it that have an error: they are read as it.
    shown = [row.id]
    while shown and not waiting:
        if heads := branch_rows.with_heads(tx, shown):
            text = f"branch {heads[0].branch} shows its files; commit to that branch first, or move it"
            raise Refused(ErrorKind.HAS_DEPENDANTS, f"commit {row.commit} cannot be forgotten: {text}")
        children = commit_rows.child_rows(tx, shown)
        waiting = [each for each in children if each.finished_at is None]
        shown = [each.id for each in children if each.error]
    if waiting:
        text = f"commit {waiting[0].commit} is made from it; wait for that: howdah wait commit {waiting[0].commit}"
        raise Refused(ErrorKind.HAS_DEPENDANTS, f"commit {row.commit} cannot be forgotten: {text}")

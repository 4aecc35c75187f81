# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `commit_change`: what was written into an open commit, in the order of arrival.

A body is opaque here (`howdah.storage.changes` knows it); `seq` grows by one from 1. Changes that were merged
into the commit's `partial_root`, and those of a closed commit, are gone.
"""

from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, Refused
from howdah.model.refs import Commit
from howdah.pfs import commit_rows, leases
from howdah.pfs.commit_rows import CommitRow

__all__ = ["add", "after_partial", "already_finished", "clear", "clear_all", "merge"]

_T: Final = tables.commit_change.c
_LAST: Final = select(func.max(_T.seq)).where(_T.commit_id == bindparam("key"))
_CLEAR: Final = delete(tables.commit_change).where(_T.commit_id == bindparam("key"))


def add(tx: Transaction, row: CommitRow, body: bytes, lease_id: str) -> int:
    """Append what a writer hands in under its lease; the change's number. `row` was read in this transaction.

    Raises:
        Refused: COMMIT_FINISHED.
        Conflict: LEASE_EXPIRED.
    """
    if row.finishing_at is not None:
        raise already_finished(row.commit)
    leases.check(tx, lease_id)
    last: int | None = tx.execute(_LAST, {"key": row.id}).scalar()
    seq = max(last or 0, row.partial_seq or 0) + 1
    tx.execute(insert(tables.commit_change), {"commit_id": row.id, "seq": seq, "body": body, "lease_id": lease_id})
    return seq


def after_partial(tx: Transaction, row: CommitRow) -> list[tuple[int, bytes]]:
    """The changes that are not in the commit's partial root yet, with their numbers, oldest first."""
    wanted = select(_T.seq, _T.body).where(_T.commit_id == row.id, _T.seq > (row.partial_seq or 0)).order_by(_T.seq)
    return [(seq, body) for seq, body in tx.execute(wanted)]


def merge(tx: Transaction, commit_id: int, upto_seq: int, root: bytes, old_seq: int | None) -> bool:
    """Put a merged fileset in the place of all changes up to `upto_seq`.

    False, and nothing happens, if the commit was closed or somebody else merged since `old_seq` was read.
    """
    if not commit_rows.set_partial(tx, commit_id, root, upto_seq, old_seq):
        return False
    tx.execute(delete(tables.commit_change).where(_T.commit_id == commit_id, _T.seq <= upto_seq))
    return True


def clear(tx: Transaction, commit_id: int) -> None:
    """Forget the changes of a commit that is closed."""
    tx.execute(_CLEAR, {"key": commit_id})


def clear_all(tx: Transaction, row: CommitRow) -> None:
    """Forget all that was written into an open commit, merged or not. `row` was read in this transaction."""
    last: int | None = tx.execute(_LAST, {"key": row.id}).scalar()
    # The numbers go on, past one that no change had: whoever merged or remembered what was there sees that it is gone.
    commit_rows.clear_partial(tx, row.id, max(last or 0, row.partial_seq or 0) + 1)
    clear(tx, row.id)


def already_finished(commit: Commit) -> Refused:
    """The error that says that a commit cannot be written or finished any more."""
    return Refused(
        ErrorKind.COMMIT_FINISHED,
        f"commit {commit} has already finished; start a new one: howdah start commit {commit.repo}@BRANCH",
    )

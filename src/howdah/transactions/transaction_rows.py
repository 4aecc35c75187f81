# SPDX-License-Identifier: Apache-2.0
"""Owner of the tables `transaction_` and `transaction_request`: open transactions, and what was asked for in them.

A transaction's version is the number of its requests. Whoever adds one or ends the transaction says which version was
looked at, so that of two at the same time one is told to look again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, insert, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.texts import one_line

__all__ = ["TransactionRow", "add", "get", "insert_transaction", "missing", "page", "remove", "remove_all", "requests"]

_T: Final = tables.transaction.c
_R: Final = tables.transaction_request.c
_ROWS: Final[Select[Any]] = select(_T.id, _T.version, _T.started_at)


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """A row of `transaction_`."""

    id: str
    version: int
    started_at: datetime


def insert_transaction(tx: Transaction, id: str) -> TransactionRow:
    """Add a transaction without requests."""
    row = TransactionRow(id, 0, tx.now)
    tx.execute(insert(tables.transaction), {"id": row.id, "version": row.version, "started_at": row.started_at})
    return row


def get(tx: Transaction, id: str) -> TransactionRow:
    """The row of a transaction.

    Raises:
        NotFound: TRANSACTION_NOT_FOUND.
    """
    found = tx.execute(_ROWS.where(_T.id == id)).one_or_none()
    if found is None:
        raise missing(id)
    return TransactionRow(*found)


def page(tx: Transaction, past: TransactionRow | None, limit: int) -> list[TransactionRow]:
    """The first `limit` transactions past a row, oldest first."""
    wanted = _ROWS.order_by(_T.started_at, _T.id).limit(limit)
    if past is not None:
        later = (_T.started_at == past.started_at) & (_T.id > past.id)
        wanted = wanted.where((_T.started_at > past.started_at) | later)
    return [TransactionRow(*row) for row in tx.execute(wanted)]


def requests(tx: Transaction, id: str) -> list[bytes]:
    """What was asked for in a transaction, in order."""
    return list(tx.execute(select(_R.body).where(_R.transaction_id == id).order_by(_R.position)).scalars())


def add(tx: Transaction, row: TransactionRow, bodies: Iterable[bytes]) -> bool:
    """Append requests; False, and nothing happens, if the transaction has another version than `row`, or is gone."""
    drafts = [
        {"transaction_id": row.id, "position": position, "body": body}
        for position, body in enumerate(bodies, row.version)
    ]
    same = (_T.id == row.id) & (_T.version == row.version)
    moved = tx.execute(update(tables.transaction).where(same).values(version=row.version + len(drafts)))
    if moved.rowcount != 1:
        return False
    tx.execute(insert(tables.transaction_request), drafts)
    return True


def remove(tx: Transaction, row: TransactionRow) -> bool:
    """Delete a transaction; False, and nothing happens, if it has another version than `row`, or is gone."""
    same = (_T.id == row.id) & (_T.version == row.version)
    return tx.execute(delete(tables.transaction).where(same)).rowcount == 1


def remove_all(tx: Transaction) -> None:
    """Delete every transaction."""
    tx.execute(delete(tables.transaction))


def missing(id: str) -> NotFound:
    """The error that says that there is no such transaction."""
    return NotFound(
        ErrorKind.TRANSACTION_NOT_FOUND,
        f"transaction {one_line(id)} not found; see what there is: howdah list transaction",
    )

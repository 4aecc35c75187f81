# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `secret`, which holds sealed values alone. What they mean, and who opens them: `pps.secrets`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.pps.subjects import secret_subject

__all__ = ["SecretRow", "every", "find", "get", "insert_secret", "missing", "remove", "reseal"]

_T: Final = tables.secret.c
_COLUMNS: Final = (_T.id, _T.name, _T.type, _T.version, _T.key, _T.sealed, _T.created_at)


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A row of `secret`. `key` is the fingerprint of the key that opens `sealed`."""

    id: int
    name: str
    type: str
    version: str
    key: str
    sealed: bytes
    created_at: datetime


def find(tx: Transaction, name: str) -> SecretRow | None:
    """The secret's row; None if there is no such secret."""
    row = tx.execute(select(*_COLUMNS).where(_T.name == name)).one_or_none()
    return None if row is None else SecretRow(*row)


def get(tx: Transaction, name: str) -> SecretRow:
    """The secret's row.

    Raises:
        NotFound: SECRET_NOT_FOUND.
    """
    if (row := find(tx, name)) is None:
        raise missing(name)
    return row


def missing(name: str) -> NotFound:
    """The error that says that there is no such secret."""
    text = f'secret "{name}" not found; see what there is: howdah list secret, or create it: howdah create secret'
    return NotFound(ErrorKind.SECRET_NOT_FOUND, text)


def every(tx: Transaction) -> list[SecretRow]:
    """All secrets, by name."""
    return [SecretRow(*row) for row in tx.execute(select(*_COLUMNS).order_by(_T.name))]


def insert_secret(tx: Transaction, name: str, kind: str, version: str, key: str, sealed: bytes) -> None:
    """Add a secret whose name is free."""
    values: dict[str, Any] = {"name": name, "type": kind, "version": version, "key": key, "sealed": sealed}
    tx.execute(insert(tables.secret), {**values, "created_at": tx.now})
    tx.emit(secret_subject(name), "created")


def reseal(tx: Transaction, row: SecretRow, key: str, sealed: bytes) -> None:
    """Keep the same values, sealed anew."""
    tx.execute(update(tables.secret).where(_T.id == row.id).values(key=key, sealed=sealed))


def remove(tx: Transaction, row: SecretRow) -> None:
    """Delete a secret."""
    tx.execute(delete(tables.secret).where(_T.id == row.id))
    tx.emit(secret_subject(row.name), "deleted")

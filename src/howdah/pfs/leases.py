# SPDX-License-Identifier: Apache-2.0
"""Leases of writers; owner of the table `lease`.

A writer takes one before it stores its first object and renews it while it works. What it stored is named by
no row yet, and garbage collection spares it for as long as the lease lives; so a hand-in under a dead
lease is refused (`check`), for its objects may be gone.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, select, update

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind
from howdah.kit.ids import NewId

__all__ = ["Leases", "check", "oldest"]

_T: Final = tables.lease.c


def check(tx: Transaction, lease_id: str) -> None:
    """Return if the lease lives at the time of the transaction.

    Raises:
        Conflict: LEASE_EXPIRED, also when there never was such a lease.
    """
    expires: datetime | None = tx.execute(select(_T.expires_at).where(_T.id == lease_id)).scalar()
    if expires is None or expires <= tx.now:
        raise _expired(lease_id)


def oldest(tx: Transaction) -> datetime | None:
    """When the oldest living lease was taken: no object that is younger may be collected. None without any."""
    taken: datetime | None = tx.execute(select(func.min(_T.created_at)).where(_T.expires_at > tx.now)).scalar()
    return taken


class Leases:
    """Gives out leases, and takes back those that ran out."""

    def __init__(self, db: Database, new_id: NewId) -> None:
        self._db = db
        self._new_id = new_id

    def create(self, owner: str, seconds: float) -> str:
        """A new lease that lives for `seconds`; `owner` is for people who look."""
        lease_id = self._new_id()
        with self._db.write() as tx:
            expires = tx.now + timedelta(seconds=seconds)
            values = {"id": lease_id, "owner": owner, "created_at": tx.now, "expires_at": expires}
            tx.execute(insert(tables.lease), values)
        return lease_id

    def renew(self, lease_id: str, seconds: float) -> None:
        """Let a living lease live for `seconds` from now.

        Raises:
            Conflict: LEASE_EXPIRED: it is dead already; what was stored under it must be stored again.
        """
        with self._db.write() as tx:
            alive = update(tables.lease).where(_T.id == lease_id, _T.expires_at > tx.now)
            if tx.execute(alive.values(expires_at=tx.now + timedelta(seconds=seconds))).rowcount == 0:
                raise _expired(lease_id)

    def release(self, lease_id: str) -> None:
        """End a lease before its time; ending it again does nothing."""
        with self._db.write() as tx:
            tx.execute(delete(tables.lease).where(_T.id == lease_id))

    def release_of(self, owner: str) -> int:
        """End all leases of an owner that is surely gone; how many."""
        with self._db.write() as tx:
            return tx.execute(delete(tables.lease).where(_T.owner == owner)).rowcount

    def expire(self) -> int:
        """Forget the leases that ran out; how many."""
        with self._db.write() as tx:
            return tx.execute(delete(tables.lease).where(_T.expires_at <= tx.now)).rowcount

    def check(self, tx: Transaction, lease_id: str) -> None:
        """As the function `check`."""
        check(tx, lease_id)


def _expired(lease_id: str) -> Conflict:
    return Conflict(
        ErrorKind.LEASE_EXPIRED, f"lease {lease_id} has expired; write again under a new one and renew it in time"
    )

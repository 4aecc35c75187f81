# SPDX-License-Identifier: Apache-2.0
"""What a database must do for `db.engine`; `db.sqlite` does it. Everything peculiar to one product is behind this."""

from typing import Protocol

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from howdah.errors import HowdahError

__all__ = ["Backend"]


class Backend(Protocol):
    """One database, seen as a source of connections. Connections may be used by any thread, one at a time."""

    @property
    def label(self) -> str:
        """The database's name for messages: its path, or its address without a password."""

    def writer(self) -> Connection:
        """A new connection that may write."""

    def reader(self) -> Connection:
        """A new connection that refuses to write."""

    def migrator(self) -> Connection:
        """A new connection that may rebuild tables: references are not checked while it works."""

    def begin_write(self, connection: Connection) -> None:
        """Begin a transaction that nobody else's write can make fail later."""

    def begin_read(self, connection: Connection) -> None:
        """Begin a transaction whose every statement sees the database as it is now."""

    def broken_reference(self, connection: Connection) -> str | None:
        """A table with a row that refers to a missing one; None when there is none. Reads everything."""

    def keep_copy(self, connection: Connection, name: str) -> None:
        """Copy the database as it is now beside it, under its own name with `name` behind; durable on return.

        A copy of that name is replaced. The connection has no transaction open.

        Raises:
            HowdahError: there is no space, or the folder cannot be written.
        """

    def translated(self, error: DBAPIError, *, writing: bool) -> HowdahError | None:
        """The error of our tree that `error` means; None when it is the caller's to explain (a constraint, bad SQL).

        Raises:
            RuntimeError: a statement that writes, on a connection that does not (`writing` is false).
        """

    def close(self) -> None:
        """Let go of everything but the connections given out; those are closed by whoever has them."""

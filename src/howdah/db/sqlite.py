# SPDX-License-Identifier: Apache-2.0
"""SQLite behind `db.backend`: a file in write-ahead mode, durable at each commit; or a throw-away one "in memory".

In memory means a file in a temporary folder that is never synced and goes with the `Database`. SQLite's own
memory databases have no write-ahead log: there a reader waits for the writer, or sees what is not committed.
"""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final, cast

from sqlalchemy import URL, create_engine
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from howdah.errors import BadRequest, Damaged, ErrorKind, HowdahError, NotFound, Refused, Unavailable

__all__ = ["MEMORY", "SqliteBackend"]

MEMORY: Final = ":memory:"
BUSY_SECONDS: Final = 5.0  # another process (a backup, a shell) may hold the write lock this long before we refuse

_PRIMARY: Final = 0xFF  # SQLite's extended result codes keep the plain one in the low byte
_CACHED_STATEMENTS: Final = 512  # more than the statements of howdah, so that none is ever parsed twice
_COMMON: Final = ("PRAGMA busy_timeout = {busy_ms}", "PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -8192")
# FULL syncs the log at each commit; NORMAL would lose acknowledged commits in a power cut. fullfsync
# asks the same of macOS, where a plain fsync leaves the bytes in the drive's cache.
_DURABLE: Final = ("PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON")
_WRITER: Final = ("PRAGMA journal_mode = WAL", "PRAGMA journal_size_limit = 67108864")


class SqliteBackend:
    """One SQLite file. Needs a file system with working locks, that is: not a network share."""

    def __init__(self, url: URL, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._busy_ms = int(busy_seconds * 1000)
        in_memory = url.database in (None, "", MEMORY)
        if in_memory:
            self._temporary = tempfile.TemporaryDirectory(prefix="howdah-memory-")
            url = URL.create("sqlite", database=str(Path(self._temporary.name) / "metadata.db"))
        self._path = url.database or ""
        self.label: str = MEMORY if in_memory else self._path
        self._engine = create_engine(
            url,
            poolclass=NullPool,
            pool_reset_on_return=None,
            hide_parameters=True,
            query_cache_size=_CACHED_STATEMENTS * 4,
            connect_args={
                "isolation_level": None,  # transactions begin when we say so, not when the driver guesses
                "check_same_thread": False,
                "cached_statements": _CACHED_STATEMENTS,
            },
        )

    def writer(self) -> Connection:
        """A new connection that may write."""
        return self._connect(*_WRITER, "PRAGMA foreign_keys = ON")

    def reader(self) -> Connection:
        """A new connection that refuses to write."""
        return self._connect("PRAGMA query_only = ON")

    def migrator(self) -> Connection:
        """A new connection that checks no references: SQLite rebuilds a table by dropping it."""
        return self._connect(*_WRITER, "PRAGMA foreign_keys = OFF")

    def begin_write(self, connection: Connection) -> None:
        """Begin and take the write lock at once: a lock taken later could be refused in the middle."""
        connection.begin()
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def begin_read(self, connection: Connection) -> None:
        """Begin and read something: SQLite takes its snapshot at the first read, not at BEGIN."""
        connection.begin()
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").close()

    def broken_reference(self, connection: Connection) -> str | None:
        """A table with a row that refers to a missing one; None when there is none. Reads everything."""
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        return None if broken is None else str(broken[0])

    def keep_copy(self, connection: Connection, name: str) -> None:
        """Copy page by page into a file beside ours, which gets its name when it is whole and synced."""
        if self._temporary is not None:
            return  # nobody could use it later
        target = f"{self._path.removeprefix('file:')}.{name}"
        source = cast(sqlite3.Connection, connection.connection.driver_connection)
        try:
            with closing(sqlite3.connect(f"{target}.tmp")) as copy:
                source.backup(copy)
            _sync(f"{target}.tmp")
            os.replace(f"{target}.tmp", target)
            _sync(os.path.dirname(target) or ".")
        except sqlite3.Error as error:
            if (known := self._meaning(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR), str(error))) is None:
                raise
            raise known from error
        except OSError as error:
            text = f"database {self.label} cannot be copied to {target} ({error.strerror}); check the disk"
            raise Unavailable(ErrorKind.STORE_FAILED, text) from error

    def translated(self, error: DBAPIError, *, writing: bool) -> HowdahError | None:
        """What SQLite's result code means to our callers; constraints and bad SQL stay as they are."""
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code is None or isinstance(error, IntegrityError):
            return None
        if code & _PRIMARY == sqlite3.SQLITE_READONLY and not writing:
            raise RuntimeError("a statement that writes ran in db.read(); use db.write()") from error
        return self._meaning(code, str(error.orig))

    def close(self) -> None:
        """Let go of the file; in memory, remove it."""
        self._engine.dispose()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _connect(self, *pragmas: str) -> Connection:
        connection = self._engine.connect()
        durable = ("PRAGMA synchronous = OFF",) if self._temporary is not None else _DURABLE
        try:
            for pragma in (*_COMMON, *pragmas, *durable):
                connection.exec_driver_sql(pragma.format(busy_ms=self._busy_ms)).close()
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        return connection

    def _meaning(self, code: int, text: str) -> HowdahError | None:
        name = f"database {self.label}"
        match code & _PRIMARY:
            case sqlite3.SQLITE_FULL:
                return Unavailable(ErrorKind.NO_SPACE, f"{name} has no space to grow; free some, then repeat the call")
            case sqlite3.SQLITE_READONLY:
                return Refused(ErrorKind.READ_ONLY, f"{name} cannot be written; make the file and its folder writable")
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return Damaged(ErrorKind.OBJECT_CORRUPT, f"{name} is damaged ({text}); restore it from a backup")
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return Refused(ErrorKind.LAKE_LOCKED, f"{name} is locked by another process; stop that one first")
            case sqlite3.SQLITE_CANTOPEN:
                return self._unopened()
            case sqlite3.SQLITE_IOERR:
                return Unavailable(ErrorKind.STORE_FAILED, f"{name} cannot be read or written ({text}); check the disk")
        return None

    def _unopened(self) -> HowdahError:
        """SQLite says only "unable to open"; look why."""
        path = Path(self._path.removeprefix("file:"))
        if path.is_dir():
            return BadRequest(ErrorKind.BAD_ARGUMENT, f"database {path} is a folder; name a file in it")
        if not path.parent.is_dir():
            return NotFound(ErrorKind.LAKE_NOT_FOUND, f"database {path} has no folder {path.parent}; make that first")
        if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
            return Refused(ErrorKind.READ_ONLY, f"database {path} cannot be written; make file and folder writable")
        return Unavailable(
            ErrorKind.STORE_FAILED, f"database {path} cannot be opened; check its folder and the limit of open files"
        )


def _sync(path: str) -> None:
    """Make a file, or what a folder lists, outlive a power cut."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

# SPDX-License-Identifier: Apache-2.0
"""The metadata database of a lake: one writer at a time, and readers that never wait for it.

    with db.write() as tx:      # all or nothing; listeners are told after the commit
        tx.execute(insert(repo), {...})
        tx.emit("repo/images", "created")

Every change of state is one such block. The product behind it is a `db.backend.Backend`; `Database.open`
chooses it by the URL. What blocks work with is `db.transaction`, what listeners get is `db.events`.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

from sqlalchemy import URL, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError

from howdah.db import migrate
from howdah.db.backend import Backend
from howdah.db.delivery import Batch, Delivery, Listener
from howdah.db.events import append_events
from howdah.db.sqlite import BUSY_SECONDS, SqliteBackend
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.kit import fail
from howdah.kit.clock import Clock, SystemClock

__all__ = ["Database"]

READERS_IDLE_MAX: Final = 8  # connections kept for the next reader; more may be in use, and are closed after it


class Database:
    """An open database at the schema of this code. Safe to use from any number of threads."""

    def __init__(self, backend: Backend, *, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock
        self._delivery = Delivery()
        self._write_lock = threading.Lock()
        # The thread inside write(). Invariant: None whenever nobody holds `_write_lock`.
        self._write_thread: int | None = None
        self._writer: Connection | None = backend.writer()
        # Connections that no block uses. Each has no transaction and no open cursor.
        self._idle: deque[Connection] = deque()
        self._closed = False

    @property
    def clock(self) -> Clock:
        """What tells this database the time."""
        return self._clock

    @classmethod
    def open(cls, url_or_path: str | Path, *, clock: Clock | None = None, busy_seconds: float = BUSY_SECONDS) -> Self:
        """Open or make the database, and bring its schema up to date.

        A path or `sqlite:///path` is a file, which outlives us; ":memory:" is empty, private and
        gone after close().

        Raises:
            Unsupported: it is newer than this code, not one of ours, or of a kind that we do not speak.
            Refused: it cannot be written, or another process holds its lock for `busy_seconds`.
            Damaged: it is not a database, or a broken one.
            NotFound: the folder of the path does not exist.
        """
        backend = SqliteBackend(_sqlite_url(url_or_path), busy_seconds=busy_seconds)
        try:
            migrate.to_head(backend)
            return cls(backend, clock=clock or SystemClock())
        except DBAPIError as error:
            backend.close()
            _fail(backend, True, error)
        except BaseException:
            backend.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction: committed and durable when the block ends, undone when it raises.

        Waits for the writer before it. When the commit is done and the lock is free, the callbacks and
        listeners are called, in the order of commits, before the block's end returns. A write inside a
        write of the same thread is a RuntimeError: pass the transaction down instead.
        """
        with self._only_writer() as connection, self._translating(writing=True):
            tx = self._transaction(connection, writable=True)
            try:
                self._backend.begin_write(connection)
                yield tx
                self._commit(connection, tx)
            except BaseException:
                tx.end()
                connection.rollback()
                raise
        self._delivery.deliver()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One snapshot: every statement sees what was committed when the block began, and nothing later.

        Never waits for the writer or for other readers. Inside a write block it does not see that block's work.
        """
        with self._translating(writing=False), self._reader() as connection:
            tx = self._transaction(connection, writable=False)
            try:
                self._backend.begin_read(connection)
                yield tx
            finally:
                tx.end()
                connection.rollback()

    def on_commit(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the events of each transaction that commits from now on; call the result to stop.

        Batches come one at a time, in the order of commits, in the thread of some writer: be quick, and
        leave real work to a thread of your own. A listener may read and write. What it raises is logged.
        """
        return self._delivery.listen(listener)

    def close(self) -> None:
        """Close the database, after the block that is writing; closing again does nothing. Readers end as they may."""
        if self._write_thread == threading.get_ident():
            raise RuntimeError("the database cannot be closed inside a write block of the same thread")
        with self._write_lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None
                self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _transaction(self, connection: Connection, *, writable: bool) -> Transaction:
        return Transaction(
            connection, self._clock.now(), writable=writable, fail=partial(_fail, self._backend, writable)
        )

    def _commit(self, connection: Connection, tx: Transaction) -> None:
        """Number the events and commit, and leave what is to be told; the writer's lock is still ours."""
        events = append_events(tx, tx.drafts)
        tx.end()
        fail.here("db.before_commit")
        connection.commit()
        fail.here("db.after_commit")
        self._delivery.put(Batch(tx.callbacks, events))

    @contextmanager
    def _only_writer(self) -> Iterator[Connection]:
        if self._write_thread == threading.get_ident():
            raise RuntimeError("a write block is open in this thread already; pass its transaction down")
        with self._write_lock:
            if self._writer is None:
                raise RuntimeError("the database is closed")
            self._write_thread = threading.get_ident()
            try:
                yield self._writer
            finally:
                self._write_thread = None

    @contextmanager
    def _reader(self) -> Iterator[Connection]:
        if self._closed:
            raise RuntimeError("the database is closed")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._backend.reader()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        """Keep the connection for the next reader, unless it is stuck, or one too many, or we closed meanwhile."""
        if connection.in_transaction():
            connection.close()
            return
        self._idle.append(connection)
        while self._idle and (self._closed or len(self._idle) > READERS_IDLE_MAX):
            with suppress(IndexError):  # another thread took the last one
                self._idle.pop().close()

    @contextmanager
    def _translating(self, *, writing: bool) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            _fail(self._backend, writing, error)


def _fail(backend: Backend, writing: bool, error: DBAPIError) -> NoReturn:
    """Raise what `error` means to our callers, or itself."""
    meaning = backend.translated(error, writing=writing)
    if meaning is None:
        raise error
    raise meaning from error


def _sqlite_url(url_or_path: str | Path) -> URL:
    if isinstance(url_or_path, Path) or "://" not in url_or_path:
        return URL.create("sqlite", database=str(url_or_path))
    try:
        url = make_url(url_or_path)
    except ArgumentError:  # its text may hold a password
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT, "the URL of the database cannot be parsed; give a path, or sqlite:///path"
        ) from None
    if url.get_backend_name() != "sqlite":
        raise Unsupported(
            ErrorKind.UNSUPPORTED,
            f"databases of kind {url.get_backend_name()} are not supported by this version; "
            "give the path of a file, or sqlite:///path",
        )
    return url

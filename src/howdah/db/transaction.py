# SPDX-License-Identifier: Apache-2.0
"""What a `with db.write() as tx:` or `with db.read() as tx:` block works with. The block itself: `db.engine`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NoReturn

from sqlalchemy import Executable
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import DBAPIError

__all__ = ["EventDraft", "Rows", "Transaction"]

Rows = CursorResult[*tuple[Any, ...]]  # what execute() gives: rows of any columns

_OPEN_RESULTS_MAX: Final = 32  # how many results may be remembered before the closed ones are dropped


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event that has no number yet: it gets one when its transaction commits."""

    subject: str
    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)


class Transaction:
    """One transaction, from the start of its block to the end. Used by one thread, never after its block."""

    def __init__(
        self, connection: Connection, now: datetime, *, writable: bool, fail: Callable[[DBAPIError], NoReturn]
    ) -> None:
        self.now: Final = now
        self.drafts: Final[list[EventDraft]] = []
        self.callbacks: Final[list[Callable[[], None]]] = []
        self._connection: Connection | None = connection
        self._writable = writable
        self._fail = fail
        # Results that may still hold a cursor. A cursor left open would keep its snapshot on the
        # connection after the block, and the next reader of that connection would see the past.
        self._results: list[Rows] = []

    def execute(
        self, statement: Executable, params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Rows:
        """Run one statement; with a sequence of parameters, once for each. Rows must be fetched inside the block.

        Raises:
            sqlalchemy.exc.IntegrityError: a constraint refused the row; the owner of the table says what it means.
            HowdahError: the database cannot go on; see `db.backend`.
        """
        if self._connection is None:
            raise RuntimeError("the transaction has ended; run the statement inside its with block")
        try:
            result = self._connection.execute(statement, params)
        except DBAPIError as error:
            self._fail(error)
        if result.cursor is not None:
            self._remember(result)
        return result

    def emit(self, subject: str, kind: str, body: Mapping[str, Any] | None = None) -> None:
        """Append an event in this transaction: it appears if and only if the transaction commits.

        It gets its number at the commit, after all the statements of the block; events of one
        transaction are numbered in the order of their calls. `body` must be a JSON object and is not copied.
        """
        self._must_write("emit")
        self.drafts.append(EventDraft(subject, kind, {} if body is None else body))

    def after_commit(self, function: Callable[[], None]) -> None:
        """Call `function` once the transaction is durable, before the listeners; never when it rolls back.

        It must not raise: the transaction stands, so what it raises is logged and nobody is told.
        """
        self._must_write("after_commit")
        self.callbacks.append(function)

    def end(self) -> None:
        """Close what is still open, and refuse any further statement. Called by the engine alone."""
        self._connection = None
        for result in self._results:
            result.close()
        self._results.clear()

    def _must_write(self, call: str) -> None:
        if self._connection is None:
            raise RuntimeError(f"the transaction has ended; call {call} inside its with block")
        if not self._writable:
            raise RuntimeError(f"{call} needs a transaction that writes; use db.write()")

    def _remember(self, result: CursorResult[Any]) -> None:
        if len(self._results) >= _OPEN_RESULTS_MAX:
            self._results = [kept for kept in self._results if kept.cursor is not None]
        self._results.append(result)

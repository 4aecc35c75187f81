# SPDX-License-Identifier: Apache-2.0
"""Transactions: changes that are collected under an id, each tried as it comes, and made together at the end.

    id = transactions.start().id
    transactions.append(id, body)     # tried with all before it; nothing has changed yet
    transactions.finish(id)           # all of them, in one commit set of that id, or none

A trial is a real run that is taken back, so an error shows at the request that causes it, and what a request answers
is what it will be: the commits of a transaction have its id from the beginning. Others go on meanwhile; a list that
no longer holds when it is finished changes nothing, and says which request is at fault. How lists are run: `running`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind, Refused
from howdah.kit import ids
from howdah.kit.ids import NewId
from howdah.model.operations import Operation, StartCommit
from howdah.model.refs import Commit
from howdah.transactions import transaction_rows
from howdah.transactions.running import Answers, Runner
from howdah.transactions.transaction_rows import TransactionRow

__all__ = ["REQUESTS_MAX", "ReadOperation", "TransactionInfo", "Transactions"]

REQUESTS_MAX: Final = 1_000  # each append tries all before it, and holds the one writer meanwhile
_ATTEMPTS: Final = 100  # times that an append is tried again because another one came first
_PAGE: Final = 100

ReadOperation = Callable[[bytes], Operation]
"""Reads what an API wrote down of a request. It raises BadRequest for what is none."""


@dataclass(frozen=True, slots=True)
class TransactionInfo:
    """A transaction: its requests as they came, and beside each the commit that it starts, if it does."""

    id: str
    requests: tuple[bytes, ...]
    answers: Answers
    started_at: datetime

    @property
    def version(self) -> int:
        """A number that grows with each request."""
        return len(self.requests)


class Transactions:
    """The open transactions of a lake. Safe for many threads. `read` is what the API reads requests by."""

    def __init__(self, db: Database, runner: Runner, read: ReadOperation, *, new_id: NewId = ids.new_id) -> None:
        self._db = db
        self._runner = runner
        self._read = read
        self._new_id = new_id

    def start(self) -> TransactionInfo:
        """Open a transaction without requests. It stays until it is finished or deleted."""
        with self._db.write() as tx:
            return self._info(transaction_rows.insert_transaction(tx, self._new_id()), ())

    def inspect(self, id: str) -> TransactionInfo:
        """A transaction as it is now.

        Raises:
            NotFound: TRANSACTION_NOT_FOUND.
        """
        return self._info(*self._looked_up(id))

    def list(self) -> Iterator[TransactionInfo]:
        """All transactions, oldest first. Pages are read as they are reached, each as things are then."""
        past: TransactionRow | None = None
        while True:
            with self._db.read() as tx:
                rows = transaction_rows.page(tx, past, _PAGE)
                page = [(row, transaction_rows.requests(tx, row.id)) for row in rows]
            for row, bodies in page:
                yield self._info(row, bodies)
            if len(rows) < _PAGE:
                return
            past = rows[-1]

    def delete(self, id: str) -> None:
        """Forget a transaction; nothing of it has happened.

        Raises:
            NotFound: TRANSACTION_NOT_FOUND.
        """
        with self._db.write() as tx:
            transaction_rows.remove(tx, transaction_rows.get(tx, id))

    def delete_all(self) -> None:
        """Forget every transaction."""
        with self._db.write() as tx:
            transaction_rows.remove_all(tx)

    def append(self, id: str, body: bytes) -> Commit | None:
        """Add a request, after trying it with all before it; the commit that it will start, if it does.

        Raises:
            NotFound: TRANSACTION_NOT_FOUND.
            Refused: BAD_MOVE: it has as many requests as there may be.
            HowdahError: what the request raises by itself, or one before it does by now; it is not added then.
        """
        operation = self._read(body)
        for _ in range(_ATTEMPTS):
            row, bodies = self._looked_up(id)
            if row.version >= REQUESTS_MAX:
                text = f"transaction {id} has {row.version} requests, the most there may be"
                raise Refused(ErrorKind.BAD_MOVE, f"{text}; finish it, and begin another one")
            answers = self._runner.trial(id, [*map(self._read, bodies), operation])
            with self._db.write() as tx:
                if transaction_rows.add(tx, row, [body]):
                    return answers[-1]
        raise _changed(id)

    def finish(self, id: str) -> TransactionInfo:
        """Make all changes of a transaction, in one commit set of its id, and forget it; or change nothing.

        Raises:
            NotFound: TRANSACTION_NOT_FOUND.
            Conflict: WRITE_CONFLICT: it got another request meanwhile, or a commit that it finishes is written to
                all the time.
            HowdahError: what a request raises, as the lake is now. The transaction is still there.
        """
        row, bodies = self._looked_up(id)
        operations = [self._read(body) for body in bodies]

        def forget(tx: Transaction) -> None:
            if not transaction_rows.remove(tx, row):
                transaction_rows.get(tx, id)
                raise _changed(id)

        return TransactionInfo(id, tuple(bodies), self._runner.run(id, operations, forget), row.started_at)

    def batch(self, bodies: Iterable[bytes]) -> TransactionInfo:
        """Make all these changes at once, in one commit set, or none. Raises as `finish`."""
        id, requests, at = self._new_id(), tuple(bodies), self._db.clock.now()
        answers = self._runner.run(id, [self._read(body) for body in requests], lambda _: None)
        return TransactionInfo(id, requests, answers, at)

    def _looked_up(self, id: str) -> tuple[TransactionRow, Sequence[bytes]]:
        with self._db.read() as tx:
            row = transaction_rows.get(tx, id)
            return row, transaction_rows.requests(tx, id)

    def _info(self, row: TransactionRow, bodies: Sequence[bytes]) -> TransactionInfo:
        answers = (_answer(row.id, self._read(body)) for body in bodies)
        return TransactionInfo(row.id, tuple(bodies), tuple(answers), row.started_at)


def _answer(id: str, operation: Operation) -> Commit | None:
    """What a request was answered when it was added."""
    return Commit(operation.branch.repo, id) if isinstance(operation, StartCommit) else None


def _changed(id: str) -> Conflict:
    return Conflict(
        ErrorKind.WRITE_CONFLICT,
        f"transaction {id} got other requests meanwhile; look at it, then repeat: howdah inspect transaction {id}",
    )

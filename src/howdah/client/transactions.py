# SPDX-License-Identifier: Apache-2.0
"""Transactions: several changes of metadata that happen together or not at all.

    with client.transaction() as together:
        together.start_commit("images@master")
        together.start_commit("labels@master")    # a pipeline that reads both gets one job, not two

Which calls are part of a transaction is said by the object that they are made on, not by a hidden state of the client:
threads that share a client cannot get into each other's.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from howdah.client.branches import Branches
from howdah.client.caller import Caller
from howdah.client.commits import Commits
from howdah.client.jobs import Jobs
from howdah.client.pipelines import Pipelines
from howdah.client.repos import Repos
from howdah.client.transaction_messages import request_message, transaction_info
from howdah.client.values import TransactionInfo
from howdah.errors import HowdahError
from howdah.model.operations import Operation
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import transaction_v2_pb2 as pb

__all__ = ["Transaction", "Transactions"]


class Transaction(Repos, Branches, Commits, Pipelines, Jobs):
    """The calls of an open transaction. It uses the connection of the client that it came from.

    Kept for the end are: making and deleting repos and branches, starting and finishing commits, making pipelines,
    stopping jobs, squashing commit sets. Each is tried at once, and answers what it will: a commit that is started
    has the transaction's id. Everything else, reading too, happens at once and sees nothing of what is kept.
    """

    def __init__(self, caller: Caller, id: str) -> None:
        # Everything that a caller has, but no connection of its own.
        self.__dict__.update(caller.__dict__, _wire=caller._wire.within(id), _lake=None, _direct=False)
        self.id = id

    def squash_commit_set(self, id: str) -> None:
        """Remove all commits of a set from history; their data stay in their children. Raises as that of `Client`."""
        request = pfs.SquashCommitSetRequest(commit_set=pfs.CommitSet(id=id))
        self._wire.call(self._wire.pfs.SquashCommitSet, request)


class Transactions(Caller):
    """Beginning and ending transactions."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Make the changes of a `with` block as one: at its end all of them, or none if it raises.

        All that it makes has one id, also what follows downstream.

        Raises:
            HowdahError: what a change raises by itself, at its call, or at the end if the lake is another by then.
        """
        id = self.start_transaction()
        try:
            yield self.in_transaction(id)
            self.finish_transaction(id)
        except BaseException:
            with suppress(HowdahError):
                self.delete_transaction(id)
            raise

    def in_transaction(self, id: str) -> Transaction:
        """The calls of a transaction that is open; the server is not asked."""
        return Transaction(self, id)

    def start_transaction(self) -> str:
        """Open a transaction; its id. It stays until it is finished or deleted."""
        return self._wire.call(self._wire.transactions.StartTransaction, pb.StartTransactionRequest()).id

    def finish_transaction(self, id: str) -> TransactionInfo:
        """Make all changes of a transaction, or none; then it is gone.

        Raises:
            NotFound: TRANSACTION_NOT_FOUND.
            HowdahError: what one of its requests raises now; nothing has changed, and the transaction is still there.
        """
        request = pb.FinishTransactionRequest(transaction=pb.Transaction(id=id))
        return transaction_info(self._wire.call(self._wire.transactions.FinishTransaction, request))

    def batch_transaction(self, operations: Iterable[Operation]) -> TransactionInfo:
        """Make changes together by one call. Raises as `finish_transaction`."""
        request = pb.BatchTransactionRequest(requests=[request_message(each) for each in operations])
        return transaction_info(self._wire.call(self._wire.transactions.BatchTransaction, request))

    def inspect_transaction(self, id: str) -> TransactionInfo:
        """A transaction as it is now. Raises NotFound."""
        request = pb.InspectTransactionRequest(transaction=pb.Transaction(id=id))
        return transaction_info(self._wire.call(self._wire.transactions.InspectTransaction, request))

    def list_transactions(self) -> list[TransactionInfo]:
        """All open transactions, the oldest first."""
        answer = self._wire.call(self._wire.transactions.ListTransaction, pb.ListTransactionRequest())
        return [transaction_info(each) for each in answer.transaction_info]

    def delete_transaction(self, id: str) -> None:
        """Forget a transaction; nothing of it happens. Raises NotFound."""
        request = pb.DeleteTransactionRequest(transaction=pb.Transaction(id=id))
        self._wire.call(self._wire.transactions.DeleteTransaction, request)

    def delete_all_transactions(self) -> None:
        """Forget all transactions."""
        self._wire.call(self._wire.transactions.DeleteAll, pb.DeleteAllRequest())

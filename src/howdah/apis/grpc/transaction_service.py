# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`transaction_v2.API`: begin and end transactions. How calls come into one is in `transacted`."""

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc.bridge import Bridge, Context
from howdah.transactions.transactions import TransactionInfo, Transactions
from howdah.wire.convert import commit_message, timestamp
from howdah.wire.stubs import transaction_v2_pb2 as pb

__all__ = ["TransactionService"]


class TransactionService:
    """The servicer of `transaction_v2.API`."""

    def __init__(self, bridge: Bridge, transactions: Transactions) -> None:
        self._bridge = bridge
        self._transactions = transactions

    async def StartTransaction(self, request: pb.StartTransactionRequest, context: Context) -> pb.Transaction:  # noqa: ARG002
        """Open a transaction."""
        info = await self._bridge.unary(context, self._transactions.start)
        return pb.Transaction(id=info.id)

    async def InspectTransaction(self, request: pb.InspectTransactionRequest, context: Context) -> pb.TransactionInfo:
        """A transaction, with its requests and what each was answered."""

        def inspect() -> pb.TransactionInfo:
            return _info(self._transactions.inspect(request.transaction.id))

        return await self._bridge.unary(context, inspect)

    async def ListTransaction(self, request: pb.ListTransactionRequest, context: Context) -> pb.TransactionInfos:  # noqa: ARG002
        """All transactions, oldest first."""

        def infos() -> pb.TransactionInfos:
            return pb.TransactionInfos(transaction_info=map(_info, self._transactions.list()))

        return await self._bridge.unary(context, infos)

    async def DeleteTransaction(self, request: pb.DeleteTransactionRequest, context: Context) -> Empty:
        """Forget a transaction; nothing of it has happened."""

        def delete() -> Empty:
            self._transactions.delete(request.transaction.id)
            return Empty()

        return await self._bridge.unary(context, delete)

    async def FinishTransaction(self, request: pb.FinishTransactionRequest, context: Context) -> pb.TransactionInfo:
        """Make all changes of a transaction, or none."""

        def finish() -> pb.TransactionInfo:
            return _info(self._transactions.finish(request.transaction.id))

        return await self._bridge.unary(context, finish)

    async def BatchTransaction(self, request: pb.BatchTransactionRequest, context: Context) -> pb.TransactionInfo:
        """Make all changes of a list at once, or none."""

        def batch() -> pb.TransactionInfo:
            return _info(self._transactions.batch(each.SerializeToString() for each in request.requests))

        return await self._bridge.unary(context, batch)

    async def DeleteAll(self, request: pb.DeleteAllRequest, context: Context) -> Empty:  # noqa: ARG002
        """Forget all transactions."""
        await self._bridge.unary(context, self._transactions.delete_all)
        return Empty()


def _info(info: TransactionInfo) -> pb.TransactionInfo:
    return pb.TransactionInfo(
        transaction=pb.Transaction(id=info.id),
        requests=[pb.TransactionRequest.FromString(body) for body in info.requests],
        responses=[
            pb.TransactionResponse(commit=None if commit is None else commit_message(commit)) for commit in info.answers
        ],
        started=timestamp(info.started_at),
        version=info.version,
    )

# SPDX-License-Identifier: Apache-2.0
"""Calls within a transaction: a wrapper of servicers that keeps some calls for later.

A call that carries the id of a transaction in its metadata is added to that transaction, if it is of a kind that may
be, and answered as it will be. All other calls go to the servicer as if the id were not there, as clients expect,
which send it with everything. The Python client goes on to send an empty id when its transaction is over.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from howdah.apis.grpc.bridge import Bridge, Context
from howdah.apis.grpc.convert_pps_spec import EffectiveSpec, request_text
from howdah.apis.grpc.operations import pipeline_request
from howdah.model.refs import Commit
from howdah.model.spec import parse_spec
from howdah.transactions.transactions import Transactions
from howdah.wire.convert import commit_message
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs import transaction_v2_pb2 as pb

__all__ = ["KEPT", "TRANSACTION_KEY", "Kept", "Transacted", "transaction_of"]

TRANSACTION_KEY: Final = "pach-transaction"

_Method = Callable[[Any, Context], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Kept:
    """How calls of one method are kept: what is added to the transaction, and what is answered.

    `answer` is given what was added and the commit that it will start. `runs` says of a request that it is not kept.
    """

    add: Callable[[Any, EffectiveSpec], pb.TransactionRequest]
    answer: Callable[[pb.TransactionRequest, Commit | None], Message] = lambda _added, _commit: Empty()
    runs: Callable[[Any], bool] = lambda _request: False


def transaction_of(context: Context) -> str:
    """The id of the transaction that a call is part of; "" if it is of none."""
    metadata = context.invocation_metadata() or ()
    return next((str(value) for key, value in metadata if key == TRANSACTION_KEY and value), "")


class Transacted:
    """A servicer with the methods of another one; those in `KEPT` look for a transaction first."""

    def __init__(
        self, inner: object, bridge: Bridge, transactions: Transactions, effective: EffectiveSpec = parse_spec
    ) -> None:
        self._inner = inner
        self._effective = effective
        self._bridge = bridge
        self._transactions = transactions
        for name, kept in KEPT.items():
            if (method := getattr(inner, name, None)) is not None:
                setattr(self, name, self._keeping(method, kept))

    def __dir__(self) -> list[str]:
        return dir(self._inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _keeping(self, method: _Method, kept: Kept) -> _Method:
        async def keep(request: Any, context: Context) -> Any:
            id = transaction_of(context)
            if not id or kept.runs(request):
                return await method(request, context)
            return await self._bridge.unary(context, self._add, id, request, kept)

        return keep

    def _add(self, id: str, request: Message, kept: Kept) -> Message:
        added = kept.add(request, self._effective)
        return kept.answer(added, self._transactions.append(id, added.SerializeToString()))


def _field(name: str) -> Callable[[Any, EffectiveSpec], pb.TransactionRequest]:
    return lambda request, _effective: pb.TransactionRequest(**{name: request})


def _add_pipeline(request: pps.CreatePipelineRequest, effective: EffectiveSpec) -> pb.TransactionRequest:
    kept = pipeline_request(request_text(request), effective, update=request.update, reprocess=request.reprocess)
    return pb.TransactionRequest(create_pipeline_v2=kept)


def _add_pipeline_v2(request: pps.CreatePipelineV2Request, effective: EffectiveSpec) -> pb.TransactionRequest:
    text = request.create_pipeline_request_json
    kept = pipeline_request(text, effective, update=request.update, reprocess=request.reprocess)
    return pb.TransactionRequest(create_pipeline_v2=kept)


def _commit(_: pb.TransactionRequest, commit: Commit | None) -> pfs.Commit:
    return pfs.Commit() if commit is None else commit_message(commit)


def _deleted(_added: pb.TransactionRequest, _commit: Commit | None) -> pfs.DeleteRepoResponse:
    return pfs.DeleteRepoResponse(deleted=True)


def _effective(added: pb.TransactionRequest, _: Commit | None) -> pps.CreatePipelineV2Response:
    effective = added.create_pipeline_v2.effective_json
    return pps.CreatePipelineV2Response(effective_create_pipeline_request_json=effective)


# No two services have a method of the same name here, so names are enough.
KEPT: Final[Mapping[str, Kept]] = {
    "CreateRepo": Kept(_field("create_repo")),
    "DeleteRepo": Kept(_field("delete_repo"), _deleted),
    "StartCommit": Kept(_field("start_commit"), _commit),
    "FinishCommit": Kept(_field("finish_commit")),
    "SquashCommitSet": Kept(_field("squash_commit_set")),
    "CreateBranch": Kept(_field("create_branch")),
    "DeleteBranch": Kept(_field("delete_branch")),
    "UpdateJobState": Kept(_field("update_job_state")),
    "StopJob": Kept(_field("stop_job")),
    "CreatePipeline": Kept(_add_pipeline),
    "CreatePipelineV2": Kept(_add_pipeline_v2, _effective, runs=lambda request: bool(request.dry_run)),
}

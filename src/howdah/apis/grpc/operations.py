# SPDX-License-Identifier: Apache-2.0
"""Requests of transactions: how they are kept, and read back as `model.operations`.

They are kept as the protocol's own `TransactionRequest`, so that a client that inspects a transaction sees what it
sent. Fields are checked as in the call by itself (`requests`, `pps_requests`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from howdah.apis.grpc import pps_requests, requests
from howdah.apis.grpc.convert_pps_spec import EffectiveSpec, create_message, effective_spec, request_text
from howdah.errors import BadRequest, ErrorKind
from howdah.model.operations import (
    CreateBranch,
    CreatePipeline,
    CreateRepo,
    DeleteBranch,
    DeleteRepo,
    FinishCommit,
    Operation,
    SquashCommitSet,
    StartCommit,
    StopJob,
    UpdateJobState,
)
from howdah.model.spec import parse_spec
from howdah.model.texts import one_line
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs import transaction_v2_pb2 as pb

__all__ = ["pipeline_request", "reader"]


def reader(effective: EffectiveSpec) -> Callable[[bytes], Operation]:
    """Reads requests of transactions; specs that came without their effective one are filled in by `effective`."""
    return lambda body: _read_operation(body, effective)


def _read_operation(body: bytes, effective: EffectiveSpec) -> Operation:
    """The operation that a serialised `TransactionRequest` asks for.

    Raises:
        BadRequest: it asks for none or for several, or a field of it is wrong.
    """
    fields = [(field.name, value) for field, value in pb.TransactionRequest.FromString(body).ListFields()]
    if len(fields) != 1:
        text = f"a request of a transaction asks for {len(fields)} changes; let each ask for one"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
    [(name, request)] = fields
    if name == "create_pipeline_v2":
        return _create_pipeline(request, effective)
    return _READERS[name](request)


def pipeline_request(
    text: str, effective: EffectiveSpec, *, update: bool, reprocess: bool
) -> pps.CreatePipelineTransaction:
    """A pipeline as it is kept: `text` is the spec as the user wrote it, and defaults are those of this moment.

    Raises:
        BadRequest: BAD_SPEC.
    """
    spec = effective_spec(text, effective)
    filled = spec.to_json()
    message = create_message(filled)
    message.update = update or spec.update
    message.reprocess = reprocess or spec.reprocess
    return pps.CreatePipelineTransaction(create_pipeline_request=message, user_json=text, effective_json=filled)


def _create_repo(request: pfs.CreateRepoRequest) -> Operation:
    return CreateRepo(requests.repo(request.repo), requests.words(request), request.update)


def _delete_repo(request: pfs.DeleteRepoRequest) -> Operation:
    return DeleteRepo(requests.repo(request.repo), request.force)


def _start_commit(request: pfs.StartCommitRequest) -> Operation:
    branch = requests.branch(request.branch)
    return StartCommit(branch, requests.commit_or_none(request.parent, branch.repo), requests.words(request))


def _finish_commit(request: pfs.FinishCommitRequest) -> Operation:
    commit = requests.commit(request.commit)
    return FinishCommit(commit, requests.words(request) or None, requests.words(request, "error"), request.force)


def _squash_commit_set(request: pfs.SquashCommitSetRequest) -> Operation:
    return SquashCommitSet(requests.commit_set(request.commit_set))


def _create_branch(request: pfs.CreateBranchRequest) -> Operation:
    """What `new_commit_set` asks for is passed over: all that a transaction makes has its id."""
    branch = requests.branch(request.branch)
    return CreateBranch(
        branch,
        requests.commit_or_none(request.head, branch.repo),
        tuple(requests.branch(each) for each in request.provenance),
        requests.trigger(request.trigger) if request.HasField("trigger") else None,
        tuple(requests.propagated(request.branch_propagation_specs)),
    )


def _delete_branch(request: pfs.DeleteBranchRequest) -> Operation:
    return DeleteBranch(requests.branch(request.branch), request.force)


def _update_job_state(request: pps.UpdateJobStateRequest) -> Operation:
    state = pps_requests.job_state(request.state)
    return UpdateJobState(pps_requests.job(request), state, one_line(request.reason))


def _stop_job(request: pps.StopJobRequest) -> Operation:
    return StopJob(pps_requests.job(request), one_line(request.reason))


def _create_pipeline(request: pps.CreatePipelineTransaction, effective: EffectiveSpec) -> Operation:
    """Made by `pipeline_request`, or by a client that batches and knows the message or the text alone."""
    message = request.create_pipeline_request
    text = request.user_json or request_text(message)
    if request.effective_json:
        return CreatePipeline(parse_spec(request.effective_json), text, message.update, message.reprocess)
    spec = effective_spec(text, effective)
    return CreatePipeline(spec, text, message.update or spec.update, message.reprocess or spec.reprocess)


_READERS: Final[Mapping[str, Callable[[Any], Operation]]] = {
    "create_repo": _create_repo,
    "delete_repo": _delete_repo,
    "start_commit": _start_commit,
    "finish_commit": _finish_commit,
    "squash_commit_set": _squash_commit_set,
    "create_branch": _create_branch,
    "delete_branch": _delete_branch,
    "update_job_state": _update_job_state,
    "stop_job": _stop_job,
}

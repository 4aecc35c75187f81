# SPDX-License-Identifier: Apache-2.0
"""Operations as messages of `transaction_v2`, and its answers as values. The server has `apis.grpc.operations`."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf import json_format

from howdah.client import read_pfs
from howdah.client.read_pfs import when
from howdah.client.values import TransactionInfo
from howdah.model.infos import Trigger
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
from howdah.model.refs import Job
from howdah.wire.convert import branch_message, commit_message, project_message, repo_message
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs import transaction_v2_pb2 as pb

__all__ = ["request_message", "transaction_info"]


def request_message(operation: Operation) -> pb.TransactionRequest:
    """An operation as a request of a batch."""
    name, make = _MAKERS[type(operation)]
    return pb.TransactionRequest(**{name: make(operation)})


def transaction_info(message: pb.TransactionInfo) -> TransactionInfo:
    """A transaction."""
    commits = (read_pfs.commit(each.commit) if each.HasField("commit") else None for each in message.responses)
    return TransactionInfo(
        message.transaction.id, tuple(map(_words, message.requests)), tuple(commits), when(message.started)
    )


def _words(request: pb.TransactionRequest) -> str:
    """What a request asks for, for people: `start commit default/images@master`."""
    for field, value in request.ListFields():
        verb = field.name.removesuffix("_v2").replace("_", " ")
        return f"{verb} {_OBJECTS[field.name](value)}" if field.name in _OBJECTS else verb
    return "nothing"


def _commit_text(message: pfs.Commit) -> str:
    """A commit by its id, or by the branch that it is named by."""
    named = read_pfs.commit(message)
    return str(named) if message.id else f"{named.repo}@{message.branch.name}"


def _job_text(message: pps.Job) -> str:
    return f"{_pipeline_text(message.pipeline)}@{message.id}"


def _pipeline_text(message: pps.Pipeline) -> str:
    return f"{message.project.name or 'default'}/{message.name}"


_OBJECTS: Final[Mapping[str, Callable[[Any], object]]] = {
    "create_repo": lambda request: read_pfs.repo(request.repo),
    "delete_repo": lambda request: read_pfs.repo(request.repo),
    "start_commit": lambda request: read_pfs.branch(request.branch),
    "finish_commit": lambda request: _commit_text(request.commit),
    "squash_commit_set": lambda request: request.commit_set.id,
    "create_branch": lambda request: read_pfs.branch(request.branch),
    "delete_branch": lambda request: read_pfs.branch(request.branch),
    "update_job_state": lambda request: _job_text(request.job),
    "stop_job": lambda request: _job_text(request.job),
    "create_pipeline_v2": lambda request: _pipeline_text(request.create_pipeline_request.pipeline),
}


def _start_commit(asked: StartCommit) -> pfs.StartCommitRequest:
    parent = None if asked.parent is None else commit_message(asked.parent)
    return pfs.StartCommitRequest(branch=branch_message(asked.branch), parent=parent, description=asked.description)


def _finish_commit(asked: FinishCommit) -> pfs.FinishCommitRequest:
    return pfs.FinishCommitRequest(
        commit=commit_message(asked.commit),
        description=asked.description or "",
        error=asked.error,
        force=asked.force,
    )


def _create_branch(asked: CreateBranch) -> pfs.CreateBranchRequest:
    never = pfs.PropagationSpec(never=True)
    return pfs.CreateBranchRequest(
        branch=branch_message(asked.branch),
        head=None if asked.head is None else commit_message(asked.head),
        provenance=[branch_message(each) for each in asked.provenance],
        trigger=None if asked.trigger is None else _trigger(asked.trigger),
        branch_propagation_specs=[
            pfs.BranchPropagationSpec(branch=branch_message(each), propagation_spec=never) for each in asked.never
        ],
    )


def _trigger(trigger: Trigger) -> pfs.Trigger:
    return pfs.Trigger(
        branch=trigger.branch,
        all=trigger.all,
        rate_limit_spec=trigger.rate_limit_spec,
        size=trigger.size,
        commits=trigger.commits,
        cron_spec=trigger.cron_spec,
    )


def _create_pipeline(asked: CreatePipeline) -> pps.CreatePipelineTransaction:
    effective = asked.spec.to_json()
    message = json_format.ParseDict(json.loads(effective), pps.CreatePipelineRequest(), ignore_unknown_fields=True)
    message.update, message.reprocess = asked.update, asked.reprocess
    # Without an effective spec: that is for the server to make, which knows the defaults.
    return pps.CreatePipelineTransaction(create_pipeline_request=message, user_json=asked.user_spec or effective)


def _job(job: Job) -> pps.Job:
    pipeline = pps.Pipeline(name=job.pipeline.name, project=project_message(job.pipeline.project))
    return pps.Job(pipeline=pipeline, id=job.id)


_MAKERS: Final[Mapping[type, tuple[str, Callable[[Any], Any]]]] = {
    CreateRepo: (
        "create_repo",
        lambda asked: pfs.CreateRepoRequest(
            repo=repo_message(asked.repo), description=asked.description, update=asked.update
        ),
    ),
    DeleteRepo: (
        "delete_repo",
        lambda asked: pfs.DeleteRepoRequest(repo=repo_message(asked.repo), force=asked.force),
    ),
    StartCommit: ("start_commit", _start_commit),
    FinishCommit: ("finish_commit", _finish_commit),
    SquashCommitSet: (
        "squash_commit_set",
        lambda asked: pfs.SquashCommitSetRequest(commit_set=pfs.CommitSet(id=asked.id)),
    ),
    CreateBranch: ("create_branch", _create_branch),
    DeleteBranch: (
        "delete_branch",
        lambda asked: pfs.DeleteBranchRequest(branch=branch_message(asked.branch), force=asked.force),
    ),
    UpdateJobState: (
        "update_job_state",
        lambda asked: pps.UpdateJobStateRequest(job=_job(asked.job), state=asked.state.wire_name, reason=asked.reason),
    ),
    StopJob: ("stop_job", lambda asked: pps.StopJobRequest(job=_job(asked.job), reason=asked.reason)),
    CreatePipeline: ("create_pipeline_v2", _create_pipeline),
}

# SPDX-License-Identifier: Apache-2.0
"""`howdah.v1.Lake/RemoveCommits`: squash and drop of the protocol, with a dry run and an answer that says what went."""

from howdah.apis.grpc import requests
from howdah.apis.grpc.pps_answers import job_message
from howdah.errors import BadRequest, ErrorKind
from howdah.model.infos import Removed
from howdah.pfs.removal import Removals
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as pb

__all__ = ["remove_commits"]


def remove_commits(removals: Removals, request: pb.RemoveCommitsRequest) -> pb.RemoveCommitsResponse:
    """Do what is asked, or with `dry_run` only say what would go.

    Raises:
        BadRequest: BAD_ARGUMENT: it is not said whether to squash or drop, or what; else as `Removals`.
    """
    removed = _removed(removals, request)
    return pb.RemoveCommitsResponse(
        commits=[commit_message(commit) for commit in removed.commits],
        jobs=[job_message(job) for job in removed.jobs],
    )


def _removed(removals: Removals, request: pb.RemoveCommitsRequest) -> Removed:
    if request.mode not in (pb.REMOVAL_MODE_SQUASH, pb.REMOVAL_MODE_DROP):
        raise _bad(f"removal mode {request.mode} is unknown; use 1 to squash or 2 to drop")
    squashing = request.mode == pb.REMOVAL_MODE_SQUASH
    target = request.WhichOneof("target")
    if target == "commit_set":
        if request.recursive:
            raise _bad("a commit set is never removed recursively; remove its commits one by one")
        of_set = removals.squash_set if squashing else removals.drop_set
        return of_set(requests.commit_set(request.commit_set), dry_run=request.dry_run)
    if target is None:
        raise _bad("no commit is named; give a commit or a commit set")
    of_one = removals.squash if squashing else removals.drop
    return of_one(requests.commit(request.commit), recursive=request.recursive, dry_run=request.dry_run)


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)

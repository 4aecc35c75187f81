# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Commits and commit sets over gRPC, and the calls that wait for them."""

from collections.abc import Iterator

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc import answers, requests
from howdah.apis.grpc.bridge import Context, Page
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.errors import BadRequest, ErrorKind
from howdah.model.infos import CommitInfo
from howdah.model.refs import Repo
from howdah.model.states import CommitState
from howdah.pfs.commit_sets import CommitSetInfo
from howdah.pfs.subjects import commit_subject, repo_subject
from howdah.wire.convert import commit_message, moment
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["CommitCalls"]


class CommitCalls(PfsCalls):
    """The calls of `pfs_v2.API` about commits and commit sets."""

    async def StartCommit(self, request: pb.StartCommitRequest, context: Context) -> pb.Commit:
        """Open a commit on a branch."""

        def start() -> pb.Commit:
            branch = requests.branch(request.branch)
            parent = requests.commit_or_none(request.parent, branch.repo)
            return commit_message(self._catalog.commits.start(branch, parent, requests.words(request)))

        return await self._bridge.unary(context, start)

    async def FinishCommit(self, request: pb.FinishCommitRequest, context: Context) -> Empty:
        """Close a commit; it is finished when this answers."""

        def finish() -> Empty:
            ref = requests.commit(request.commit)
            description, error = requests.words(request) or None, requests.words(request, "error")
            self._pfs.finisher.finish(ref, description=description, error=error, force=request.force)
            return Empty()

        return await self._bridge.unary(context, finish)

    async def InspectCommit(self, request: pb.InspectCommitRequest, context: Context) -> pb.CommitInfo:
        """One commit, now or once it has reached a state."""
        info = await self._bridge.unary(context, self._inspect, request)
        state = CommitState(request.wait or CommitState.STARTED)
        if info.state < state:
            commit = info.commit
            info = await self._bridge.wait(
                context, [commit_subject(commit)], lambda: self._catalog.commits.reached(commit, state)
            )
        return answers.commit_info(info)

    async def ListCommit(self, request: pb.ListCommitRequest, context: Context) -> None:
        """The commits of a repo, or of all repos."""
        await self._bridge.stream(context, lambda: map(answers.commit_info, self._list(request)))

    async def SubscribeCommit(self, request: pb.SubscribeCommitRequest, context: Context) -> None:
        """The commits of a repo, then each new one, as they reach a state; endless."""
        repo, start = await self._bridge.unary(context, self._subscription, request)
        origin, state = requests.origin(request.origin_kind), requests.state(request.state)

        def read(after: int) -> Page[pb.CommitInfo, int]:
            page = self._catalog.commits.subscribe_page(repo, after, request.branch or None, origin, state)
            messages = [answers.commit_info(info) for _, info in page]
            return Page(messages, page[-1][0] if page else after)

        await self._bridge.follow(context, [repo_subject(repo)], read, start)

    async def InspectCommitSet(self, request: pb.InspectCommitSetRequest, context: Context) -> None:
        """The commits of a set, each after those it depends on; with `wait`, each once it is finished."""
        infos = await self._bridge.unary(context, self._set, request)

        def read(place: int) -> Page[pb.CommitInfo, int]:
            found = infos[place]
            if request.wait and found.state < CommitState.FINISHED:
                reached = self._catalog.commits.reached(found.commit, CommitState.FINISHED)
                if reached is None:
                    return Page((), place)
                found = reached
            return Page([answers.commit_info(found)], place + 1, ended=place + 1 == len(infos))

        await self._bridge.follow(context, [commit_subject(info.commit) for info in infos], read, 0)

    async def ListCommitSet(self, request: pb.ListCommitSetRequest, context: Context) -> None:
        """All commit sets, or those of a project, newest first."""

        def infos() -> Iterator[pb.CommitSetInfo]:
            project = requests.project(request.project) if request.HasField("project") else None
            return map(_set_info, self._catalog.sets.list(project))

        await self._bridge.stream(context, infos)

    def _inspect(self, request: pb.InspectCommitRequest) -> CommitInfo:
        requests.state(request.wait)
        return self._catalog.commits.inspect(requests.commit(request.commit))

    def _list(self, request: pb.ListCommitRequest) -> Iterator[CommitInfo]:
        repo = requests.repo_or_none(request.repo)
        to = requests.commit_or_none(request.to, repo)
        repo = repo or (None if to is None else to.repo)
        return self._catalog.commits.list(
            repo,
            to,
            requests.commit_or_none(getattr(request, "from"), repo),
            request.number,
            reverse=request.reverse,
            origin=requests.origin(request.origin_kind),
            started_before=moment(request.started_time) if request.HasField("started_time") else None,
        )

    def _subscription(self, request: pb.SubscribeCommitRequest) -> tuple[Repo, int]:
        """What is subscribed to, and the position to begin after; everything about the request is checked."""
        requests.origin(request.origin_kind)
        requests.state(request.state)
        named = requests.repo_or_none(request.repo)
        start = requests.commit_or_none(getattr(request, "from"), named)
        repo = named or (requests.repo(request.repo) if start is None else start.repo)
        self._catalog.repos.inspect(repo)
        if start is None:
            return repo, 0
        if start.repo != repo:
            text = f"commit {start} is not in repo {repo}; begin after a commit of repo {repo}"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        return repo, self._catalog.commits.position(start)

    def _set(self, request: pb.InspectCommitSetRequest) -> list[CommitInfo]:
        return self._catalog.sets.inspect(requests.commit_set(request.commit_set))


def _set_info(info: CommitSetInfo) -> pb.CommitSetInfo:
    return pb.CommitSetInfo(
        commit_set=pb.CommitSet(id=info.id), commits=[answers.commit_info(commit) for commit in info.commits]
    )

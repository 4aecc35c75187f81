# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Searches and walks over gRPC: the commits that changed a path, and the graph of what depends on what."""

from collections.abc import Iterator
from typing import Final

from howdah.apis.grpc import answers, pickers, requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.pfs.histories import find_commits
from howdah.pfs.walks import Walks
from howdah.wire.convert import commit_message
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["WalkCalls"]

# The share of a call's time in which a search goes on; the rest is for telling how far it came.
_SHARE: Final = 0.85


class WalkCalls(PfsCalls):
    """The calls of `pfs_v2.API` that go through histories and provenance."""

    async def FindCommits(self, request: pb.FindCommitsRequest, context: Context) -> None:
        """The commits that changed a path, from one up through its parents; last of all, how far that went."""
        left = context.time_remaining()
        clock = self._pfs.db.clock
        end = None if left is None else clock.monotonic() + _SHARE * left

        def found() -> Iterator[pb.FindCommitsResponse]:
            start = requests.commit(request.start)
            sightings = find_commits(
                self._pfs.db,
                self._pfs.storage,
                start,
                request.file_path,
                request.limit,
                in_time=lambda: end is None or clock.monotonic() < end,
            )
            for each in sightings:
                field = "found_commit" if each.found else "last_searched_commit"
                yield pb.FindCommitsResponse(commits_searched=each.searched, **{field: commit_message(each.commit)})

        await self._bridge.stream(context, found)

    async def WalkCommitProvenance(self, request: pb.WalkCommitProvenanceRequest, context: Context) -> None:
        """The commits that each of the given ones depends on, the nearest first."""
        await self._walk_commits(request, context, above=True)

    async def WalkCommitSubvenance(self, request: pb.WalkCommitSubvenanceRequest, context: Context) -> None:
        """The commits that depend on each of the given ones, the nearest first."""
        await self._walk_commits(request, context, above=False)

    async def WalkBranchProvenance(self, request: pb.WalkBranchProvenanceRequest, context: Context) -> None:
        """The branches that each of the given ones depends on, the nearest first."""
        await self._walk_branches(request, context, above=True)

    async def WalkBranchSubvenance(self, request: pb.WalkBranchSubvenanceRequest, context: Context) -> None:
        """The branches that depend on each of the given ones, the nearest first."""
        await self._walk_branches(request, context, above=False)

    async def _walk_commits(
        self,
        request: pb.WalkCommitProvenanceRequest | pb.WalkCommitSubvenanceRequest,
        context: Context,
        *,
        above: bool,
    ) -> None:
        def infos() -> Iterator[pb.CommitInfo]:
            starts = [pickers.commit(each) for each in request.start]
            limit, depth = request.max_commits, request.max_depth
            found = Walks(self._pfs.db).commits(starts, above=above, limit=limit, depth=depth)
            return map(answers.commit_info, found)

        await self._bridge.stream(context, infos)

    async def _walk_branches(
        self,
        request: pb.WalkBranchProvenanceRequest | pb.WalkBranchSubvenanceRequest,
        context: Context,
        *,
        above: bool,
    ) -> None:
        def infos() -> Iterator[pb.BranchInfo]:
            starts = [pickers.branch(each) for each in request.start]
            limit, depth = request.max_branches, request.max_depth
            found = Walks(self._pfs.db).branches(starts, above=above, limit=limit, depth=depth)
            return map(answers.branch_info, found)

        await self._bridge.stream(context, infos)

# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802, ARG002 - methods have the protocol's names and arguments
"""`howdah.v1.Lake`: for callers that reach the object store themselves. Names and roots pass here, never bytes."""

from typing import Final

from howdah import __version__
from howdah.apis.grpc import requests
from howdah.apis.grpc.bridge import Bridge, Context
from howdah.apis.grpc.executions import inspect_execution
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.apis.grpc.provenance import inspect_provenance
from howdah.apis.grpc.removals import remove_commits
from howdah.errors import ErrorKind, NotFound
from howdah.model.refs import File
from howdah.pfs.lake import Pfs
from howdah.pps.pps import Pps
from howdah.storage.entries import Entry
from howdah.wire.convert import commit_message, timestamp
from howdah.wire.stubs import howdah_v1_pb2 as pb

__all__ = ["LakeService"]


class LakeService(PfsCalls):
    """The servicer of `howdah.v1.Lake`."""

    def __init__(self, bridge: Bridge, pfs: Pfs, pps: Pps, lake_id: str) -> None:
        super().__init__(bridge, pfs)
        self._pps = pps
        self._lake: Final = pb.GetLakeResponse(
            lake_id=lake_id, store_url=pfs.storage.store.url, server_version=__version__
        )

    async def GetLake(self, request: pb.GetLakeRequest, context: Context) -> pb.GetLakeResponse:
        """Which lake this is, and where its bytes are."""
        return self._lake

    async def OpenFileset(self, request: pb.OpenFilesetRequest, context: Context) -> pb.OpenFilesetResponse:
        """The fileset that a commit has now."""
        ref = await self._bridge.unary(context, requests.commit, request.commit)
        view = await self._view(context, ref, partial=request.partial)
        return pb.OpenFilesetResponse(
            commit=commit_message(view.commit), root=view.fileset.root, committed=timestamp(view.committed)
        )

    async def OpenFile(self, request: pb.OpenFileRequest, context: Context) -> pb.OpenFileResponse:
        """Where the bytes of one file lie."""
        file = await self._bridge.unary(context, requests.file, request.file)
        view = None if request.base_root else await self._view(context, file.commit)

        def opened() -> pb.OpenFileResponse:
            entry = self._known(file, request.base_root) if view is None else view.file(file.path)
            return pb.OpenFileResponse(
                commit=commit_message(file.commit if view is None else view.commit),
                path=entry.path,
                size_bytes=entry.size,
                hash=entry.hash,
                peaks=entry.peaks,
                names=entry.extents.names,
                lengths=entry.extents.lengths,
                offsets=entry.extents.offsets,
            )

        return await self._bridge.unary(context, opened)

    async def StartWrite(self, request: pb.StartWriteRequest, context: Context) -> pb.StartWriteResponse:
        """A lease for objects that are about to be stored, and what the target holds now."""

        def start() -> pb.StartWriteResponse:
            started = self._pfs.writes.start(requests.commit(request.commit))
            return pb.StartWriteResponse(
                lease_id=started.lease_id, lease_seconds=started.lease_seconds, base_root=started.base_root
            )

        return await self._bridge.unary(context, start)

    async def RenewWrite(self, request: pb.RenewWriteRequest, context: Context) -> pb.RenewWriteResponse:
        """Keep a lease alive."""

        def renew() -> pb.RenewWriteResponse:
            self._pfs.writes.renew(request.lease_id)
            return pb.RenewWriteResponse()

        return await self._bridge.unary(context, renew)

    async def HandIn(self, request: pb.HandInRequest, context: Context) -> pb.HandInResponse:
        """Apply a change whose objects are stored."""

        def hand_in() -> pb.HandInResponse:
            target = requests.commit(request.commit)
            commit = self._pfs.writes.hand_in(target, request.change, request.lease_id, requests.words(request))
            return pb.HandInResponse(commit=commit_message(commit))

        return await self._bridge.unary(context, hand_in)

    async def UpdateCommit(self, request: pb.UpdateCommitRequest, context: Context) -> pb.UpdateCommitResponse:
        """Replace the description of a commit."""

        def describe() -> pb.UpdateCommitResponse:
            commit = self._catalog.commits.describe(requests.commit(request.commit), requests.words(request))
            return pb.UpdateCommitResponse(commit=commit_message(commit))

        return await self._bridge.unary(context, describe)

    async def RemoveCommits(self, request: pb.RemoveCommitsRequest, context: Context) -> pb.RemoveCommitsResponse:
        """Squash or drop, and say what went."""
        return await self._bridge.unary(context, remove_commits, self._catalog.removals, request)

    async def ForgetFiles(self, request: pb.ForgetFilesRequest, context: Context) -> pb.ForgetFilesResponse:
        """Give up the files of a finished commit, or say which it would be."""

        def forget() -> pb.ForgetFilesResponse:
            commit = self._catalog.commits.forget(requests.commit(request.commit), dry_run=request.dry_run)
            return pb.ForgetFilesResponse(commit=commit_message(commit))

        return await self._bridge.unary(context, forget)

    async def InspectProvenance(
        self, request: pb.InspectProvenanceRequest, context: Context
    ) -> pb.InspectProvenanceResponse:
        """What made one output file."""
        file = await self._bridge.unary(context, requests.file, request.file)
        view = await self._view(context, file.commit)
        return await self._bridge.unary(context, inspect_provenance, self._pps, view, file.path)

    async def InspectExecution(
        self, request: pb.InspectExecutionRequest, context: Context
    ) -> pb.InspectExecutionResponse:
        """How user code of a version of a pipeline runs."""
        return await self._bridge.unary(context, inspect_execution, self._pps, request)

    def _known(self, file: File, root: bytes) -> Entry:
        """A user's file of a fileset that a writer was given as its base."""
        for entry in self._pfs.storage.fileset(root, f"the base of a write to {file.commit}").find(file.path):
            if not entry.datum:
                return entry
        raise NotFound(ErrorKind.FILE_NOT_FOUND, f"file {file.path} not found in what {file.commit} had; put it")

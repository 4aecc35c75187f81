# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names and arguments
"""The protocol's own checks, `Fsck` and `CheckStorage`. What is ours, with repairs and progress: `upkeep_service`."""

from collections.abc import Iterator

from howdah.apis.grpc import requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.storage.chunks import CHUNK_PREFIX
from howdah.upkeep.metadata import check_metadata
from howdah.upkeep.zombies import find_zombies
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["UpkeepCalls"]


class UpkeepCalls(PfsCalls):
    """The calls of `pfs_v2.API` that check a lake."""

    async def Fsck(self, request: pb.FsckRequest, context: Context) -> None:
        """Faults of metadata, mended with `fix` where that loses nothing; or the zombies of one commit or of all."""

        def faults() -> Iterator[pb.FsckResponse]:
            which = request.WhichOneof("zombie_check")
            if which == "zombie_target" or (which and request.zombie_all):
                target = requests.commit(request.zombie_target) if which == "zombie_target" else None
                found = find_zombies(self._pfs.db, self._pfs.storage, target)
                return (pb.FsckResponse(error=str(fault)) for fault in found)
            mended = check_metadata(self._pfs.db, self._catalog.works, repair=request.fix)
            return (_response(str(fault), repaired=bool(fault.repaired)) for fault in mended)

        await self._bridge.stream(context, faults)

    async def CheckStorage(self, request: pb.CheckStorageRequest, context: Context) -> pb.CheckStorageResponse:
        """How many chunks there are whose names lie from `chunk_begin` to before `chunk_end`; they are read if asked.

        The first that is damaged ends the call.
        """
        return await self._bridge.unary(context, self._check, request)

    def _check(self, request: pb.CheckStorageRequest) -> pb.CheckStorageResponse:
        count = 0
        for info in self._pfs.storage.store.list(CHUNK_PREFIX):
            name = bytes.fromhex(info.key.rpartition("/")[2])
            if name < request.chunk_begin or (request.chunk_end and name >= request.chunk_end):
                continue
            if request.read_chunk_data:
                self._pfs.storage.chunks.read_view(name, f"chunk {name.hex()}")
            count += 1
        return pb.CheckStorageResponse(chunk_object_count=count)


def _response(text: str, *, repaired: bool) -> pb.FsckResponse:
    return pb.FsckResponse(fix=text) if repaired else pb.FsckResponse(error=text)

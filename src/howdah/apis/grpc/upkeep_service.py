# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`howdah.v1.Upkeep`: garbage collection, usage, checks; and by `retention`, rules about what is kept."""

from collections.abc import Iterator

from howdah.apis.grpc import requests
from howdah.apis.grpc.bridge import Bridge, Context
from howdah.apis.grpc.retention import RetentionCalls
from howdah.model.upkeep import Collected, Fault, Proved, Tally
from howdah.upkeep import Upkeep
from howdah.upkeep.collector import KEEP_SECONDS
from howdah.upkeep.proving import Part
from howdah.upkeep.usage import Target
from howdah.wire.stubs import howdah_v1_pb2 as pb
from howdah.wire.stubs import pfs_v2_pb2

__all__ = ["UpkeepService"]


class UpkeepService(RetentionCalls):
    """The servicer of `howdah.v1.Upkeep`."""

    def __init__(self, bridge: Bridge, upkeep: Upkeep) -> None:
        self._bridge = bridge
        self._upkeep = upkeep

    async def CollectGarbage(self, request: pb.CollectGarbageRequest, context: Context) -> pb.CollectGarbageResponse:
        """Collect garbage now, say what would be collected, or put back what was."""

        def collect() -> pb.CollectGarbageResponse:
            if request.undelete:
                return _collected(self._upkeep.collector.undelete())
            keep = request.keep.ToMicroseconds() / 1e6 if request.HasField("keep") else KEEP_SECONDS
            return _collected(self._upkeep.collector.collect(dry_run=request.dry_run, keep_seconds=keep))

        return await self._bridge.unary(context, collect)

    async def GetUsage(self, request: pb.GetUsageRequest, context: Context) -> pb.GetUsageResponse:
        """What repos, branches and commits hold."""

        def usage() -> pb.GetUsageResponse:
            held = self._upkeep.usage.of([_target(each) for each in request.targets])
            return pb.GetUsageResponse(
                usage=[
                    pb.Usage(
                        name=each.name,
                        commits=each.commits,
                        size_bytes=each.size_bytes,
                        stored_bytes=each.stored_bytes,
                        exclusive_bytes=each.exclusive_bytes,
                    )
                    for each in held
                ]
            )

        return await self._bridge.unary(context, usage)

    async def Check(self, request: pb.CheckRequest, context: Context) -> None:
        """Faults and progress, as they come."""

        def check() -> Iterator[pb.CheckResponse]:
            part = Part(request.part, request.parts) if request.parts or request.part else None
            answers = self._upkeep.fsck.check(
                repair=request.repair,
                metadata_only=request.metadata_only,
                part=part,
                after=request.after,
                bytes_per_second=request.bytes_per_second,
            )
            return map(_answer, answers)

        await self._bridge.stream(context, check)


def _target(message: pfs_v2_pb2.Commit) -> Target:
    if not message.id and not message.branch.name:
        return requests.repo(message.repo if message.repo.name else message.branch.repo)
    return requests.commit(message)


def _collected(report: Collected) -> pb.CollectGarbageResponse:
    return pb.CollectGarbageResponse(
        dry_run=report.dry_run,
        named=_tally(report.named),
        young=_tally(report.young),
        thrown_away=_tally(report.thrown_away),
        waiting=_tally(report.waiting),
        put_back=_tally(report.put_back),
        removed=_tally(report.removed),
        missing=report.missing,
    )


def _tally(tally: Tally) -> pb.Tally:
    return pb.Tally(objects=tally.objects, size_bytes=tally.size_bytes)


def _answer(answer: Fault | Proved) -> pb.CheckResponse:
    if isinstance(answer, Fault):
        fault = pb.Fault(what=answer.what, hurt=answer.hurt, advice=answer.advice, repaired=answer.repaired)
        return pb.CheckResponse(fault=fault)
    progress = pb.CheckProgress(
        ranges=answer.ranges, ranges_total=answer.ranges_total, size_bytes=answer.size_bytes, after=answer.after
    )
    return pb.CheckResponse(progress=progress)

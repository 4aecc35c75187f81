# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Pipelines run again, ticked and looked after over gRPC; and the calls of `pps_v2` that nothing here stands behind."""

from collections.abc import Iterator

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc import pickers, pps_requests, requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pps_answers import pipeline_message
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.errors import ErrorKind, Unsupported
from howdah.pps.status import Summary
from howdah.wire.convert import project_message
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["StatusCalls"]


class StatusCalls(PpsCalls):
    """The calls of `pps_v2.API` about how pipelines are doing, and those that set them going."""

    async def RerunPipeline(self, request: pb.RerunPipelineRequest, context: Context) -> Empty:
        """Start a job on what the inputs hold now; with `reprocess` also what had succeeded runs again."""

        def rerun() -> None:
            self._pps.pipelines.rerun(pps_requests.pipeline(request), reprocess=request.reprocess)

        await self._bridge.unary(context, rerun)
        return Empty()

    async def RunCron(self, request: pb.RunCronRequest, context: Context) -> Empty:
        """Let the cron inputs of a pipeline tick now."""
        await self._bridge.unary(context, lambda: self._pps.ticker.run(pps_requests.pipeline(request)))
        return Empty()

    async def RestartDatum(self, request: pb.RestartDatumRequest, context: Context) -> Empty:
        """Take from workers what they are at, and let it begin again."""

        def restart() -> None:
            self._pps.restarts.restart(pps_requests.job(request), list(request.data_filters))

        await self._bridge.unary(context, restart)
        return Empty()

    async def CheckStatus(self, request: pb.CheckStatusRequest, context: Context) -> None:
        """The pipelines of a project, or of all, that somebody should look at, and why."""

        def alerts() -> Iterator[pb.CheckStatusResponse]:
            projects = () if request.all else (requests.project(request.project),)
            for alert in self._pps.statuses.alerts(projects):
                yield pb.CheckStatusResponse(
                    project=project_message(alert.pipeline.project),
                    pipeline=pipeline_message(alert.pipeline),
                    alerts=alert.texts,
                )

        await self._bridge.stream(context, alerts)

    async def PipelinesSummary(
        self, request: pb.PipelinesSummaryRequest, context: Context
    ) -> pb.PipelinesSummaryResponse:
        """How many pipelines of each project work, rest and fail; of all projects if none is named."""

        def summaries() -> list[Summary]:
            return self._pps.statuses.summaries([pickers.project(each) for each in request.projects])

        found = await self._bridge.unary(context, summaries)
        return pb.PipelinesSummaryResponse(summaries=map(_summary, found))

    async def RunPipeline(self, request: pb.RunPipelineRequest, context: Context) -> Empty:
        """Nothing runs by this in version 2 of the protocol; the answer says what does."""
        name = request.pipeline.name or "PIPELINE"
        text = f"unimplemented: a pipeline runs by commits to what it reads; run it again: howdah rerun pipeline {name}"
        return await self._refuse(context, text)

    async def ActivateAuth(self, request: pb.ActivateAuthRequest, context: Context) -> Empty:  # noqa: ARG002
        """Authentication is off, which clients know by this text."""
        text = "the auth service is not activated; everybody may do everything here"
        return await self._refuse(context, text)

    async def RunLoadTest(self, request: pb.RunLoadTestRequest, context: Context) -> Empty:  # noqa: ARG002
        """Refused: a load that strangers write and a server makes for itself is no measurement."""
        return await self._refuse(context, _NO_LOAD_TESTS)

    async def RunLoadTestDefault(self, request: Empty, context: Context) -> Empty:  # noqa: ARG002 - it is empty
        """As RunLoadTest."""
        return await self._refuse(context, _NO_LOAD_TESTS)

    async def _refuse(self, context: Context, text: str) -> Empty:
        def refuse() -> Empty:
            raise Unsupported(ErrorKind.UNSUPPORTED, text)

        return await self._bridge.unary(context, refuse)


_NO_LOAD_TESTS = (
    "load tests are not run by the server, which would measure itself along with them; "
    "measure from outside: make bench, in the sources of howdah"
)


def _summary(found: Summary) -> pb.PipelinesSummary:
    return pb.PipelinesSummary(
        project=project_message(found.project),
        active_pipelines=found.active,
        paused_pipelines=found.paused,
        failed_pipelines=found.failed,
        unhealthy_pipelines=found.unhealthy,
    )

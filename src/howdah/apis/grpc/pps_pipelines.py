# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Pipelines over gRPC: make and change them, look at them, stop, start and delete them."""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from google.protobuf.empty_pb2 import Empty

from howdah.apis.filters import filtered
from howdah.apis.grpc import pps_requests, requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.convert_pps_spec import effective_spec, request_text
from howdah.apis.grpc.pps_answers import attach_warnings, pipeline_info, pipeline_message
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.errors import BadRequest, ErrorKind, Refused, Unsupported
from howdah.model.names import commit_id
from howdah.model.refs import Pipeline, parse_ancestry
from howdah.model.texts import one_line
from howdah.pps.infos import PipelineInfo
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["PipelineCalls"]


class PipelineCalls(PpsCalls):
    """The calls of `pps_v2.API` about pipelines."""

    async def CreatePipeline(self, request: pb.CreatePipelineRequest, context: Context) -> Empty:
        """Create or update a pipeline from a message; what it makes is what CreatePipelineV2 makes of the same JSON."""

        def create() -> Empty:
            self._create(request_text(request), False, False, False)
            return Empty()

        return await self._bridge.unary(context, create)

    async def CreatePipelineV2(
        self, request: pb.CreatePipelineV2Request, context: Context
    ) -> pb.CreatePipelineV2Response:
        """The same from JSON. The answer is the effective spec; with `dry_run` it is all that happens."""
        warnings: list[str] = []
        effective = await self._bridge.unary(
            context,
            self._create,
            request.create_pipeline_request_json,
            request.update,
            request.reprocess,
            request.dry_run,
            warnings.append,
        )
        attach_warnings(context, warnings)
        return pb.CreatePipelineV2Response(effective_create_pipeline_request_json=effective)

    async def InspectPipeline(self, request: pb.InspectPipelineRequest, context: Context) -> pb.PipelineInfo:
        """A pipeline; its name may say which version: `edges^2` is two before the present one."""

        def inspect() -> pb.PipelineInfo:
            return pipeline_info(self._pps.pipelines.inspect(*_versioned(request)), details=request.details)

        return await self._bridge.unary(context, inspect)

    async def ListPipeline(self, request: pb.ListPipelineRequest, context: Context) -> None:
        """Pipelines, newest first, as they are or as a commit set has them.

        Always with details, which `pachctl` reads unasked.
        """

        def pipelines() -> Iterator[pb.PipelineInfo]:
            found = (pipeline_info(info, details=True) for info in self._listed(request))
            return _paged(filtered(found, request.jqFilter), request.page)

        await self._bridge.stream(context, pipelines)

    async def StopPipeline(self, request: pb.StopPipelineRequest, context: Context) -> Empty:
        """Stop a pipeline: its jobs are killed, and new commits start none until it is started."""

        def stop() -> None:
            self._pps.pipelines.stop(pps_requests.pipeline(request), must_exist=request.must_exist)

        await self._bridge.unary(context, stop)
        return Empty()

    async def StartPipeline(self, request: pb.StartPipelineRequest, context: Context) -> Empty:
        """Start a stopped pipeline; it has a job for what was committed meanwhile."""
        await self._bridge.unary(context, lambda: self._pps.pipelines.start(pps_requests.pipeline(request)))
        return Empty()

    async def DeletePipeline(self, request: pb.DeletePipelineRequest, context: Context) -> Empty:
        """Delete a pipeline with its jobs and, unless `keep_repo`, its repos."""

        def delete() -> None:
            if request.all:
                raise Unsupported(ErrorKind.UNSUPPORTED, "`all` is not supported here; use DeletePipelines")
            self._pps.pipelines.delete(
                pps_requests.pipeline(request),
                keep_repo=request.keep_repo,
                force=request.force,
                must_exist=request.must_exist,
            )

        await self._bridge.unary(context, delete)
        return Empty()

    async def DeletePipelines(self, request: pb.DeletePipelinesRequest, context: Context) -> pb.DeletePipelinesResponse:
        """Delete every pipeline of some projects, or of all."""

        def delete() -> pb.DeletePipelinesResponse:
            projects = pps_requests.projects(request.projects)
            if not projects and not request.all:
                raise BadRequest(ErrorKind.BAD_ARGUMENT, "no project is named; name some, or set all")
            deleted = self._delete_all(() if request.all else projects, force=request.force, keep=request.keep_repo)
            return pb.DeletePipelinesResponse(pipelines=[pipeline_message(one) for one in deleted])

        return await self._bridge.unary(context, delete)

    async def DeleteAll(self, request: Empty, context: Context) -> Empty:  # noqa: ARG002 - it is empty
        """Delete every pipeline of every project."""
        await self._bridge.unary(context, lambda: self._delete_all((), force=False, keep=False))
        return Empty()

    def _listed(self, request: pb.ListPipelineRequest) -> Iterable[PipelineInfo]:
        pipeline, projects = pps_requests.pipeline_or_none(request), pps_requests.projects(request.projects)
        if not request.commit_set.id:
            return self._pps.pipelines.list(pipeline, projects=projects, history=request.history)
        set_id = commit_id(request.commit_set.id)
        self._pfs.catalog.sets.inspect(set_id)
        found = self._pps.pipelines.of_set(set_id, projects=projects)
        return [info for info in found if pipeline is None or info.pipeline == pipeline]

    def _create(
        self,
        text: str,
        update: bool,
        reprocess: bool,
        dry_run: bool,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> str:
        """Create or update a pipeline; its effective spec as JSON. What the text itself asks for holds too."""
        spec = effective_spec(text, self._pps.defaults.effective)
        if dry_run or spec.dry_run:
            self._pps.pipelines.check(spec, text)
        else:
            again = reprocess or spec.reprocess
            self._pps.pipelines.create(spec, text, update=update or spec.update, reprocess=again, warn=warn)
        return spec.to_json()

    def _delete_all(self, projects: tuple[str, ...], *, force: bool, keep: bool) -> list[Pipeline]:
        """Delete them, each after those that read it.

        Raises:
            Refused: HAS_DEPENDANTS: one is read from outside of `projects`; those that stood below it are gone then.
        """
        todo = [info.pipeline for info in self._pps.pipelines.list(projects=projects)]
        deleted: list[Pipeline] = []
        while todo:
            kept: list[Pipeline] = []
            refusal: Refused | None = None
            for pipeline in todo:
                try:
                    self._pps.pipelines.delete(pipeline, keep_repo=keep, force=force)
                    deleted.append(pipeline)
                except Refused as error:
                    kept.append(pipeline)
                    refusal = error
            if refusal is not None and len(kept) == len(todo):
                raise refusal
            todo = kept
        return deleted


def _versioned(request: pb.InspectPipelineRequest) -> tuple[Pipeline, int]:
    """The pipeline, and how many versions before the present one."""
    requests.required(request, "pipeline")
    named = pb.InspectPipelineRequest()
    named.CopyFrom(request)
    named.pipeline.name, ancestry = parse_ancestry(request.pipeline.name)
    if ancestry.from_root is not None:
        raise BadRequest(
            ErrorKind.BAD_REFERENCE,
            f"pipeline ({one_line(request.pipeline.name)}): .N is not understood here; write ^N for N versions before",
        )
    return pps_requests.pipeline(named), ancestry.parents


def _paged(infos: Iterable[pb.PipelineInfo], page: pb.PipelinePage) -> Iterator[pb.PipelineInfo]:
    """The page that is asked for; without a size, all."""
    size = pps_requests.page("page_size", page.page_size)
    first = size * pps_requests.page("page_index", page.page_index)
    return islice(infos, min(first, sys.maxsize), min(first + size, sys.maxsize)) if size else iter(infos)

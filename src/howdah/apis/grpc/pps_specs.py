# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""What specs are made of, over gRPC: defaults of the cluster and of projects, and templates."""

import json

from howdah.apis.grpc import requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.convert_pps_spec import create_message
from howdah.apis.grpc.pps_answers import pipeline_message
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.model.spec.codec import decode, encode
from howdah.model.spec.layers import without_schema
from howdah.model.spec.text import json_document
from howdah.model.spec.values import PipelineSpec
from howdah.pps.templates import rendered
from howdah.wire.convert import timestamp
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["SpecCalls"]


class SpecCalls(PpsCalls):
    """The calls of `pps_v2.API` about defaults and templates."""

    async def GetClusterDefaults(
        self,
        request: pb.GetClusterDefaultsRequest,  # noqa: ARG002 - it is empty
        context: Context,
    ) -> pb.GetClusterDefaultsResponse:
        """The defaults of all pipelines, as they were given."""
        found = await self._bridge.unary(context, self._pps.defaults.get)
        return pb.GetClusterDefaultsResponse(cluster_defaults_json=found.text)

    async def SetClusterDefaults(
        self, request: pb.SetClusterDefaultsRequest, context: Context
    ) -> pb.SetClusterDefaultsResponse:
        """Replace the defaults of all pipelines, and with `regenerate` make those that change anew."""

        def put() -> pb.SetClusterDefaultsResponse:
            affected = self._pps.defaults.set(
                _json(request.cluster_defaults_json),
                regenerate=request.regenerate,
                reprocess=request.reprocess,
                dry_run=request.dry_run,
            )
            return pb.SetClusterDefaultsResponse(affected_pipelines=map(pipeline_message, affected))

        return await self._bridge.unary(context, put)

    async def GetProjectDefaults(
        self, request: pb.GetProjectDefaultsRequest, context: Context
    ) -> pb.GetProjectDefaultsResponse:
        """The defaults of a project's pipelines, as they were given."""

        def get() -> pb.GetProjectDefaultsResponse:
            found = self._pps.defaults.get(requests.project(request.project))
            return pb.GetProjectDefaultsResponse(
                project_defaults_json=found.text, created_at=timestamp(found.created_at)
            )

        return await self._bridge.unary(context, get)

    async def SetProjectDefaults(
        self, request: pb.SetProjectDefaultsRequest, context: Context
    ) -> pb.SetProjectDefaultsResponse:
        """Replace the defaults of a project's pipelines, and with `regenerate` make those that change anew."""

        def put() -> pb.SetProjectDefaultsResponse:
            affected = self._pps.defaults.set(
                _json(request.project_defaults_json),
                requests.project(request.project),
                regenerate=request.regenerate,
                reprocess=request.reprocess,
                dry_run=request.dry_run,
            )
            return pb.SetProjectDefaultsResponse(affected_pipelines=map(pipeline_message, affected))

        return await self._bridge.unary(context, put)

    async def RenderTemplate(self, request: pb.RenderTemplateRequest, context: Context) -> pb.RenderTemplateResponse:
        """Render a template: what it gives as JSON, and each spec in it as a message. Nothing is made."""

        def render() -> pb.RenderTemplateResponse:
            text, trees = rendered(request.template, request.args)
            specs = [encode(decode(PipelineSpec, without_schema(tree))) for tree in trees]
            return pb.RenderTemplateResponse(json=text, specs=[create_message(json.dumps(spec)) for spec in specs])

        return await self._bridge.unary(context, render)


def _json(text: str) -> str:
    """Defaults as they were sent; nothing at all stands for empty ones.

    Raises:
        BadRequest: BAD_SPEC: they are no JSON, so that whoever asks for them could not read them.
    """
    if text.strip():
        json_document(text)
    return text

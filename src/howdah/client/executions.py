# SPDX-License-Identifier: Apache-2.0
"""How versions of pipelines run: asked beside what the protocol has of pipelines and jobs, which does not say it."""

from howdah.client.channel import Wire
from howdah.client.values import ExecutionInfo
from howdah.errors import NotFound, Unsupported
from howdah.model.refs import Pipeline
from howdah.wire.convert import project_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["of_version"]


def of_version(wire: Wire, pipeline: Pipeline, version: int) -> ExecutionInfo | None:
    """How that version runs; None if it is gone, or the server is another implementation, or too old to say it."""
    named = pb.Pipeline(name=pipeline.name, project=project_message(pipeline.project))
    try:
        found = wire.call(wire.lake.InspectExecution, hd.InspectExecutionRequest(pipeline=named, version=version))
    except (NotFound, Unsupported):
        return None
    return ExecutionInfo(found.execution, found.image, found.image_digest, found.note)

# SPDX-License-Identifier: Apache-2.0
"""`howdah.v1.Lake/InspectExecution`: how a version of a pipeline runs. The protocol has no place for it.

The servicer of Lake answers the call with `inspect_execution`; what is answered is decided in `howdah.pps.executions`.
"""

from howdah.apis.grpc import pps_requests
from howdah.pps.pps import Pps
from howdah.wire.stubs import howdah_v1_pb2 as pb

__all__ = ["inspect_execution"]


def inspect_execution(pps: Pps, request: pb.InspectExecutionRequest) -> pb.InspectExecutionResponse:
    """How a version of a pipeline runs. Blocking: call it through the bridge.

    Raises:
        NotFound: PIPELINE_NOT_FOUND: there is no such pipeline, or no such version of it.
    """
    found = pps.pipelines.execution(pps_requests.pipeline(request), request.version)
    return pb.InspectExecutionResponse(
        execution=found.kind, image=found.image, image_digest=found.digest, note=found.note
    )

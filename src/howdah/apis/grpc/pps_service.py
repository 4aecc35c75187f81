# SPDX-License-Identifier: Apache-2.0
"""`pps_v2.API`, put together from its groups of calls: one module for each.

`pps_pipelines`, `pps_jobs`, `pps_datums`, `pps_logs`, `pps_secrets` and `pps_specs` have the methods. One that none of
them has is answered by `unimplemented`. Workers do not call this but `howdah.v1.Work` (`work_service`).
"""

from howdah.apis.grpc.pps_datums import DatumCalls
from howdah.apis.grpc.pps_jobs import JobCalls
from howdah.apis.grpc.pps_logs import LogCalls
from howdah.apis.grpc.pps_pipelines import PipelineCalls
from howdah.apis.grpc.pps_secrets import SecretCalls
from howdah.apis.grpc.pps_specs import SpecCalls

__all__ = ["PpsService"]


class PpsService(PipelineCalls, JobCalls, DatumCalls, LogCalls, SecretCalls, SpecCalls):
    """The servicer of `pps_v2.API`."""

# SPDX-License-Identifier: Apache-2.0
"""`pps_v2.API`, put together from its groups of calls: one module for each.

Its methods are in `pps_pipelines`, `pps_status`, `pps_jobs`, `pps_datums`, `pps_trials`, `pps_logs`, `pps_secrets` and
`pps_specs`. Workers do not call this but `howdah.v1.Work` (`work_service`).
"""

from howdah.apis.grpc.pps_datums import DatumCalls
from howdah.apis.grpc.pps_jobs import JobCalls
from howdah.apis.grpc.pps_logs import LogCalls
from howdah.apis.grpc.pps_pipelines import PipelineCalls
from howdah.apis.grpc.pps_secrets import SecretCalls
from howdah.apis.grpc.pps_specs import SpecCalls
from howdah.apis.grpc.pps_status import StatusCalls
from howdah.apis.grpc.pps_trials import TrialCalls

__all__ = ["PpsService"]


class PpsService(PipelineCalls, StatusCalls, JobCalls, DatumCalls, TrialCalls, LogCalls, SecretCalls, SpecCalls):
    """The servicer of `pps_v2.API`."""

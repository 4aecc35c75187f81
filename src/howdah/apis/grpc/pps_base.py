# SPDX-License-Identifier: Apache-2.0
"""What every group of calls of `pps_v2.API` stands on: the bridge, the core, and jobs with their details."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from howdah.apis.grpc import pps_answers
from howdah.apis.grpc.bridge import Bridge
from howdah.kit.clock import Clock
from howdah.pfs.lake import Pfs
from howdah.pps.infos import JobInfo
from howdah.pps.pps import Pps
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["PpsCalls"]

_TOGETHER: Final = 100  # jobs whose specs are asked for at once


class PpsCalls:
    """A group of calls over one lake's pipelines."""

    def __init__(self, bridge: Bridge, pfs: Pfs, pps: Pps, clock: Clock) -> None:
        self._bridge = bridge
        self._pfs = pfs
        self._pps = pps
        self._clock = clock

    def _jobs(self, infos: Iterable[JobInfo], details: bool) -> Iterator[pb.JobInfo]:
        """The messages of many jobs; details are left out where the pipeline has gone meanwhile."""
        if not details:
            yield from map(pps_answers.job_info, infos)
            return
        rest = iter(infos)
        while some := list(islice(rest, _TOGETHER)):
            specs = self._pps.pipelines.effective_specs({(info.job.pipeline, info.version) for info in some})
            for info in some:
                yield pps_answers.job_info(info, specs.get((info.job.pipeline, info.version)))

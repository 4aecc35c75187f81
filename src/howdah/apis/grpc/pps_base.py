# SPDX-License-Identifier: Apache-2.0
"""What every group of calls of `pps_v2.API` stands on: the bridge, the core, and jobs with their details."""

from collections.abc import Iterable, Iterator

from howdah.apis.grpc import pps_answers
from howdah.apis.grpc.bridge import Bridge
from howdah.kit.clock import Clock
from howdah.model.refs import Pipeline
from howdah.pfs.lake import Pfs
from howdah.pps.infos import JobInfo
from howdah.pps.pps import Pps
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["PpsCalls"]


class PpsCalls:
    """A group of calls over one lake's pipelines."""

    def __init__(self, bridge: Bridge, pfs: Pfs, pps: Pps, clock: Clock) -> None:
        self._bridge = bridge
        self._pfs = pfs
        self._pps = pps
        self._clock = clock

    def _job(self, info: JobInfo, details: bool) -> pb.JobInfo:
        """The message of a job."""
        return next(self._jobs([info], details))

    def _jobs(self, infos: Iterable[JobInfo], details: bool) -> Iterator[pb.JobInfo]:
        """The messages of many jobs; the specs of each pipeline are read once."""
        specs: dict[Pipeline, dict[int, str]] = {}
        for info in infos:
            pipeline = info.job.pipeline
            if not details:
                yield pps_answers.job_info(info)
                continue
            if info.version not in specs.get(pipeline, {}):
                specs[pipeline] = {
                    each.version: each.spec.to_json() for each in self._pps.pipelines.list(pipeline, history=-1)
                }
            yield pps_answers.job_info(info, specs[pipeline][info.version])

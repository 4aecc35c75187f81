# SPDX-License-Identifier: Apache-2.0
"""`howdah.v1.Jobs`: jobs and datums as the protocol has them, with what it has no place for.

The same calls as those of `pps_v2.API` (`pps_job_reads`, `pps_datums`), for the same requests; beside each answer of
theirs stand what user code cost and, of a datum, its tries and why it failed.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import tee

from howdah.apis.grpc import pps_answers
from howdah.apis.grpc.pps_datums import DatumReads
from howdah.apis.grpc.pps_job_reads import JobReads
from howdah.pps.infos import DatumInfo, JobInfo, ProcessStats
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["JobsService"]


class JobsService(JobReads[hd.JobReport], DatumReads[hd.DatumReport]):
    """The servicer of `howdah.v1.Jobs`."""

    def _answers(self, infos: Iterable[JobInfo], details: bool) -> Iterator[hd.JobReport]:
        told, asked = tee(infos)
        for info, message in zip(told, self._jobs(asked, details), strict=True):
            yield hd.JobReport(job=message, cost=_cost(info.stats))

    def _message(self, answer: hd.JobReport) -> pb.JobInfo:
        return answer.job

    def _datum(self, info: DatumInfo) -> hd.DatumReport:
        message = pps_answers.datum_info(info)
        return hd.DatumReport(datum=message, cost=_cost(info.stats), tries=info.tries, reason=info.reason)


def _cost(stats: ProcessStats) -> hd.Cost:
    cost = hd.Cost(memory_max_bytes=stats.memory_max_bytes)
    cost.cpu_time.FromTimedelta(timedelta(microseconds=stats.cpu_us))
    return cost

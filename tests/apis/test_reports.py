# SPDX-License-Identifier: Apache-2.0
"""`howdah.v1.Jobs` of a running server: what `pps_v2.API` answers, and beside it what user code cost."""

import urllib.request

import pytest
from google.protobuf.duration_pb2 import Duration

from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs.howdah_v1_pb2_grpc import JobsStub
from tests.apis.test_pps_service import WAIT, face, server, upper

__all__ = ["face", "server"]  # the fixtures

COST = hd.Cost(cpu_time=Duration(nanos=1_234_000), memory_max_bytes=7 << 20)
TWICE = hd.Cost(cpu_time=Duration(nanos=2_468_000), memory_max_bytes=7 << 20)


@pytest.fixture
def jobs(face):
    return JobsStub(face.channel)


@pytest.fixture
def ended(face):
    """A job one of whose two datums failed; each cost the same, in three tries."""
    face.put({"/b": b"bad"})
    face.worker.told = {"tries": 3, "cpu_time": COST.cpu_time, "memory_max_bytes": COST.memory_max_bytes}
    pipeline = face.create()
    return face.run(face.newest(pipeline), upper)


def test_a_job_is_answered_with_what_it_cost(face, jobs, ended):
    """One, of its set, in lists, and to those who subscribe: the protocol's message with the sums beside it."""
    wanted = hd.JobReport(job=ended, cost=TWICE)
    job, pipeline = ended.job, ended.job.pipeline

    one = jobs.InspectJob(pps.InspectJobRequest(job=job, wait=True, details=True), timeout=WAIT)
    of_set = jobs.InspectJobSet(pps.InspectJobSetRequest(job_set=pps.JobSet(id=job.id), details=True), timeout=WAIT)
    listed = jobs.ListJob(pps.ListJobRequest(pipeline=pipeline, details=True), timeout=WAIT)

    assert [wanted] * 3 == [one, *of_set, *listed]


def test_a_filter_sees_the_job_as_the_protocol_has_it(jobs, ended):
    """What is filtered by one service is filtered by the other."""
    expressions = ['.state == "JOB_FAILURE"', '.state == "JOB_SUCCESS"']

    found = [list(jobs.ListJob(pps.ListJobRequest(jqFilter=each), timeout=WAIT)) for each in expressions]

    assert [[ended.job], []] == [[each.job.job for each in some] for some in found]
    assert TWICE == found[0][0].cost


def test_subscribers_hear_what_a_job_has_cost_so_far(face, jobs):
    """An open job has cost nothing yet."""
    pipeline = face.create()

    with_costs = jobs.SubscribeJob(pps.SubscribeJobRequest(pipeline=pipeline), timeout=WAIT)
    first = next(with_costs)
    with_costs.cancel()

    assert (face.newest(pipeline), hd.Cost(cpu_time=Duration())) == (first.job.job, first.cost)


def test_a_datum_is_answered_with_its_tries_and_why_it_failed(face, jobs, ended):
    """In a list, and one: the protocol's message, its cost, and what the protocol has no place for."""
    request = pps.ListDatumRequest(job=ended.job)

    listed = list(jobs.ListDatum(request, timeout=WAIT))
    one = jobs.InspectDatum(pps.InspectDatumRequest(datum=listed[0].datum.datum), timeout=WAIT)

    assert list(face.pps.ListDatum(request)) == [each.datum for each in listed]
    assert [COST] * 2 == [each.cost for each in listed]
    assert one == listed[0]
    assert {(pps.SUCCESS, 3, ""), (pps.FAILED, 3, "the command ended with exit code 3")} == {
        (each.datum.state, each.tries, each.reason) for each in listed
    }


def test_datums_of_an_input_cost_nothing(jobs, face):
    """They have not run."""
    source = pps.Input(pfs=pps.PFSInput(repo="words", glob="/*"))

    found = list(jobs.ListDatum(pps.ListDatumRequest(input=source), timeout=WAIT))

    assert [(hd.Cost(cpu_time=Duration()), 0)] * 2 == [(each.cost, each.tries) for each in found]


def test_a_server_counts_what_user_code_cost(face, jobs, ended):
    """For whoever watches it: counters that grow with each hand-in."""
    with urllib.request.urlopen(f"{face.server.http_address}/metrics", timeout=WAIT) as answer:
        values = dict(line.split() for line in answer.read().decode().splitlines() if not line.startswith("#"))

    assert float(values["howdah_datums_total"]) >= 2
    assert float(values["howdah_user_code_cpu_seconds_total"]) >= 0.002468

# SPDX-License-Identifier: Apache-2.0
"""Pipelines set going and looked at over gRPC, by raw messages: cron, reruns, restarts, alerts, summaries, filters."""

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from howdah.wire.stubs import howdah_v1_pb2 as wire_v1
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs.howdah_v1_pb2_grpc import WorkStub
from tests.apis.wired import WAIT, failure


def cron(wire, **fields):
    """A pipeline with a cron input that never ticks by itself."""
    made = pps.Pipeline(name=wire.name("pipeline"))
    source = pps.Input(cron=pps.CronInput(name="tick", spec="@never", **fields))
    transform = pps.Transform(cmd=["true"])
    wire.pps.CreatePipeline(pps.CreatePipelineRequest(pipeline=made, transform=transform, input=source))
    return made


def jobs(wire, pipeline, **fields):
    return list(wire.pps.ListJob(pps.ListJobRequest(pipeline=pipeline, history=-1, **fields), timeout=WAIT))


def running(wire, repo, files=1):
    """The running job of a new pipeline over some files, and the claim of a worker on it."""
    wire.put(wire.branch(repo), {f"/{n}": b"x" for n in range(files)})
    pipeline = wire.pipeline(repo)
    stub = WorkStub(wire.channel)
    while True:
        claim = stub.Claim(wire_v1.ClaimRequest(worker_id="w"), timeout=WAIT)
        if claim.job.pipeline.name == pipeline.name:
            return claim, stub


def test_a_cron_pipeline_ticks_when_it_is_told(wire):
    """Each time is a file, a commit and a job."""
    pipeline = cron(wire)
    ticks = pfs.Repo(name=f"{pipeline.name}_tick", type="user", project=pfs.Project(name="default"))

    for _ in range(2):
        wire.pps.RunCron(pps.RunCronRequest(pipeline=pipeline))
    info = wire.pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pipeline, details=True))

    assert 2 == len(wire.paths(wire.head(wire.branch(ticks))))
    assert 3 == len(jobs(wire, pipeline))
    assert ("@never", ticks.name) == (info.details.input.cron.spec, info.details.input.cron.repo)


def test_a_pipeline_is_rerun(wire):
    """Another version with the same spec has a job of its own."""
    pipeline = wire.pipeline(wire.repo())

    wire.pps.RerunPipeline(pps.RerunPipelineRequest(pipeline=pipeline))
    info = wire.pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pipeline))

    assert 2 == info.version
    assert [2, 1] == [job.pipeline_version for job in jobs(wire, pipeline)]


def test_a_worker_hears_at_once_that_a_datum_is_restarted(wire):
    """While it waits for the loss of its claim."""
    claim, stub = running(wire, wire.repo())
    request = wire_v1.RenewClaimRequest(set_id=claim.set_id, fence=claim.fence)
    request.wait.FromSeconds(600)
    waiting = stub.RenewClaim.future(request, timeout=WAIT)
    with pytest.raises(grpc.FutureTimeoutError):
        waiting.result(0.1)

    wire.pps.RestartDatum(pps.RestartDatumRequest(job=claim.job, data_filters=["/0"]))

    with pytest.raises(grpc.RpcError) as lost:
        waiting.result(WAIT)
    assert grpc.StatusCode.ABORTED is lost.value.code()
    wire.pps.StopJob(pps.StopJobRequest(job=claim.job))
    code, text = failure(lambda: wire.pps.RestartDatum(pps.RestartDatumRequest(job=claim.job, data_filters=["/0"])))
    assert grpc.StatusCode.NOT_FOUND is code
    assert text.startswith(f"datum matching filter [/0] could not be found for job ID {claim.job.id}")


def test_there_is_nothing_to_look_at_in_a_quiet_lake(wire):
    """Of a project, and of all."""
    wire.pipeline(wire.repo())

    for request in (pps.CheckStatusRequest(all=True), pps.CheckStatusRequest(project=pfs.Project(name="default"))):
        assert [] == list(wire.pps.CheckStatus(request))


def test_projects_are_summed_up(wire):
    """Those that are asked for, in their order."""
    project = wire.project()
    pipeline = wire.pipeline(wire.repo(project.name))
    wire.pps.StopPipeline(pps.StopPipelineRequest(pipeline=pipeline))
    picked = [pfs.ProjectPicker(name=project.name), pfs.ProjectPicker(name="default")]

    one, other = wire.pps.PipelinesSummary(pps.PipelinesSummaryRequest(projects=picked)).summaries
    everything = wire.pps.PipelinesSummary(pps.PipelinesSummaryRequest()).summaries

    assert (project.name, 0, 1, 0, 0) == (
        one.project.name,
        one.active_pipelines,
        one.paused_pipelines,
        one.failed_pipelines,
        one.unhealthy_pipelines,
    )
    assert {project.name, "default"} <= {each.project.name for each in everything}
    assert "default" == other.project.name


def test_jobs_and_pipelines_are_filtered_by_jq(wire):
    """As `pachctl --state` does; pages are pages of what is left."""
    repo = wire.repo()
    pipeline = wire.pipeline(repo)
    for number in range(3):
        wire.put(wire.branch(repo), {f"/{number}": b"x"})
    done = jobs(wire, pipeline)
    wire.pps.StopJob(pps.StopJobRequest(job=done[1].job))
    killed, open_ = '.state == "JOB_KILLED"', '.state != "JOB_KILLED"'
    mine = f'.pipeline.name == "{pipeline.name}"'

    request = pps.ListJobSetRequest(jqFilter=f'.job.pipeline.name == "{pipeline.name}"', number=2)
    sets = list(wire.pps.ListJobSet(request))
    pipelines = list(wire.pps.ListPipeline(pps.ListPipelineRequest(jqFilter=f"{mine} and .details.transform != null")))

    assert [done[1].job.id] == [info.job.id for info in jobs(wire, pipeline, jqFilter=killed)]
    assert [done[0].job.id, done[2].job.id] == [
        info.job.id for info in jobs(wire, pipeline, jqFilter=open_, number=2, details=True)
    ]
    assert [done[0].job.id, done[1].job.id] == [each.job_set.id for each in sets]
    assert [pipeline.name] == [info.pipeline.name for info in pipelines]


CALLS = {
    "a bad filter of jobs": (
        lambda wire: wire.pps.ListJob(pps.ListJobRequest(jqFilter=".state ==")),
        grpc.StatusCode.INVALID_ARGUMENT,
        "jq filter (.state ==) invalid",
    ),
    "a bad filter of job sets": (
        lambda wire: wire.pps.ListJobSet(pps.ListJobSetRequest(jqFilter="}")),
        grpc.StatusCode.INVALID_ARGUMENT,
        "jq filter (})",
    ),
    "a bad filter of pipelines": (
        lambda wire: wire.pps.ListPipeline(pps.ListPipelineRequest(jqFilter="nope(1)")),
        grpc.StatusCode.INVALID_ARGUMENT,
        "jq filter (nope(1))",
    ),
    "a rerun of nothing": (
        lambda wire: wire.pps.RerunPipeline(pps.RerunPipelineRequest(pipeline=pps.Pipeline(name="no"))),
        grpc.StatusCode.NOT_FOUND,
        'pipeline "default/no" not found',
    ),
    "a pipeline that is run": (
        lambda wire: wire.pps.RunPipeline(pps.RunPipelineRequest(pipeline=pps.Pipeline(name="a"))),
        grpc.StatusCode.UNIMPLEMENTED,
        "unimplemented",
    ),
    "authentication": (
        lambda wire: wire.pps.ActivateAuth(pps.ActivateAuthRequest()),
        grpc.StatusCode.UNIMPLEMENTED,
        "the auth service is not activated",
    ),
    "a load": (
        lambda wire: wire.pps.RunLoadTest(pps.RunLoadTestRequest()),
        grpc.StatusCode.UNIMPLEMENTED,
        "load tests are not run by the server",
    ),
    "the usual load": (
        lambda wire: wire.pps.RunLoadTestDefault(Empty()),
        grpc.StatusCode.UNIMPLEMENTED,
        "load tests are not run by the server",
    ),
    "a summary of nothing": (
        lambda wire: wire.pps.PipelinesSummary(
            pps.PipelinesSummaryRequest(projects=[pfs.ProjectPicker(name="nowhere")])
        ),
        grpc.StatusCode.NOT_FOUND,
        "project nowhere not found",
    ),
    "a negative number of jobs": (
        lambda wire: wire.pps.ListJob(pps.ListJobRequest(number=-1)),
        grpc.StatusCode.INVALID_ARGUMENT,
        "number is -1",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_cannot_be_done_is_said_clearly(wire, name):
    """By the code and the text that the protocol has for it."""
    call, code, text = CALLS[name]

    found, details = failure(lambda: call(wire))

    assert (code, text) == (found, details[: len(text)])


def test_a_pipeline_without_cron_input_says_so(wire):
    """In words that clients look for."""
    pipeline = wire.pipeline(wire.repo())

    _, text = failure(lambda: wire.pps.RunCron(pps.RunCronRequest(pipeline=pipeline)))

    assert text.startswith("pipeline doesn't have a cron input")


def test_datums_of_a_cron_input_are_not_listed(wire):
    """It has none before its pipeline is there."""
    source = pps.Input(cron=pps.CronInput(name="tick", spec="@daily"))

    code, text = failure(lambda: wire.pps.ListDatum(pps.ListDatumRequest(input=source)))

    assert grpc.StatusCode.INVALID_ARGUMENT is code
    assert text.startswith("can't list datums with a cron input")

# SPDX-License-Identifier: Apache-2.0
"""`pps_v2.API` and `howdah.v1.Work` of a running server, with a worker that the tests move by hand."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc.edge import GrpcEdge
from howdah.apis.grpc.options import CHANNEL_OPTIONS
from howdah.apis.grpc.work_service import WorkServicer
from howdah.apis.hub import Hub
from howdah.apis.metrics import Metrics
from howdah.apis.protocol import Service
from howdah.pps.infos import Claim
from howdah.testing.server import RunningServer, running_server
from howdah.wire.convert import timestamp
from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs.howdah_v1_pb2_grpc import LakeStub, WorkStub
from howdah.wire.stubs.pfs_v2_pb2_grpc import APIStub as PfsStub
from howdah.wire.stubs.pps_v2_pb2_grpc import APIStub as PpsStub
from tests.apis.scripted_worker import ScriptedWorker, Work

WAIT = 30.0  # seconds that a call may take; reached only by a failing test
WORDS = pfs.Repo(name="words", type="user")


def upper(files: dict[str, bytes]) -> dict[str, bytes] | str:
    """The work of these tests: each file in upper case; a file that says "bad" fails."""
    if b"bad" in b"".join(files.values()):
        return "the command ended with exit code 3"
    return {path: data.upper() for path, data in files.items()}


@dataclass
class Face:
    """A running server as clients and workers see it."""

    server: RunningServer
    channel: grpc.Channel

    def __post_init__(self) -> None:
        self.pps, self.pfs, self.lake = PpsStub(self.channel), PfsStub(self.channel), LakeStub(self.channel)
        self.worker = ScriptedWorker(self.channel, self.server.pfs.storage)

    def put(self, files: dict[str, bytes]) -> str:
        """Write files in one commit on words@master; its id."""
        target = pfs.Commit(branch=pfs.Branch(repo=WORDS, name="master"))
        commit = self.pfs.StartCommit(pfs.StartCommitRequest(branch=target.branch))
        messages = [pfs.ModifyFileRequest(set_commit=commit)]
        for path, data in files.items():
            messages.append(pfs.ModifyFileRequest(delete_file=pfs.DeleteFile(path=path)))
            added = pfs.AddFile(path=path)
            added.raw.value = data
            messages.append(pfs.ModifyFileRequest(add_file=added))
        self.pfs.ModifyFile(iter(messages))
        self.pfs.FinishCommit(pfs.FinishCommitRequest(commit=commit))
        return commit.id

    def create(self, name: str = "upper", **changes: object) -> pps.Pipeline:
        """Create a pipeline that reads words."""
        pipeline = pps.Pipeline(name=name)
        request = pps.CreatePipelineRequest(pipeline=pipeline, transform=pps.Transform(cmd=["upper"]))
        request.input.pfs.repo, request.input.pfs.glob = "words", "/*"
        request.MergeFrom(pps.CreatePipelineRequest(**changes))
        self.pps.CreatePipeline(request)
        return pipeline

    def newest(self, pipeline: pps.Pipeline) -> pps.Job:
        """The newest job of a pipeline."""
        return next(iter(self.pps.ListJob(pps.ListJobRequest(pipeline=pipeline, number=1)))).job

    def ended(self, job: pps.Job) -> pps.JobInfo:
        """What a job came to, once it has ended."""
        return self.pps.InspectJob(pps.InspectJobRequest(job=job, wait=True, details=True), timeout=WAIT)

    def run(self, job: pps.Job, work: Work = upper) -> pps.JobInfo:
        """Work until a job has ended."""
        with self.worker.working(work):
            return self.ended(job)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    """One server without workers for this module."""
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture
def face(server) -> Iterator[Face]:
    """A server without pipelines, with the repo `words` of two files."""
    with grpc.insecure_channel(server.grpc_address, options=CHANNEL_OPTIONS) as channel:
        face = Face(server, channel)
        face.pps.DeleteAll(Empty())
        face.pfs.DeleteRepo(pfs.DeleteRepoRequest(repo=WORDS, force=True))
        face.pfs.CreateRepo(pfs.CreateRepoRequest(repo=WORDS))
        face.put({"/a": b"alpha", "/b": b"beta"})
        yield face


def status(error: pytest.ExceptionInfo[grpc.RpcError]) -> grpc.StatusCode:
    return error.value.code()


def test_a_job_is_done_by_a_worker_over_the_protocol(face):
    """Claim, read, hand in; then the output is there, and counts and times are told."""
    pipeline = face.create()

    info = face.run(face.newest(pipeline))
    output = pfs.File(commit=info.output_commit, path="/a")
    data = b"".join(one.value for one in face.pfs.GetFile(pfs.GetFileRequest(file=output)))

    assert (pps.JOB_SUCCESS, 2, 2) == (info.state, info.data_processed, info.data_total)
    assert b"ALPHA" == data
    assert all(info.HasField(time) for time in ("created", "started", "finished"))
    assert ["upper"] == list(info.details.transform.cmd)
    assert "/*" == info.details.input.pfs.glob


def test_a_claim_says_all_that_a_worker_needs(face):
    """The job, its spec and inputs, and which rows of which fileset to do."""
    pipeline = face.create()

    claim = face.worker.claim()
    datums = dict(face.worker.datums(claim))

    assert face.newest(pipeline).id == claim.job.id == claim.output_commit_id
    assert ["upper"] == json.loads(claim.spec)["transform"]["cmd"]
    assert [("words", "master", "words")] == [(i.name, i.branch, i.commit.repo.name) for i in claim.inputs]
    assert 1 == claim.pipeline_version
    assert claim.lifetime.seconds > 0
    assert claim.count == len(datums)


def ask_once(core: object, method: str = "Claim", request: object = None) -> Any:
    """The answer to one call, of a server of its own that lets workers wait for a twentieth of a second."""

    async def ask() -> Any:
        edge = GrpcEdge(Hub(), Metrics())
        servicer = WorkServicer(edge.bridge, core, wait_seconds=0.05)
        port = await edge.start("127.0.0.1:0", [Service(wire.DESCRIPTOR.services_by_name["Work"], servicer)])
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = await getattr(WorkStub(channel), method)(request or wire.ClaimRequest(worker_id="idle"))
        await edge.stop(0)
        return answer

    return asyncio.run(ask())


def test_a_worker_without_work_is_told_so_after_a_while(face):
    """The answer has no set, and the worker asks again."""
    assert 0 == ask_once(face.server.pps).set_id


def test_a_claim_that_is_made_as_the_wait_ends_is_not_lost(face):
    """It is answered, though the time was over before it was there."""
    face.create()
    claims = face.server.pps.claims

    def claim(worker: str) -> Claim | None:
        threading.Event().wait(0.2)  # four times as long as a worker may wait
        return claims.claim(worker)

    answer = ask_once(SimpleNamespace(claims=SimpleNamespace(claim=claim)))

    assert 0 < answer.set_id


def test_a_lost_claim_is_answered_aborted(face):
    """To whatever is sent under it: renewing and results."""
    face.create()
    claim = face.worker.claim()

    stale = wire.RenewClaimRequest(set_id=claim.set_id, fence=claim.fence - 1)
    with pytest.raises(grpc.RpcError) as renewed:
        face.worker.stub.RenewClaim(stale)
    claim.fence -= 1
    with pytest.raises(grpc.RpcError) as handed_in:
        face.worker.hand_in(claim, upper)

    assert [grpc.StatusCode.ABORTED] * 2 == [status(renewed), status(handed_in)]


def test_a_claim_is_renewed(face):
    """Without an error, as often as the worker likes."""
    face.create()
    claim = face.worker.claim()

    for _ in range(2):
        face.worker.stub.RenewClaim(wire.RenewClaimRequest(set_id=claim.set_id, fence=claim.fence))


def waiting_renewal(claim: wire.ClaimResponse, seconds: float = 600) -> wire.RenewClaimRequest:
    """A renewal that is answered when the claim is lost."""
    request = wire.RenewClaimRequest(set_id=claim.set_id, fence=claim.fence)
    request.wait.FromTimedelta(timedelta(seconds=seconds))
    return request


def test_whoever_waits_hears_of_the_end_of_the_job(face):
    """Without asking again: a worker ends user code when its job is stopped, not at its next renewal."""
    pipeline = face.create()
    claim = face.worker.claim()
    waiting = face.worker.stub.RenewClaim.future(waiting_renewal(claim), timeout=WAIT)
    with pytest.raises(grpc.FutureTimeoutError):
        waiting.result(0.1)

    face.pps.StopJob(pps.StopJobRequest(job=face.newest(pipeline)))

    with pytest.raises(grpc.RpcError) as lost:
        waiting.result(WAIT)
    assert grpc.StatusCode.ABORTED is status(lost)
    assert "JOB_KILLED" in lost.value.details()


def test_a_renewal_does_not_wait_for_ever(face):
    """The server answers before a proxy cuts the connection, and the worker asks again."""
    face.create()
    claim = face.worker.claim()

    assert wire.RenewClaimResponse() == ask_once(face.server.pps, "RenewClaim", waiting_renewal(claim))


@pytest.mark.parametrize(
    "call",
    [
        lambda stub: stub.Claim(wire.ClaimRequest()),
        lambda stub: stub.AppendLogs(wire.AppendLogsRequest(worker_id="w")),
        lambda stub: stub.HandInResults(wire.HandInResultsRequest(results=[wire.DatumResult(datum_id="d")])),
    ],
    ids=["a claim without a name", "lines of no job", "a result without an outcome"],
)
def test_a_worker_that_says_nonsense_is_told(face, call):
    """The call is wrong, whatever the state."""
    with pytest.raises(grpc.RpcError) as error:
        call(face.worker.stub)

    assert grpc.StatusCode.INVALID_ARGUMENT == status(error)


def test_a_failed_datum_is_found_by_its_state(face):
    """Its state, its files, and the job's reason that names it."""
    face.put({"/x": b"bad"})
    pipeline = face.create()

    info = face.run(face.newest(pipeline))
    failed = pps.ListDatumRequest(job=info.job, filter=pps.ListDatumRequest.Filter(state=[pps.FAILED]))
    [datum] = face.pps.ListDatum(failed)
    one = face.pps.InspectDatum(pps.InspectDatumRequest(datum=datum.datum))

    assert (pps.JOB_FAILURE, 2, 1) == (info.state, info.data_processed, info.data_failed)
    assert datum.datum.id in info.reason
    assert ["/x"] == [part.file.path for part in datum.data]
    assert (datum.datum, pps.FAILED) == (one.datum, one.state)
    assert one.HasField("pfs_state")


def test_datums_are_listed_in_pages(face):
    """By id; the marker is the last one seen; backwards too."""
    face.put({f"/{n}": b"x" for n in range(5)})
    info = face.run(face.newest(face.create()))

    everything = [one.datum.id for one in face.pps.ListDatum(pps.ListDatumRequest(job=info.job))]
    first = [one.datum.id for one in face.pps.ListDatum(pps.ListDatumRequest(job=info.job, number=3))]
    rest = pps.ListDatumRequest(job=info.job, paginationMarker=first[-1])

    assert 7 == len(everything)
    assert sorted(everything) == everything
    assert everything[:3] == first
    assert everything[3:] == [one.datum.id for one in face.pps.ListDatum(rest)]


def test_datums_of_an_input_need_no_pipeline(face):
    """Their state is unknown, and they belong to no job."""
    tried = pps.Input(pfs=pps.PFSInput(repo="words", glob="/*"))

    datums = list(face.pps.ListDatum(pps.ListDatumRequest(input=tried)))

    assert {"/a", "/b"} == {one.data[0].file.path for one in datums}
    assert {pps.UNKNOWN} == {one.state for one in datums}


def test_an_existing_pipeline_is_only_updated_when_asked(face):
    """Once more: ALREADY_EXISTS; with update: the next version, which is kept beside the old one."""
    pipeline = face.create()
    with pytest.raises(grpc.RpcError) as error:
        face.create()
    face.create(update=True, transform=pps.Transform(cmd=["-v"]))

    new = face.pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pipeline, details=True))
    back = pps.InspectPipelineRequest(pipeline=pps.Pipeline(name="upper^1"), details=True)
    old = face.pps.InspectPipeline(back)
    history = pps.ListPipelineRequest(pipeline=pipeline, history=-1)

    assert grpc.StatusCode.ALREADY_EXISTS == status(error)
    assert error.value.details().startswith('pipeline "default/upper" already exists')
    assert (2, ["upper", "-v"]) == (new.version, list(new.details.transform.cmd))
    assert (1, ["upper"]) == (old.version, list(old.details.transform.cmd))
    assert [2, 1] == [info.version for info in face.pps.ListPipeline(history)]


def test_a_spec_as_text_is_strict_and_is_kept_as_it_was_written(face):
    """An unknown field is named; the answer is the effective spec; a dry run makes nothing."""
    text = (
        '{"pipeline": {"name": "lower"}, "transform": {"cmd": ["l"]}, "input": {"pfs": {"repo": "words", "glob": "*"}}}'
    )
    with pytest.raises(grpc.RpcError) as error:
        face.pps.CreatePipelineV2(
            pps.CreatePipelineV2Request(create_pipeline_request_json=text.replace("transform", "transfrom"))
        )
    dry = face.pps.CreatePipelineV2(pps.CreatePipelineV2Request(create_pipeline_request_json=text, dry_run=True))
    none = list(face.pps.ListPipeline(pps.ListPipelineRequest()))
    face.pps.CreatePipelineV2(pps.CreatePipelineV2Request(create_pipeline_request_json=text))
    [info] = face.pps.ListPipeline(pps.ListPipelineRequest())

    assert grpc.StatusCode.INVALID_ARGUMENT == status(error)
    assert "transfrom" in error.value.details()
    assert "/*" == json.loads(dry.effective_create_pipeline_request_json)["input"]["pfs"]["glob"]
    assert [] == none
    assert text == info.user_spec_json
    assert dry.effective_create_pipeline_request_json == info.effective_spec_json
    assert info.details.HasField("transform")


@pytest.mark.parametrize(
    ("call", "code", "text"),
    [
        (
            lambda face: face.pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pps.Pipeline(name="no"))),
            grpc.StatusCode.NOT_FOUND,
            'pipeline "default/no" not found',
        ),
        (
            lambda face: list(face.pps.ListPipeline(pps.ListPipelineRequest(pipeline=pps.Pipeline(name="no")))),
            grpc.StatusCode.NOT_FOUND,
            'pipeline "default/no" not found',
        ),
        (
            lambda face: face.pps.InspectJob(
                pps.InspectJobRequest(job=pps.Job(pipeline=pps.Pipeline(name="no"), id="0" * 12 + "4" + "0" * 19))
            ),
            grpc.StatusCode.NOT_FOUND,
            "job default/no@",
        ),
        (
            lambda face: face.pps.InspectPipeline(pps.InspectPipelineRequest()),
            grpc.StatusCode.INVALID_ARGUMENT,
            "validate request",
        ),
        (
            lambda face: face.pps.StopPipeline(
                pps.StopPipelineRequest(pipeline=pps.Pipeline(name="no"), must_exist=True)
            ),
            grpc.StatusCode.NOT_FOUND,
            'pipeline "default/no" not found',
        ),
        (
            lambda face: list(face.pps.ListJob(pps.ListJobRequest(jqFilter=".state =="))),
            grpc.StatusCode.INVALID_ARGUMENT,
            "jq filter (.state ==) invalid",
        ),
        (
            lambda face: list(face.pps.ListDatum(pps.ListDatumRequest())),
            grpc.StatusCode.INVALID_ARGUMENT,
            "must specify a job",
        ),
        (
            lambda face: list(face.pps.GetLogs(pps.GetLogsRequest(tail=-1))),
            grpc.StatusCode.INVALID_ARGUMENT,
            "tail is -1",
        ),
        (
            lambda face: face.pps.RunCron(pps.RunCronRequest(pipeline=pps.Pipeline(name="no"))),
            grpc.StatusCode.NOT_FOUND,
            'pipeline "default/no" not found',
        ),
    ],
)
def test_errors_have_the_code_and_text_that_clients_know(face, call, code, text):
    """The text begins with what the protocol says; NOT_FOUND is what `…_exists` helpers ask for."""
    with pytest.raises(grpc.RpcError) as error:
        call(face)

    assert code == status(error)
    assert text in error.value.details()


def test_what_does_not_exist_can_be_stopped_and_deleted(face):
    """Unless the caller says that it must exist."""
    absent = pps.Pipeline(name="no")

    face.pps.StopPipeline(pps.StopPipelineRequest(pipeline=absent))
    face.pps.DeletePipeline(pps.DeletePipelineRequest(pipeline=absent))


def test_a_stopped_pipeline_says_so_and_starts_again(face):
    """Its jobs are killed, and the next one comes with its start."""
    pipeline = face.create()
    first = face.newest(pipeline)
    face.pps.StopPipeline(pps.StopPipelineRequest(pipeline=pipeline))
    stopped = face.pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pipeline))
    killed = face.ended(first)
    face.pps.StartPipeline(pps.StartPipelineRequest(pipeline=pipeline))

    info = face.run(face.newest(pipeline))

    assert (True, pps.PIPELINE_PAUSED) == (stopped.stopped, stopped.state)
    assert pps.JOB_KILLED == killed.state
    assert pps.JOB_SUCCESS == info.state
    assert first.id != info.job.id


def test_a_stopped_job_is_killed_and_may_be_stopped_again(face):
    """Whoever waits for it is told."""
    job = face.newest(face.create())

    face.pps.StopJob(pps.StopJobRequest(job=job, reason="enough"))
    info = face.ended(job)
    face.pps.StopJob(pps.StopJobRequest(job=job))

    assert pps.JOB_KILLED == info.state
    assert "enough" in info.reason


def test_a_deleted_job_is_gone(face):
    """Also for those that wait for it: they are told, and wait no longer."""
    job = face.newest(face.create())
    waiting = face.pps.InspectJob.future(pps.InspectJobRequest(job=job, wait=True), timeout=WAIT)
    face.pps.DeleteJob(pps.DeleteJobRequest(job=job))

    with pytest.raises(grpc.RpcError):
        waiting.result()
    with pytest.raises(grpc.RpcError) as error:
        face.pps.InspectJob(pps.InspectJobRequest(job=job))

    assert grpc.StatusCode.NOT_FOUND == status(error)


def test_jobs_are_listed_newest_first_in_pages(face):
    """The marker is the time of the last one seen; backwards is oldest first; counts bound the answer."""
    pipeline = face.create()
    face.put({"/c": b"c"})
    face.put({"/d": b"d"})

    def listed(**fields):
        """What does not change while they are planned."""
        return [(info.job.id, info.created) for info in face.pps.ListJob(pps.ListJobRequest(**fields))]

    jobs = listed(pipeline=pipeline)

    assert 3 == len(jobs)
    assert jobs[:1] == listed(pipeline=pipeline, number=1)
    assert jobs[1:] == listed(pipeline=pipeline, paginationMarker=jobs[0][1])
    assert jobs[::-1] == listed(pipeline=pipeline, reverse=True)
    assert jobs == listed()
    assert [] == listed(projects=[pfs.Project(name="other")])


def test_jobs_of_an_input_commit_are_listed(face):
    """Only those that read it."""
    pipeline = face.create()
    commit_id = face.put({"/c": b"c"})

    wanted = pps.ListJobRequest(pipeline=pipeline, input_commit=[pfs.Commit(repo=WORDS, id=commit_id)])

    assert [commit_id] == [info.job.id for info in face.pps.ListJob(wanted)]


def test_the_jobs_of_a_set_come_in_the_order_of_the_pipelines(face):
    """Each once it has ended."""
    face.create("upper")
    request = pps.CreatePipelineRequest(pipeline=pps.Pipeline(name="again"), transform=pps.Transform(cmd=["again"]))
    request.input.pfs.repo, request.input.pfs.glob = "upper", "/*"
    face.pps.CreatePipeline(request)
    set_id = face.put({"/c": b"c"})

    with face.worker.working(upper):
        wanted = pps.InspectJobSetRequest(job_set=pps.JobSet(id=set_id), wait=True)
        jobs = list(face.pps.InspectJobSet(wanted, timeout=WAIT))
    newest = next(iter(face.pps.ListJobSet(pps.ListJobSetRequest(number=1))))

    assert ["upper", "again"] == [info.job.pipeline.name for info in jobs]
    assert {pps.JOB_SUCCESS} == {info.state for info in jobs}
    assert (set_id, 2) == (newest.job_set.id, len(newest.jobs))


def test_subscribers_hear_of_each_job_until_it_has_ended(face):
    """First what is open, then what comes, with each change of state."""
    pipeline = face.create()
    stream = face.pps.SubscribeJob(pps.SubscribeJobRequest(pipeline=pipeline), timeout=WAIT)
    first = next(stream)
    with face.worker.working(upper):
        seen = [first]
        while seen[-1].state != pps.JOB_SUCCESS:
            seen.append(next(stream))
    commit_id = face.put({"/c": b"c"})
    after = next(stream)
    stream.cancel()

    assert {first.job.id} == {info.job.id for info in seen}
    assert commit_id == after.job.id


def line(text: str, datum: str = "", user: bool = True) -> wire.LogLine:
    return wire.LogLine(at=timestamp(datetime.now(UTC)), datum_id=datum, user=user, message=text)


def test_lines_of_a_worker_are_read_by_pipeline_job_and_datum(face):
    """In their order, with who said them; the last ones alone if asked."""
    pipeline = face.create()
    job, datum = face.newest(pipeline), "d" * 32
    lines = [line("started", datum, user=False), line("one", datum), line("two", "e" * 32)]
    face.worker.stub.AppendLogs(wire.AppendLogsRequest(job=job, worker_id="w1", lines=lines))

    def read(**wanted: object) -> list[str]:
        messages = face.pps.GetLogs(pps.GetLogsRequest(**wanted))
        return [one.message for one in messages if one.worker_id == "w1"]

    assert ["started", "one", "two"] == read(job=job) == read(pipeline=pipeline)
    assert ["started", "one"] == read(job=job, datum=pps.Datum(job=job, id=datum))
    assert ["two"] == read(job=job, tail=1)


def test_a_followed_log_goes_on_with_what_comes(face):
    """What was there comes first, and the stream stays open."""
    pipeline = face.create()
    job = face.newest(pipeline)
    face.worker.stub.AppendLogs(wire.AppendLogsRequest(job=job, worker_id="w1", lines=[line("one")]))

    for wanted in (pps.GetLogsRequest(job=job, follow=True), pps.GetLogsRequest(pipeline=pipeline, follow=True)):
        stream = (one.message for one in face.pps.GetLogs(wanted, timeout=WAIT) if one.user)
        assert "one" == next(stream)
    face.worker.stub.AppendLogs(wire.AppendLogsRequest(job=job, worker_id="w1", lines=[line("two")]))

    assert "two" == next(stream)


def test_the_logs_of_a_cluster_are_empty(face):
    """Clients take an empty stream as nothing to tell."""
    assert [] == list(face.pps.GetKubeEvents(pps.LokiRequest()))
    assert [] == list(face.pps.QueryLoki(pps.LokiRequest(query="{}")))


def test_an_output_file_tells_where_it_came_from(face):
    """Datum, job, code and the input file."""
    info = face.run(face.newest(face.create()))
    file = pfs.File(commit=info.output_commit, path="/a")

    found = face.lake.InspectProvenance(wire.InspectProvenanceRequest(file=file))

    assert (info.job, 1, ["upper"]) == (found.job, found.pipeline_version, list(found.cmd))
    assert ("/a", 5) == (found.file.file.path, found.file.size_bytes)
    assert [("words", "/a", 5)] == [(one.name, one.file.file.path, one.file.size_bytes) for one in found.inputs]
    assert 32 == len(found.datum_id)


def test_a_file_that_somebody_put_has_no_such_origin(face):
    """The answer says that no pipeline made it."""
    commit = pfs.Commit(repo=WORDS, branch=pfs.Branch(repo=WORDS, name="master"))
    request = wire.InspectProvenanceRequest(file=pfs.File(commit=commit, path="/a"))

    with pytest.raises(grpc.RpcError) as error:
        face.lake.InspectProvenance(request)

    assert status(error) in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)


def test_pipelines_are_deleted_each_after_those_that_read_it(face):
    """Of a project, or all of them."""
    face.create("upper")
    request = pps.CreatePipelineRequest(pipeline=pps.Pipeline(name="again"), transform=pps.Transform(cmd=["again"]))
    request.input.pfs.repo, request.input.pfs.glob = "upper", "/*"
    face.pps.CreatePipeline(request)

    gone = face.pps.DeletePipelines(pps.DeletePipelinesRequest(projects=[pfs.Project(name="default")]))

    assert {"upper", "again"} == {one.name for one in gone.pipelines}
    assert [] == list(face.pps.ListPipeline(pps.ListPipelineRequest()))

# SPDX-License-Identifier: Apache-2.0
"""`logs.API`, and the logs of `pps_v2.API`: whose lines each query means, and how pages of them hang together."""

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from howdah.client import Client
from howdah.model.logs import LogLevel
from howdah.pps.infos import LogLine
from howdah.testing.server import running_server
from howdah.wire.convert import timestamp
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import logs_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs.howdah_v1_pb2_grpc import LogsStub, WorkStub
from howdah.wire.stubs.logs_pb2_grpc import APIStub
from tests.apis.wired import Wire

WAIT = 20.0  # seconds; reached only by a failing test
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
NO_ID = "0123456789ab4000a000000000000000"


class Told:
    """A server with a job of ten datums' lines, a second apart; half of them moved into objects."""

    def __init__(self, server):
        self.wire = Wire(server)
        self.stub = APIStub(self.wire.channel)
        self.logs = server.pps.logs
        repo = self.wire.repo()
        self.wire.put(self.wire.branch(repo), {"/a": b"1"})
        self.pipeline = self.wire.pipeline(repo)
        self.job = next(iter(self.wire.pps.ListJob(pps.ListJobRequest(pipeline=self.pipeline)))).job
        self.number = 0
        self.say(*[f"line {number}" for number in range(5)])
        self.logs.mover.move(everything=True)
        self.say(*[f"line {number}" for number in range(5, 9)], '{"level": "error", "n": 9}')
        self.say("datum d9 failed", user=False)
        self.logs.append_own([LogLine(BEGIN, "howdah.server.app: serving")])

    def say(self, *texts, user=True):
        [job] = [info.job for info in self.server_jobs()]
        lines = []
        for text in texts:
            at = BEGIN + timedelta(seconds=self.number)
            lines.append(LogLine(at, text, user, f"d{self.number}"))
            self.number += 1
        self.logs.append(job, "w1", lines)

    def server_jobs(self):
        return [info for info in self.wire.server.pps.jobs.list() if info.job.id == self.job.id]

    def ask(self, only=None, want_paging_hint=False, **query):
        kind = query or {"user": pb.UserLogQuery(job=self.job.id)}
        request = pb.GetLogsRequest(query=pb.LogQuery(**kind), filter=only, want_paging_hint=want_paging_hint)
        return list(self.stub.GetLogs(request, timeout=WAIT))

    def lines(self, only=None, **query):
        return [one.log.verbatim.line.decode() for one in self.ask(only, **query)]

    def users(self, **query):
        """What user code printed."""
        return self.lines(pb.LogFilter(user_logs_only=True), user=pb.UserLogQuery(**query))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture(scope="module")
def told(server):
    return Told(server)


ALL = [f"line {number}" for number in range(9)] + ['{"level": "error", "n": 9}']


def of(told, **fields):
    return pb.PipelineLogQuery(project="default", pipeline=told.pipeline.name, **fields)


def test_each_query_of_a_user_means_somebody(told):
    """Seven ways to say whose lines."""
    job = told.job.id

    assert ALL == told.users(project="default") == told.users(pipeline=of(told)) == told.users(job=job)
    assert ALL == told.users(pipeline_job=pb.PipelineJobLogQuery(pipeline=of(told), job=job))
    assert ["line 3"] == told.users(datum="d3")
    assert ["line 3"] == told.users(job_datum=pb.JobDatumLogQuery(job=job, datum="d3"))
    assert ["line 7"] == told.users(pipeline_datum=pb.PipelineDatumLogQuery(pipeline=of(told), datum="d7"))


def test_each_query_of_an_admin_means_somebody(told):
    """A pod is a worker or the server, a master the scheduler, a storage container the worker's own part."""

    def ask(**fields):
        return told.lines(admin=pb.AdminLogQuery(**fields))

    assert [*ALL, "datum d9 failed"] == ask(pod="w1") == ask(pod_container=pb.PodContainer(pod="w1"))
    assert ALL == ask(pod_container=pb.PodContainer(pod="w1", container="user"))
    assert ["datum d9 failed"] == ask(storage=of(told))
    assert ALL == [line for line in ask(user=pb.UserLogQuery(job=told.job.id)) if line in ALL]
    assert not set(ALL) & set(ask(master=of(told)))
    assert ["howdah.server.app: serving"] == ask(app="pachd") == ask(pod="server")
    assert {*ALL, "datum d9 failed"} <= set(ask(app="pipeline"))


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({"admin": pb.AdminLogQuery(logql="{}")}, grpc.StatusCode.UNIMPLEMENTED, "logql"),
        ({"admin": pb.AdminLogQuery(app="etcd")}, grpc.StatusCode.INVALID_ARGUMENT, "app etcd"),
        ({"admin": pb.AdminLogQuery()}, grpc.StatusCode.INVALID_ARGUMENT, "must say whose"),
        ({"user": pb.UserLogQuery()}, grpc.StatusCode.INVALID_ARGUMENT, "must name"),
        ({"user": pb.UserLogQuery(job="x")}, grpc.StatusCode.INVALID_ARGUMENT, "x"),
        ({"user": pb.UserLogQuery(job=NO_ID)}, grpc.StatusCode.NOT_FOUND, "not found"),
        (
            {"user": pb.UserLogQuery(pipeline=pb.PipelineLogQuery(pipeline="nope"))},
            grpc.StatusCode.NOT_FOUND,
            'pipeline "default/nope" not found',
        ),
        ({"user": pb.UserLogQuery(project="nope")}, grpc.StatusCode.NOT_FOUND, "nope"),
    ],
)
def test_a_query_that_means_nobody_is_refused(told, query, code, text):
    """What is asked for is said."""
    with pytest.raises(grpc.RpcError) as error:
        told.ask(**query)

    assert code == error.value.code()
    assert text in error.value.details()


def test_a_filter_lets_some_lines_pass(told):
    """By level, pattern and time."""
    user = pb.UserLogQuery(job=told.job.id)
    span = pb.TimeRangeLogFilter(until=timestamp(BEGIN + timedelta(seconds=3)))
    getattr(span, "from").CopyFrom(timestamp(BEGIN + timedelta(seconds=1)))
    regex = pb.RegexLogFilter(pattern="line|planned|ended", negate=True)

    assert [ALL[9]] == told.lines(pb.LogFilter(level=pb.LOG_LEVEL_ERROR), user=user)
    assert ["line 1", "line 2", "line 3"] == told.lines(pb.LogFilter(time_range=span), user=user)
    assert [ALL[9], "datum d9 failed"] == told.lines(pb.LogFilter(regex=regex), user=user)


def test_a_line_has_all_its_forms(told):
    """Verbatim, as an object if it is one, and as the older service has it; the server's own has no such form."""
    *_, last = told.ask(pb.LogFilter(user_logs_only=True))
    [own] = told.ask(admin=pb.AdminLogQuery(app="pachd"))

    assert (b'{"level": "error", "n": 9}', 9.0) == (last.log.verbatim.line, last.log.object["n"])
    assert last.log.native_timestamp == last.log.verbatim.timestamp == last.log.pps_log_message.ts
    assert ("w1", "d9", True) == (
        last.log.pps_log_message.worker_id,
        last.log.pps_log_message.datum_id,
        last.log.pps_log_message.user,
    )
    assert not own.log.HasField("pps_log_message")


def test_hints_lead_through_all_pages_and_back(told):
    """Each line once in either direction."""
    span = pb.TimeRangeLogFilter()
    getattr(span, "from").CopyFrom(timestamp(BEGIN + timedelta(seconds=4)))
    query = pb.LogQuery(user=pb.UserLogQuery(job=told.job.id))
    only = pb.LogFilter(time_range=span, limit=2, user_logs_only=True)
    request = pb.GetLogsRequest(query=query, filter=only, want_paging_hint=True)

    def walk(request, side):
        seen = []
        while True:
            *lines, hint = told.stub.GetLogs(request, timeout=WAIT)
            if not lines:
                return seen
            seen += [one.log.verbatim.line.decode() for one in lines]
            request = getattr(hint.paging_hint, side)

    *first, hint = told.stub.GetLogs(request, timeout=WAIT)
    assert ["line 4", "line 5"] == [one.log.verbatim.line.decode() for one in first]
    assert ALL[4:] == walk(request, "newer")
    assert ALL[3::-1] == walk(hint.paging_hint.older, "older")
    newest = pb.GetLogsRequest()
    newest.CopyFrom(request)
    getattr(newest.filter.time_range, "from").CopyFrom(timestamp(BEGIN + timedelta(minutes=5)))
    newest.filter.time_range.until.CopyFrom(Timestamp())
    assert ALL[::-1] == walk(newest, "older")
    *_, hint = told.stub.GetLogs(newest, timeout=WAIT)
    assert [] == walk(hint.paging_hint.newer, "newer")


def test_a_followed_log_goes_on_until_its_limit(told):
    """Lines of yet another job of the pipeline come by themselves."""
    query = pb.LogQuery(user=pb.UserLogQuery(datum="later"))
    stream = told.stub.GetLogs(pb.GetLogsRequest(query=query, filter=pb.LogFilter(limit=2), tail=True), timeout=WAIT)
    [job] = [info.job for info in told.server_jobs()]
    for text in ("first", "second", "third"):
        told.logs.append(job, "w9", [LogLine(datetime.now(UTC), text, True, "later")])

    assert ["first", "second"] == [one.log.verbatim.line.decode() for one in stream]


ENDS = pb.LogFilter(time_range=pb.TimeRangeLogFilter(until=Timestamp(seconds=1)))


@pytest.mark.parametrize("fields", [{"want_paging_hint": True}, {"filter": ENDS}])
def test_a_followed_log_has_no_end_and_no_pages(told, fields):
    """Both together mean nothing."""
    request = pb.GetLogsRequest(query=pb.LogQuery(user=pb.UserLogQuery(project="default")), tail=True, **fields)

    with pytest.raises(grpc.RpcError) as error:
        list(told.stub.GetLogs(request, timeout=WAIT))

    assert grpc.StatusCode.INVALID_ARGUMENT == error.value.code()


def test_the_older_service_has_the_masters_lines_or_all_others(told):
    """Of a job or a pipeline, of datums by their files, and of the server itself."""

    def ask(**fields):
        return list(told.wire.pps.GetLogs(pps.GetLogsRequest(**fields), timeout=WAIT))

    others, masters = ask(job=told.job), ask(job=told.job, master=True)
    assert [*ALL, "datum d9 failed"] == [one.message for one in others if one.worker_id == "w1"]
    assert {False} == {one.master for one in others}
    assert {True} == {one.master for one in masters} or not masters
    assert [] == ask(job=told.job, data_filters=["/nothing"])
    assert ["line 3"] == [one.message for one in ask(datum=pps.Datum(id="d3"))]
    assert ["howdah.server.app: serving"] == [one.message for one in ask()]
    assert "line 3" not in [one.message for one in ask(pipeline=told.pipeline, since={"seconds": 60})]


def test_lines_of_workers_have_levels(told):
    """As the worker says, or the line."""
    line = hd.LogLine(at=timestamp(BEGIN), message="broken", datum_id="levels", level=pb.LOG_LEVEL_ERROR)
    WorkStub(told.wire.channel).AppendLogs(hd.AppendLogsRequest(job=told.job, worker_id="w2", lines=[line]))
    request = hd.ReadLogsRequest(job=told.job, datum_id="levels", level=pb.LOG_LEVEL_ERROR)

    [found] = LogsStub(told.wire.channel).ReadLogs(request, timeout=WAIT)

    assert ("broken", LogLevel.ERROR, "w2") == (found.line.message, found.level, found.line.worker_id)


def test_who_asks_for_lines_that_are_gone_is_told(told):
    """By each service in its way; who asks for the last lines alone, or for those of later, is not."""
    told.logs.mover.move(everything=True)
    lines = told.logs.mover.drop(bytes_max=1)
    job = pps.Job(pipeline=told.pipeline, id=told.job.id)
    gone = []

    with Client(told.wire.server.grpc_address) as client:
        left = list(client.logs(job=f"{told.pipeline.name}@{job.id}", on_dropped=gone.append))
    [said] = told.wire.pps.GetLogs(pps.GetLogsRequest(job=job), timeout=WAIT)

    assert ([], 1) == (left, len(gone))
    assert 0 < gone[0].dropped_lines < lines
    assert said.message.startswith(f"{gone[0].dropped_lines} lines until ")
    assert [] == list(told.wire.pps.GetLogs(pps.GetLogsRequest(job=job, tail=5), timeout=WAIT))

# SPDX-License-Identifier: Apache-2.0
"""Random messages to every method that is served, over gRPC and as JSON: no crash, no hang, no error without a text.

The short run is the same each time; `-m full` runs longer, and differently each time.
"""

import http.client
import json
import logging
from contextlib import suppress
from urllib.parse import urlsplit

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from howdah.apis.grpc.options import CHANNEL_OPTIONS
from howdah.testing.server import running_server
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs.pfs_v2_pb2_grpc import APIStub as PfsStub
from howdah.wire.stubs.pps_v2_pb2_grpc import APIStub as PpsStub
from tests.apis.not_yet import SERVED, name_of
from tests.fuzz.messages import any_message

WAIT = 20.0  # seconds; reached only when a call hangs
SHORT = 0.2  # for calls that may wait for ever because they were asked to
MESSAGES_MAX = 50

# Calls that wait if they are asked to: their deadline is no hang.
WAITING = {
    "grpc.health.v1.Health/Watch",
    "howdah.v1.Jobs/InspectJob",
    "howdah.v1.Jobs/InspectJobSet",
    "howdah.v1.Jobs/SubscribeJob",
    "howdah.v1.Logs/ReadLogs",
    "howdah.v1.Upkeep/Check",  # at the rate that it is given
    "howdah.v1.Work/Claim",
    "pfs_v2.API/InspectCommit",
    "pfs_v2.API/InspectCommitSet",
    "pfs_v2.API/SubscribeCommit",
    "pps_v2.API/GetLogs",
    "pps_v2.API/InspectJob",
    "pps_v2.API/InspectJobSet",
    "pps_v2.API/SubscribeJob",
}

# The codes that mean a defect.
DEFECTS = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}

ANY_SPEED = {"deadline": None, "suppress_health_check": list(HealthCheck)}
SHORT_RUN = settings(max_examples=6, derandomize=True, database=None, **ANY_SPEED)
FULL_RUN = settings(max_examples=60, **ANY_SPEED)
FULL_RUN_OF_WAITING = settings(max_examples=20, **ANY_SPEED)

EACH_METHOD = pytest.mark.parametrize("method", SERVED, ids=name_of)


class World:
    """A server with a repo, a commit and a pipeline, and both ways to call it."""

    def __init__(self, server, channel):
        self.server = server
        self.channel = channel
        self.pfs, self.pps = PfsStub(channel), PpsStub(channel)

    def restore(self):
        """Make again what random calls may have taken away."""
        repo = pfs.Repo(name="words", type="user")
        pipeline = pps.CreatePipelineRequest(
            pipeline=pps.Pipeline(name="out"),
            input=pps.Input(pfs=pps.PFSInput(repo="words", glob="/*")),
            transform=pps.Transform(cmd=["true"]),
        )
        target = pfs.Commit(branch=pfs.Branch(repo=repo, name="master"))
        put = pfs.AddFile(path="/a")
        put.raw.value = b"x"
        for call in (
            lambda: self.pfs.CreateRepo(pfs.CreateRepoRequest(repo=repo), timeout=WAIT),
            lambda: self.pps.CreatePipeline(pipeline, timeout=WAIT),
            lambda: self.pfs.ModifyFile(
                iter([pfs.ModifyFileRequest(set_commit=target), pfs.ModifyFileRequest(add_file=put)]), timeout=WAIT
            ),
        ):
            with suppress(grpc.RpcError):
                call()

    def over_grpc(self, method, requests, seconds):
        """Code and text of a call."""
        shape = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
        call = getattr(self.channel, shape)(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        try:
            answer = call(iter(requests) if method.client_streaming else requests[0], timeout=seconds)
            if method.server_streaming:
                for _, _ in zip(range(MESSAGES_MAX), answer, strict=False):
                    pass
                answer.cancel()
        except grpc.RpcError as error:
            return error.code(), error.details()
        return grpc.StatusCode.OK, ""

    def over_http(self, method, lines, seconds):
        """The same from the JSON of the messages."""
        address = urlsplit(self.server.http_address)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=WAIT)
        try:
            path = f"/api/{method.containing_service.full_name}/{method.name}"
            body = "\n".join(lines).encode()
            connection.request("POST", path, body, {"Grpc-Timeout": f"{round(seconds * 1000)}m"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        last = json.loads(text.splitlines()[-1]) if text.strip() else {}
        if answer.status != 200 or ("error" in last and method.server_streaming):
            error = last.get("error", last)
            code = next(each for each in grpc.StatusCode if each.value[0] == error["code"])
            return code, error["message"]
        return grpc.StatusCode.OK, ""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with (
        running_server(tmp_path_factory.mktemp("lake")) as server,
        grpc.insecure_channel(server.grpc_address, options=CHANNEL_OPTIONS) as channel,
    ):
        yield World(server, channel)


def check(method, outcome, logs, caplog):
    """What holds for the outcome of any call."""
    code, text = outcome
    assert code not in DEFECTS, f"{name_of(method)}: {text}"
    if code is not grpc.StatusCode.OK:
        assert text, f"{name_of(method)}: {code} without a text"
        assert "\n" not in text
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        assert name_of(method) in WAITING
    assert [] == [entry for entry in logs if entry["log_level"] in ("error", "critical")]
    assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def run(world, method, caplog, how):
    """A test's body: random requests to one method, by one of the ways to call it."""
    messages = any_message(method.input_type)
    world.restore()

    @how
    @given(st.lists(messages, max_size=4) if method.client_streaming else st.lists(messages, min_size=1, max_size=1))
    def calls(requests):
        seconds = SHORT if name_of(method) in WAITING else WAIT
        with capture_logs() as logs:
            outcome = world.over_grpc(method, requests, seconds)
        check(method, outcome, logs, caplog)
        with suppress(json_format.Error, TypeError, ValueError):  # not every message has a form in JSON
            lines = [json_format.MessageToJson(each, indent=None) for each in requests]
            with capture_logs() as logs:
                outcome = world.over_http(method, lines, seconds)
            check(method, outcome, logs, caplog)

    calls()


@EACH_METHOD
def test_random_messages_are_answered(world, method, caplog):
    """A few of them to each method."""
    run(world, method, caplog, SHORT_RUN)


@pytest.mark.full
@EACH_METHOD
def test_many_random_messages_are_answered(world, method, caplog):
    """The same, for a long time."""
    run(world, method, caplog, FULL_RUN_OF_WAITING if name_of(method) in WAITING else FULL_RUN)

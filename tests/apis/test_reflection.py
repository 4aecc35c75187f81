# SPDX-License-Identifier: Apache-2.0
"""Reflection and health: what tools learn of a server without knowing its protocol."""

import subprocess
import sys

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from howdah.testing.server import running_server
from howdah.wire.stubs import (
    health_v1_pb2,
    health_v1_pb2_grpc,
    reflection_v1_pb2,
    reflection_v1_pb2_grpc,
    reflection_v1alpha_pb2,
    reflection_v1alpha_pb2_grpc,
)
from tests.apis.not_yet import SERVED

WAIT = 30.0  # seconds; reached only by a failing test

VERSIONS = {
    "v1": (reflection_v1_pb2, reflection_v1_pb2_grpc),
    "v1alpha": (reflection_v1alpha_pb2, reflection_v1alpha_pb2_grpc),
}

# A foreign client needs a process of its own: it brings its own stubs of the same protocol.
CLIENT = """
import sys
import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

with grpc.insecure_channel(sys.argv[1]) as channel:
    database = ProtoReflectionDescriptorDatabase(channel)
    print(",".join(sorted(database.get_services())))
    pool = DescriptorPool(database)
    method = pool.FindServiceByName("pfs_v2.API").methods_by_name["ListProject"]
    request, answer = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    call = channel.unary_stream("/pfs_v2.API/ListProject", request.SerializeToString, answer.FromString)
    print([info.project.name for info in call(request())])
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.grpc_address) as opened:
        yield opened


@pytest.fixture(params=VERSIONS)
def ask(channel, request):
    """Asks questions of one version, given as fields; answers in their order."""
    messages, stubs = VERSIONS[request.param]
    stub = stubs.ServerReflectionStub(channel)

    def answers(*questions):
        requests = [messages.ServerReflectionRequest(**each) for each in questions]
        return list(stub.ServerReflectionInfo(iter(requests), timeout=WAIT))

    return answers


def services():
    """The full names of all services of which something is served."""
    return sorted({method.containing_service.full_name for method in SERVED})


def test_a_reflection_client_learns_the_protocol_and_calls(server):
    """The client of grpcio-reflection, which knows nothing of howdah."""
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, server.grpc_address], capture_output=True, text=True, timeout=WAIT, check=False
    )

    assert ("", [",".join(services()), "['default']"]) == (done.stderr, done.stdout.splitlines())


def test_every_service_is_listed(ask):
    """By its full name."""
    (answer,) = ask({"list_services": ""})

    assert services() == [each.name for each in answer.list_services_response.service]


@pytest.mark.parametrize(
    "symbol",
    [
        "pfs_v2.API",
        "pfs_v2.API.CreateRepo",
        "pfs_v2.CommitInfo",
        "pfs_v2.CommitInfo.commit",
        "pfs_v2.AddFile.source",
        "pfs_v2.AddFile.URLSource",
        "pfs_v2.OriginKind",
        "pfs_v2.AUTO",
        "pps_v2.JobState",
    ],
)
def test_a_symbol_leads_to_its_file_and_all_that_it_needs(ask, symbol):
    """It comes first; from the last to the first they load into an empty pool."""
    package = symbol.partition(".")[0]
    (answer,) = ask({"file_containing_symbol": symbol})
    files = answer.file_descriptor_response.file_descriptor_proto
    pool = descriptor_pool.DescriptorPool()
    for data in reversed(files):
        pool.AddSerializedFile(data)

    assert package == descriptor_pb2.FileDescriptorProto.FromString(files[0]).package
    assert package == pool.FindServiceByName(f"{package}.API").file.package


def test_a_file_is_found_by_its_name(ask):
    """The name that other files import it by."""
    (answer,) = ask({"file_by_filename": "howdah/wire/proto/versionpb_v2.proto"})

    files = answer.file_descriptor_response.file_descriptor_proto
    assert "versionpb_v2" == descriptor_pb2.FileDescriptorProto.FromString(files[0]).package


def test_what_is_not_there_is_an_answer_and_the_stream_goes_on(ask):
    """Each question has its answer, in order, with the question in it."""
    answers = ask(
        {"file_by_filename": "none.proto", "host": "here"},
        {"file_containing_symbol": "none.Symbol"},
        {"file_containing_extension": {"containing_type": "pfs_v2.Repo", "extension_number": 1}},
        {"all_extension_numbers_of_type": "none.Message"},
        {},
        {"all_extension_numbers_of_type": "pfs_v2.Repo"},
    )

    assert [5, 5, 5, 5, 3, 0] == [each.error_response.error_code for each in answers]
    assert ("here", "none.proto") == (answers[0].valid_host, answers[0].original_request.file_by_filename)
    assert "pfs_v2.Repo" == answers[-1].all_extension_numbers_response.base_type_name


def test_every_service_is_healthy(channel):
    """By `Check`, `Watch` and `List`; the empty name is the server as a whole."""
    health = health_v1_pb2_grpc.HealthStub(channel)
    serving = health_v1_pb2.HealthCheckResponse.SERVING

    listed = health.List(health_v1_pb2.HealthListRequest(), timeout=WAIT).statuses
    requests = [health_v1_pb2.HealthCheckRequest(service=name) for name in ("", *services())]

    assert ["", *services()] == sorted(listed)
    assert {serving} == {status.status for status in listed.values()}
    assert {serving} == {health.Check(each, timeout=WAIT).status for each in requests}
    assert {serving} == {next(health.Watch(each, timeout=WAIT)).status for each in requests}

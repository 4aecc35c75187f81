# SPDX-License-Identifier: Apache-2.0
"""What requests must bring: each rule by itself, and at both edges."""

import json
import urllib.error
import urllib.request

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from howdah.apis.protocol import PROTOCOL
from howdah.apis.required import RULES, check_required
from howdah.errors import BadRequest, ErrorKind
from howdah.testing.server import running_server
from howdah.wire.stubs import (
    auth_v2_pb2,
    debug_v2_pb2,
    identity_v2_pb2,
    metadata_pb2,
    pfs_v2_pb2,
    pps_v2_pb2,
    proxy_pb2,
    snapshot_pb2,
    taskapi_pb2,
    transaction_v2_pb2,
)
from tests.apis.not_yet import SERVED, name_of

WAIT = 10.0  # seconds; reached only by a failing test

LAKE = {"cluster": {}}
MODULES = (
    auth_v2_pb2,
    debug_v2_pb2,
    identity_v2_pb2,
    metadata_pb2,
    pfs_v2_pb2,
    pps_v2_pb2,
    proxy_pb2,
    snapshot_pb2,
    taskapi_pb2,
    transaction_v2_pb2,
)

# Where the empty message breaks another rule of its type, or none.
BROKEN = {
    "debug_v2.TraceRequest.duration": debug_v2_pb2.TraceRequest(duration=Duration(nanos=-1)),
    "metadata.Edit.op": metadata_pb2.Edit(**LAKE),
    "metadata.Edit.Replace.replacement": metadata_pb2.Edit.Replace(replacement={"": "x"}),
    "pps_v2.ContinueCreateDatumRequest.number": pps_v2_pb2.ContinueCreateDatumRequest(number=-1),
    "pps_v2.StartCreateDatumRequest.number": pps_v2_pb2.StartCreateDatumRequest(
        number=-1, input=pps_v2_pb2.Input(pfs=pps_v2_pb2.PFSInput(repo="a"))
    ),
    "snapshot.CreateSnapshotRequest.metadata": snapshot_pb2.CreateSnapshotRequest(metadata={"": "x"}),
}

# Requests that break a rule of a message inside of them.
NESTED = [
    ("pfs_v2.API/ModifyFile", pfs_v2_pb2.ModifyFileRequest(copy_file={"dst": "/a"}), "pfs_v2.CopyFile.src"),
    ("pfs_v2.API/CreateFileSet", pfs_v2_pb2.ModifyFileRequest(copy_file={"dst": "/a"}), "pfs_v2.CopyFile.src"),
    ("metadata.API/EditMetadata", metadata_pb2.EditMetadataRequest(edits=[{}]), "metadata.Edit.target"),
    ("metadata.API/EditMetadata", metadata_pb2.EditMetadataRequest(edits=[LAKE]), "metadata.Edit.op"),
    (
        "metadata.API/EditMetadata",
        metadata_pb2.EditMetadataRequest(edits=[{**LAKE, "replace": {"replacement": {"": "x"}}}]),
        "metadata.Edit.Replace.replacement",
    ),
    *(
        (
            "metadata.API/EditMetadata",
            metadata_pb2.EditMetadataRequest(edits=[{**LAKE, field: {}}]),
            f"metadata.Edit.{kind}.key",
        )
        for field, kind in {"add_key": "AddKey", "edit_key": "EditKey", "delete_key": "DeleteKey"}.items()
    ),
    ("pps_v2.API/InspectPipeline", pps_v2_pb2.InspectPipelineRequest(pipeline={}), "pps_v2.Pipeline.name"),
    ("pps_v2.API/ListPipeline", pps_v2_pb2.ListPipelineRequest(pipeline={}), "pps_v2.Pipeline.name"),
    ("pps_v2.API/InspectJob", pps_v2_pb2.InspectJobRequest(job={"pipeline": {}}), "pps_v2.Pipeline.name"),
    (
        "transaction_v2.API/BatchTransaction",
        transaction_v2_pb2.BatchTransactionRequest(requests=[{"delete_branch": {}}]),
        "pfs_v2.DeleteBranchRequest.branch",
    ),
]

# What the empty message of a method that is served breaks.
EMPTY = [
    (name_of(method), GetMessageClass(method.input_type)(), f"{method.input_type.full_name}.{rule.field}")
    for method in SERVED
    for rule in RULES.get(method.input_type.full_name, ())[:1]
]


def type_of(name):
    """The class of a message of the protocol, by its full name."""
    package = next(each for each in MODULES if name.startswith(f"{each.DESCRIPTOR.package}."))
    first, *inner = name.removeprefix(f"{package.DESCRIPTOR.package}.").split(".")
    descriptor = package.DESCRIPTOR.message_types_by_name[first]
    for each in inner:
        descriptor = descriptor.nested_types_by_name[each]
    return GetMessageClass(descriptor)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.mark.parametrize("name", [f"{message}.{rule.field}" for message, rules in RULES.items() for rule in rules])
def test_each_rule_refuses_what_breaks_it(name):
    """By its name in the protocol, in one line."""
    kind = type_of(name.rpartition(".")[0])

    with pytest.raises(BadRequest) as caught:
        check_required(BROKEN.get(name, kind()))

    assert ErrorKind.BAD_ARGUMENT is caught.value.kind
    assert caught.value.message.startswith(f"validate request: invalid {name}: ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "message",
    [
        debug_v2_pb2.TraceRequest(duration=Duration(nanos=1)),
        metadata_pb2.EditMetadataRequest(),
        metadata_pb2.EditMetadataRequest(edits=[{**LAKE, "replace": {}}]),
        pfs_v2_pb2.ModifyFileRequest(),
        pfs_v2_pb2.InspectProjectRequest(project={}),
        pps_v2_pb2.ContinueCreateDatumRequest(),
        pps_v2_pb2.ListPipelineRequest(),
        snapshot_pb2.DeleteSnapshotRequest(id=1),
    ],
    ids=lambda message: message.DESCRIPTOR.name,
)
def test_what_meets_the_rules_passes(message):
    """Also where the value is empty and only its presence is asked for."""
    assert check_required(message) is None


def test_every_rule_is_about_something_of_the_protocol():
    """A misspelt name would never apply."""
    fields = {
        name: {*type_of(name).DESCRIPTOR.fields_by_name, *type_of(name).DESCRIPTOR.oneofs_by_name} for name in RULES
    }

    assert [] == [
        f"{name}.{rule.field}" for name, rules in RULES.items() for rule in rules if rule.field not in fields[name]
    ]


@pytest.mark.parametrize(("name", "request_", "field"), [*EMPTY, *NESTED])
def test_a_request_without_it_is_refused_over_grpc(server, name, request_, field):
    """INVALID_ARGUMENT, whatever else is wrong with it."""
    with grpc.insecure_channel(server.grpc_address) as channel, pytest.raises(grpc.RpcError) as caught:
        next(channel.stream_stream(f"/{name}")(iter([request_.SerializeToString()]), timeout=WAIT))

    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
    assert caught.value.details().startswith(f"validate request: invalid {field}: ")


@pytest.mark.parametrize(("name", "request_", "field"), [*EMPTY, *NESTED])
def test_a_request_without_it_is_refused_over_http(server, name, request_, field):
    """The same, as JSON."""
    body = json.dumps(MessageToDict(request_)).encode()

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.http_address}/api/{name}", body, timeout=WAIT)

    assert 400 == caught.value.code
    assert json.load(caught.value)["message"].startswith(f"validate request: invalid {field}: ")


def test_what_nobody_serves_is_said_to_be_missing_first(server):
    """A rule does not hide that."""
    method = PROTOCOL["auth_v2.API"].methods_by_name["Authorize"]

    with grpc.insecure_channel(server.grpc_address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{name_of(method)}")(b"", timeout=WAIT)

    assert grpc.StatusCode.UNIMPLEMENTED is caught.value.code()

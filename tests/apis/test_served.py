# SPDX-License-Identifier: Apache-2.0
"""Each method of the protocol is served, or says clearly that it is not; `not_yet` is the list of those."""

import json
import urllib.request

import grpc
import pytest

from howdah.testing.server import running_server
from tests.apis.not_yet import METHODS, NOT_YET, is_served, name_of

WAIT = 10.0  # seconds; reached only by a failing test

# The services that have no method missing once the file side of the protocol is whole.
WHOLE = [
    "admin_v2.API",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "howdah.v1.Jobs",
    "howdah.v1.Lake",
    "howdah.v1.Logs",
    "howdah.v1.Upkeep",
    "howdah.v1.Work",
    "logs.API",
    "metadata.API",
    "pfs_v2.API",
    "storage.Fileset",
    "transaction_v2.API",
    "versionpb_v2.API",
]

# What logging in takes: while authentication is off, one text for all.
OF_AUTH = {"auth_v2.API", "identity_v2.API", "license_v2.API"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.grpc_address) as opened:
        yield opened


def test_the_list_of_what_is_not_there_is_true(server):
    """A method that gets served must leave the list, and one that goes away must enter it."""
    with urllib.request.urlopen(f"{server.http_address}/api/", timeout=WAIT) as answer:
        services = json.load(answer)["services"]
    told = {
        f"{service['name']}/{method['name']}": method["served"] for service in services for method in service["methods"]
    }

    assert {name_of(method): is_served(method) for method in METHODS} == told


def test_the_list_names_nothing_that_the_protocol_lacks():
    """A misspelt name on the list would hide a method that is missing."""
    named = {f"{service}/{name}" for service, names in NOT_YET.items() for name in names if name != "*"}

    assert set() == named - {name_of(method) for method in METHODS}
    assert set() == set(NOT_YET) - {method.containing_service.full_name for method in METHODS}


def test_nothing_is_missing_of_these_services():
    """They are whole."""
    assert [] == [name_of(m) for m in METHODS if m.containing_service.full_name in WHOLE and not is_served(m)]


@pytest.mark.parametrize("method", [each for each in METHODS if not is_served(each)], ids=name_of)
def test_a_method_that_is_not_served_says_so(channel, method):
    """UNIMPLEMENTED in one line that names it; nobody is sent to look for a version that has it."""
    call = channel.stream_stream(f"/{name_of(method)}")

    with pytest.raises(grpc.RpcError) as error:
        next(call(iter([b""]), timeout=WAIT))

    text = error.value.details()
    assert ("howdah-kind", "unsupported") in error.value.trailing_metadata()
    assert grpc.StatusCode.UNIMPLEMENTED == error.value.code()
    if method.containing_service.full_name in OF_AUTH:
        assert text.startswith("the auth service is not activated")
    else:
        assert text.startswith(f"method {method.name} of {method.containing_service.full_name} is not there yet")
    assert "update" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/pfs_v2.API/Nope", "is not in the protocol; check its name"),
        ("/howdah.v1.Lake/Nope", "is not known to howdah .*; update the server"),
        ("/nope.API/Nope", "service nope.API is not known to howdah"),
        ("/nope", "service nope is not known to howdah"),
    ],
)
def test_a_method_that_the_protocol_lacks_is_told_apart(channel, path, text):
    """Ours may be newer than this server; the others are misspelt."""
    with pytest.raises(grpc.RpcError, match=text) as error:
        channel.unary_unary(path)(b"", timeout=WAIT)

    assert grpc.StatusCode.UNIMPLEMENTED == error.value.code()


CALLS = ["pfs_v2.API/InspectRepo", "pfs_v2.API/ListRepo", "pfs_v2.API/ModifyFile"]


@pytest.mark.parametrize("name", [*CALLS, "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"])
def test_bytes_that_are_no_message_are_the_callers_error(channel, name):
    """Whatever the shape of the call."""
    with pytest.raises(grpc.RpcError, match="this is not a") as error:
        next(channel.stream_stream(f"/{name}")(iter([b"\xff\xff\xff"]), timeout=WAIT))

    assert grpc.StatusCode.INVALID_ARGUMENT == error.value.code()

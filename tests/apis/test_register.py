# SPDX-License-Identifier: Apache-2.0
"""Handlers made from a descriptor: what a servicer has is served, what it lacks is UNIMPLEMENTED."""

import types

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.wrappers_pb2 import BytesValue

from howdah.apis.grpc.register import service_handler, to_bytes


@pytest.fixture(scope="module")
def service() -> ServiceDescriptor:
    """A service of two methods, in a pool of its own."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(BytesValue.DESCRIPTOR.file.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="shapes.proto", package="shapes", dependency=["google/protobuf/wrappers.proto"], syntax="proto3"
    )
    api = file.service.add(name="API")
    value = ".google.protobuf.BytesValue"
    api.method.add(name="One", input_type=value, output_type=value)
    api.method.add(name="Many", input_type=value, output_type=value, server_streaming=True, client_streaming=True)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName("shapes.API")


def test_a_method_is_served_in_the_shape_that_its_descriptor_says(service: ServiceDescriptor) -> None:
    """Streaming flags and message classes come from the descriptor."""
    handler = service_handler(service, types.SimpleNamespace(One=print, Many=print))
    one, many = (handler.service(types.SimpleNamespace(method=f"/shapes.API/{name}")) for name in ("One", "Many"))

    assert (False, False) == (one.request_streaming, one.response_streaming)
    assert (True, True) == (many.request_streaming, many.response_streaming)
    assert b"abc" == one.request_deserializer(BytesValue(value=b"abc").SerializeToString()).value


def test_a_method_that_the_servicer_lacks_is_not_served(service: ServiceDescriptor) -> None:
    """gRPC answers UNIMPLEMENTED where no handler is found."""
    handler = service_handler(service, types.SimpleNamespace(One=print))

    assert handler.service(types.SimpleNamespace(method="/shapes.API/Many")) is None


def test_a_misspelt_method_is_refused(service: ServiceDescriptor) -> None:
    """A method that no client could call is found at start, not by a user."""
    with pytest.raises(ValueError, match="has no method Onne"):
        service_handler(service, types.SimpleNamespace(Onne=print))


def test_an_answer_may_be_serialised_already() -> None:
    """Bytes pass as they are; messages are serialised."""
    assert (b"\x0a\x01x", b"raw") == (to_bytes(BytesValue(value=b"x")), to_bytes(b"raw"))

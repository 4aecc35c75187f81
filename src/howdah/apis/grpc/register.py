# SPDX-License-Identifier: Apache-2.0
"""Make a service's handlers from its descriptor and a servicer object.

gRPC's generated registration serialises every answer on the event loop and demands every method. Here an
answer may be bytes that a thread has serialised already, and a method that the servicer does not have is
answered UNIMPLEMENTED by gRPC itself.
"""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

__all__ = ["bytes_value", "service_handler", "to_bytes"]


def service_handler(service: ServiceDescriptor, servicer: object) -> grpc.GenericRpcHandler:
    """A handler for the service's full name, with those of its methods that `servicer` has.

    Raises:
        ValueError: `servicer` has a public method that the service does not know; it would never be called.
    """
    unknown = [name for name in dir(servicer) if name[0].isupper() and name not in service.methods_by_name]
    if unknown:
        raise ValueError(f"service {service.full_name} has no method {', '.join(unknown)}; check the spelling")
    found = {name: getattr(servicer, name, None) for name in service.methods_by_name}
    return grpc.method_handlers_generic_handler(
        service.full_name,
        {name: _handler(service.methods_by_name[name], method) for name, method in found.items() if method is not None},
    )


def to_bytes(message: Message | bytes) -> bytes:
    """Serialise an answer; bytes are taken as serialised already."""
    return message if isinstance(message, bytes) else message.SerializeToString()


def bytes_value(data: bytes | memoryview) -> bytes:
    """A serialised `google.protobuf.BytesValue` of these bytes, with one copy instead of protobuf's two."""
    if not data:
        return b""
    head, size = bytearray(b"\x0a"), len(data)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return b"".join((head, data))


def _handler(method: MethodDescriptor, function: Callable[..., Any]) -> "grpc.RpcMethodHandler[Any, Any]":
    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = kinds[(method.client_streaming, method.server_streaming)]
    request = GetMessageClass(method.input_type)
    return make(function, request_deserializer=request.FromString, response_serializer=to_bytes)

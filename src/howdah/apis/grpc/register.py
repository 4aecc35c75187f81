# SPDX-License-Identifier: Apache-2.0
"""Make a service's handlers from its descriptor and a servicer object.

gRPC's generated registration serialises every answer on the event loop and demands every method. Here an
answer may be bytes that a thread has serialised already, bytes that are no message are the caller's error, as is a
message that lacks what it must bring (`apis.required`), and a method that the servicer does not have is left to whoever
is asked next (`unimplemented`).
"""

from collections.abc import Callable, Coroutine
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from howdah.apis.required import check_required
from howdah.errors import BadRequest, ErrorKind

__all__ = ["bytes_value", "service_handler", "to_bytes"]

_Function = Callable[..., Coroutine[Any, Any, Any]]


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


def _handler(method: MethodDescriptor, function: _Function) -> "grpc.RpcMethodHandler[Any, Any]":
    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = kinds[(method.client_streaming, method.server_streaming)]
    read = _reader(method)
    if method.client_streaming:
        return make(function, request_deserializer=read, response_serializer=to_bytes)
    # What a reader raises before there is a call ends it as a defect of the server, so it is raised in the call.
    return make(_raising(function), request_deserializer=_caught(read), response_serializer=to_bytes)


def _reader(method: MethodDescriptor) -> Callable[[bytes], Message]:
    """What reads a message of the caller's."""
    kind = GetMessageClass(method.input_type)

    def read(data: bytes) -> Message:
        try:
            message = kind.FromString(data)
        except DecodeError:
            text = f"this is not a {method.input_type.full_name}; send one as the protocol has it, texts in UTF-8"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from None
        check_required(message)
        return message

    return read


def _caught(read: Callable[[bytes], Message]) -> Callable[[bytes], Message | BadRequest]:
    def caught(data: bytes) -> Message | BadRequest:
        try:
            return read(data)
        except BadRequest as error:
            return error

    return caught


def _raising(function: _Function) -> _Function:
    async def raising(request: Message | BadRequest, context: Any) -> Any:
        if isinstance(request, BadRequest):
            raise request
        return await function(request, context)

    return raising

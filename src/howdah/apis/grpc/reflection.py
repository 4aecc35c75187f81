# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`grpc.reflection`: tools such as grpcurl ask the server which services it has and what their messages are.

It is answered from the descriptors in memory. Only files that the served services need are given out, whatever else
is loaded in this process. `v1` and `v1alpha` are the same messages under two names.
"""

from collections.abc import AsyncIterator, Collection, Iterator
from typing import Any, Final

import grpc
from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from howdah.apis.grpc.bridge import Bridge, Context
from howdah.model.texts import one_line

__all__ = ["ReflectionService"]

# What an answer has in place of an error's kind: numbers of gRPC's codes.
_NOT_FOUND: Final = int(grpc.StatusCode.NOT_FOUND.value[0])
_BAD: Final = int(grpc.StatusCode.INVALID_ARGUMENT.value[0])


class ReflectionService:
    """The servicer of one version; `messages` is the module of its messages."""

    def __init__(self, bridge: Bridge, messages: Any, services: Collection[ServiceDescriptor]) -> None:
        self._bridge = bridge
        self._messages = messages
        self._services = sorted(str(each.full_name) for each in services)
        # Files after those that they import.
        self._files: dict[str, FileDescriptor] = {}
        for each in services:
            self._add(each.file)
        self._homes = {symbol: file for file in self._files.values() for symbol in _symbols(file)}

    async def ServerReflectionInfo(self, requests: AsyncIterator[Any], context: Context) -> None:
        """One answer for each question, in order; what is not found is an answer too."""
        await self._bridge.exchange(context, self._answer, requests)

    def _answer(self, request: Any) -> Any:
        answer = self._messages.ServerReflectionResponse(valid_host=request.host, original_request=request)
        match request.WhichOneof("message_request"):
            case "list_services":
                for name in self._services:
                    answer.list_services_response.service.add(name=name)
            case "file_by_filename":
                self._give(answer, self._files.get(request.file_by_filename), "file", request.file_by_filename)
            case "file_containing_symbol":
                symbol = request.file_containing_symbol
                self._give(answer, self._homes.get(symbol), "symbol", symbol)
            case "file_containing_extension":
                self._give(answer, None, "extension of", request.file_containing_extension.containing_type)
            case "all_extension_numbers_of_type":
                name = request.all_extension_numbers_of_type
                if name in self._homes:
                    answer.all_extension_numbers_response.base_type_name = name
                else:
                    self._give(answer, None, "message", name)
            case _:
                self._fail(answer, _BAD, "message_request is required; ask for list_services")
        return answer

    def _give(self, answer: Any, file: FileDescriptor | None, kind: str, name: str) -> None:
        """Answer with a file and all that it needs."""
        if file is None:
            self._fail(answer, _NOT_FOUND, f"{kind} {one_line(name)} not found; ask for list_services")
            return
        # The file itself comes first, by which some tools know it.
        wanted = {file.name}
        for each in reversed(self._files.values()):
            if each.name in wanted:
                wanted.update(other.name for other in each.dependencies)
                proto = FileDescriptorProto()
                each.CopyToProto(proto)
                answer.file_descriptor_response.file_descriptor_proto.append(proto.SerializeToString())

    def _fail(self, answer: Any, code: int, text: str) -> None:
        answer.error_response.error_code = code
        answer.error_response.error_message = text

    def _add(self, file: FileDescriptor) -> None:
        if file.name not in self._files:
            for each in file.dependencies:
                self._add(each)
            self._files[file.name] = file


def _symbols(file: FileDescriptor) -> Iterator[str]:
    """The full names of all that a file declares."""
    for service in file.services_by_name.values():
        yield service.full_name
        yield from (method.full_name for method in service.methods)
    for enum in file.enum_types_by_name.values():
        yield enum.full_name
        yield from _values(enum)
    for message in file.message_types_by_name.values():
        yield from _parts(message)


def _parts(message: Any) -> Iterator[str]:
    yield message.full_name
    for part in (*message.fields, *message.oneofs):
        yield part.full_name
    for enum in message.enum_types:
        yield enum.full_name
        yield from _values(enum)
    for nested in message.nested_types:
        yield from _parts(nested)


def _values(enum: Any) -> Iterator[str]:
    """An enum's values are its siblings."""
    scope = enum.full_name.rpartition(".")[0]
    return (f"{scope}.{value.name}" for value in enum.values)

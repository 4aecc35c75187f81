# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Changing files over gRPC: a stream of messages becomes a stream of the domain's operations.

The first message says where to; the pieces of one file, which come as messages of one path, become one operation.
Only the message at hand is held here: the domain takes pieces as it stores them, and the client waits meanwhile.
"""

from collections.abc import AsyncIterator, Iterator

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc import requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.errors import BadRequest, ErrorKind
from howdah.pfs.writes import Copy, Delete, Operation, Put
from howdah.storage import urls
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["Operations", "WriteCalls"]


class WriteCalls(PfsCalls):
    """The calls of `pfs_v2.API` that change files."""

    async def ModifyFile(self, messages: AsyncIterator[pb.ModifyFileRequest], context: Context) -> Empty:
        """Apply operations in their order; all of them when the stream ends well, otherwise none."""

        def modify(received: Iterator[pb.ModifyFileRequest]) -> Empty:
            first = next(received, None)
            if first is None or first.WhichOneof("body") != "set_commit":
                raise _bad("first message must be a commit; send set_commit before any file")
            self._pfs.writes.modify(requests.commit(first.set_commit), Operations(received))
            return Empty()

        return await self._bridge.upload(context, modify, messages)


class Operations(Iterator[Operation]):
    """The operations that messages mean, one at a time: the pieces of a put are read before the next is asked for."""

    def __init__(self, messages: Iterator[pb.ModifyFileRequest]) -> None:
        self._messages = messages
        # The message that ended the last put, and so belongs to the next operation.
        self._next: pb.ModifyFileRequest | None = None
        # What is left of the objects that a message asked for by the beginning of their address.
        self._fetched: Iterator[Put] = iter(())

    def __next__(self) -> Operation:
        if (put := next(self._fetched, None)) is not None:
            return put
        message = self._next or next(self._messages)
        self._next = None
        match message.WhichOneof("body"):
            case "add_file":
                add = message.add_file
                if _is_recursive(add):
                    self._fetched = _below(add)
                    return next(self)
                # Added to what the path has; clients that mean to replace it send a delete_file before.
                return Put(add.path, self._pieces(add), datum=add.datum, append=True)
            case "delete_file":
                return Delete(message.delete_file.path, message.delete_file.datum)
            case "copy_file":
                return _copy(message.copy_file)
            case "set_commit":
                raise _bad("the commit was set before; send set_commit once, as the first message")
            case _:
                raise _bad("validate request: ModifyFileRequest.body: value is required; send a file to add or delete")

    def _pieces(self, first: pb.AddFile) -> Iterator[bytes]:
        """The bytes of this message and of those after it that add to the same file."""
        path, datum = first.path, first.datum
        yield from _pieces_of(first)
        for message in self._messages:
            add = message.add_file
            same = message.WhichOneof("body") == "add_file" and add.path == path and add.datum == datum
            if not same or _is_recursive(add):
                self._next = message
                return
            yield from _pieces_of(add)


def _pieces_of(add: pb.AddFile) -> Iterator[bytes]:
    """The bytes that a message brings or tells where to fetch; none if it has no source, which makes an empty file."""
    if add.WhichOneof("source") == "url":
        yield from urls.fetched(add.url.URL)
    else:
        yield add.raw.value


def _is_recursive(add: pb.AddFile) -> bool:
    return add.WhichOneof("source") == "url" and add.url.recursive


def _below(add: pb.AddFile) -> Iterator[Put]:
    """A put for each object below an address, at its place below the path of the message."""
    for name, pieces in urls.fetched_below(add.url.URL, add.url.concurrency):
        yield Put(f"{add.path}/{name}" if name else add.path, pieces, datum=add.datum, append=True)


def _copy(message: pb.CopyFile) -> Copy:
    return Copy(requests.file(message.src), message.dst, datum=message.datum, append=message.append)


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)

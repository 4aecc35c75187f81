# SPDX-License-Identifier: Apache-2.0
"""The connection to a server: calls by their stubs, with every failure raised as an error of ours.

One channel serves all threads. Nothing is sent before the first call, so making one cannot fail.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Final, TypeVar

import grpc

from howdah.client.address import Address
from howdah.client.errors import from_status
from howdah.wire.stubs import (
    admin_v2_pb2_grpc,
    howdah_v1_pb2_grpc,
    metadata_pb2_grpc,
    pfs_v2_pb2_grpc,
    pps_v2_pb2_grpc,
    transaction_v2_pb2_grpc,
)

__all__ = ["MESSAGE_BYTES", "TRANSACTION_KEY", "Wire"]

MESSAGE_BYTES: Final = 2 << 20
"""Bytes of a file that go in one message: larger ones are no quicker, and hold more memory on both sides."""

TRANSACTION_KEY: Final = "pach-transaction"
"""The metadata by which a call says that it is part of a transaction; a server passes it over where it cannot be."""

_RECEIVE_BYTES_MAX: Final = 24 << 20  # a message of the protocol has at most 20 MiB
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _RECEIVE_BYTES_MAX),
    ("grpc.max_send_message_length", _RECEIVE_BYTES_MAX),
    ("grpc.max_metadata_size", 64 << 10),
    # A wait may last for hours: pings tell a server that is busy from one that is gone.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
)

A = TypeVar("A")


class Wire:
    """Stubs over one channel. `call` and `stream` raise only errors of `howdah.errors`."""

    def __init__(self, address: Address, transaction: str = "") -> None:
        self.address = address
        self.transaction = transaction
        options = (*_OPTIONS, ("grpc.enable_http_proxy", 0)) if address.is_loopback else _OPTIONS
        if address.tls:
            self._channel = grpc.secure_channel(address.target, grpc.ssl_channel_credentials(), options)
        else:
            self._channel = grpc.insecure_channel(address.target, options)

    def within(self, transaction: str) -> "Wire":
        """The same connection for calls that carry the id of a transaction; not to be closed by itself."""
        bound = copy.copy(self)
        bound.transaction = transaction
        return bound

    @cached_property
    def pfs(self) -> pfs_v2_pb2_grpc.APIStub:
        """Projects, repos, branches, commits, files."""
        return pfs_v2_pb2_grpc.APIStub(self._channel)

    @cached_property
    def pps(self) -> pps_v2_pb2_grpc.APIStub:
        """Pipelines, jobs, datums, logs."""
        return pps_v2_pb2_grpc.APIStub(self._channel)

    @cached_property
    def transactions(self) -> transaction_v2_pb2_grpc.APIStub:
        """Transactions."""
        return transaction_v2_pb2_grpc.APIStub(self._channel)

    @cached_property
    def metadata(self) -> metadata_pb2_grpc.APIStub:
        """The users' own keys and values."""
        return metadata_pb2_grpc.APIStub(self._channel)

    @cached_property
    def admin(self) -> admin_v2_pb2_grpc.APIStub:
        """The lake as the protocol sees it: a cluster."""
        return admin_v2_pb2_grpc.APIStub(self._channel)

    @cached_property
    def lake(self) -> howdah_v1_pb2_grpc.LakeStub:
        """The lake itself, and what is ours alone."""
        return howdah_v1_pb2_grpc.LakeStub(self._channel)

    @cached_property
    def logs(self) -> howdah_v1_pb2_grpc.LogsStub:
        """Logs."""
        return howdah_v1_pb2_grpc.LogsStub(self._channel)

    @cached_property
    def upkeep(self) -> howdah_v1_pb2_grpc.UpkeepStub:
        """Garbage collection, usage, checks."""
        return howdah_v1_pb2_grpc.UpkeepStub(self._channel)

    def call(self, method: Callable[..., A], request: Any, *, timeout: float | None = None) -> A:
        """The answer of a method with one; `timeout` in seconds, none for None."""
        try:
            return method(request, timeout=timeout, metadata=self._metadata())
        except grpc.RpcError as error:
            raise self.error(error) from error

    def call_with_end(self, method: Any, request: Any, at_end: Callable[[Iterable[tuple[str, Any]]], None]) -> Any:
        """As `call`; `at_end` is told the metadata that came behind the answer."""
        try:
            answer, call = method.with_call(request, metadata=self._metadata())
        except grpc.RpcError as error:
            raise self.error(error) from error
        at_end(call.trailing_metadata() or ())
        return answer

    def stream(
        self,
        method: Callable[..., Any],
        request: Any,
        *,
        timeout: float | None = None,
        at_end: Callable[[Iterable[tuple[str, Any]]], None] | None = None,
    ) -> Iterator[Any]:
        """The answers of a method with many, as they come. Giving up the iterator ends the call.

        `at_end` is told the metadata that came behind the last one.
        """
        call = method(request, timeout=timeout)
        try:
            yield from call
            if at_end is not None:
                at_end(call.trailing_metadata() or ())
        except grpc.RpcError as error:
            raise self.error(error) from error
        finally:
            call.cancel()

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return ((TRANSACTION_KEY, self.transaction),) if self.transaction else ()

    def error(self, error: grpc.RpcError) -> Exception:
        """What a failed call means to the caller."""
        return from_status(error, str(self.address))

    def close(self) -> None:
        """End all calls and the connection; closing again does nothing."""
        self._channel.close()

# SPDX-License-Identifier: Apache-2.0
"""Handlers that count each call's method, code and duration, and let no error out that has no code and text.

It wraps a service's handler and changes nothing else.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
import grpc.aio

from howdah.apis.grpc.bridge import Bridge
from howdah.apis.metrics import Metrics

__all__ = ["Observed"]

_Method = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], Coroutine[Any, Any, Any]]


class Observed(grpc.GenericRpcHandler):
    """A handler whose calls are counted in `metrics`, and whose stray errors end in the table of `bridge`."""

    def __init__(self, inner: grpc.GenericRpcHandler, metrics: Metrics, bridge: Bridge) -> None:
        self._inner = inner
        self._metrics = metrics
        self._bridge = bridge
        self._known: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """The inner handler's method, timed; None if it has none of that name."""
        method = str(handler_call_details.method)
        if (known := self._known.get(method)) is not None:
            return known
        found = self._inner.service(handler_call_details)
        if found is None:
            return None
        timed = self._timed(found, method.removeprefix("/"))
        self._known[method] = timed
        return timed

    def _timed(self, handler: Any, name: str) -> "grpc.RpcMethodHandler[Any, Any]":
        kinds: dict[tuple[bool, bool], tuple[Any, str]] = {
            (False, False): (grpc.unary_unary_rpc_method_handler, "unary_unary"),
            (False, True): (grpc.unary_stream_rpc_method_handler, "unary_stream"),
            (True, False): (grpc.stream_unary_rpc_method_handler, "stream_unary"),
            (True, True): (grpc.stream_stream_rpc_method_handler, "stream_stream"),
        }
        make, attribute = kinds[(handler.request_streaming, handler.response_streaming)]
        function: _Method = getattr(handler, attribute)
        wrapped: grpc.RpcMethodHandler[Any, Any] = make(
            self._counted(function, name), handler.request_deserializer, handler.response_serializer
        )
        return wrapped

    def _counted(self, function: _Method, name: str) -> _Method:
        async def counted(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            start = time.monotonic()
            code = "OK"
            try:
                return await self._bridge.guarded(context, function(request, context))
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            except BaseException:
                code = _code(context)
                raise
            finally:
                self._metrics.call_ended(name, code, time.monotonic() - start)

        return counted


def _code(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The code that an aborted call was given."""
    given: Any = context.code()
    if isinstance(given, grpc.StatusCode):
        return given.name
    return next((code.name for code in grpc.StatusCode if code.value[0] == given), "UNKNOWN")

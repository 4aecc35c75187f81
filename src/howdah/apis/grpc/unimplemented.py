# SPDX-License-Identifier: Apache-2.0
"""The answer to every call that no servicer took: UNIMPLEMENTED, with a text that says which and what to do.

gRPC's own answer is the same code with a bare "Method not found!". The texts are in `howdah.apis.protocol`.
"""

from typing import Any

import grpc
import grpc.aio

from howdah.apis.calls import KIND_KEY
from howdah.apis.protocol import absent_text
from howdah.errors import ErrorKind

__all__ = ["Unimplemented"]


class Unimplemented(grpc.GenericRpcHandler):
    """Takes every call; register it after all others."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """A handler that ends the call; how many messages it would have taken does not matter."""
        service, _, method = str(handler_call_details.method).removeprefix("/").partition("/")
        text = absent_text(service, method)

        async def refuse(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            metadata = ((KIND_KEY, str(ErrorKind.UNSUPPORTED)),)
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, text, metadata)

        return grpc.stream_stream_rpc_method_handler(refuse)

# SPDX-License-Identifier: Apache-2.0
"""The answer to every call that no servicer took: UNIMPLEMENTED, with a text that says which and what to do.

gRPC's own answer is the same code with a bare "Method not found!". Clients recognise a server without
authentication by the text that every call of `auth_v2` gets here.
"""

from collections.abc import Sequence
from typing import Any, Final

import grpc
import grpc.aio

from howdah.apis.grpc.bridge import KIND_KEY
from howdah.errors import ErrorKind
from howdah.model.texts import one_line

__all__ = ["Unimplemented"]

_NO_AUTH: Final = "the auth service is not activated; this server asks nobody who they are"


class Unimplemented(grpc.GenericRpcHandler):
    """Takes every call; register it after all others. `services` are the full names of those that are served."""

    def __init__(self, services: Sequence[str]) -> None:
        self._services = frozenset(services)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """A handler that ends the call; how many messages it would have taken does not matter."""
        text = self.text(str(handler_call_details.method))

        async def refuse(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
            metadata = ((KIND_KEY, str(ErrorKind.UNSUPPORTED)),)
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, text, metadata)

        return grpc.stream_stream_rpc_method_handler(refuse)

    def text(self, path: str) -> str:
        """What is said to a call of `/package.Service/Method`."""
        service, _, method = path.removeprefix("/").partition("/")
        if service == "auth_v2.API":
            return _NO_AUTH
        if service in self._services:
            return (
                f"method {one_line(method)} of {service} is not supported by this version of howdah; update the server"
            )
        return f"service {one_line(service)} is not supported by this version of howdah; do without it"

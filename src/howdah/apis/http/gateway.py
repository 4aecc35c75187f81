# SPDX-License-Identifier: Apache-2.0
"""Every method of every service as JSON over HTTP: `POST /api/<package.Service>/<Method>`.

The servicers are those of the gRPC edge, called with an `HttpCall`: nothing is known here of what they do. A unary
request is one JSON object, a client stream one object on each line; so are answers (see `calling`). How JSON is read
is in `protojson`; a description of it all, made from the descriptors, in `openapi`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from howdah.apis.calls import ErrorMap
from howdah.apis.http.bodies import Body
from howdah.apis.http.calling import Aborted, Answer, HttpCall
from howdah.apis.http.headers import deadline_seconds, is_foreign, metadata
from howdah.apis.http.openapi import openapi
from howdah.apis.http.protojson import from_json
from howdah.apis.http.statuses import error_tree
from howdah.apis.metrics import Metrics
from howdah.apis.protocol import PROTOCOL, Service, absent_text
from howdah.apis.required import check_required
from howdah.errors import ErrorKind, HowdahError
from howdah.kit.ids import NewId, new_id

__all__ = ["Gateway"]

# What is still read of a request that has failed, so that its client hears why.
_DRAIN_BYTES: Final = 8 << 20
_DRAIN_SECONDS: Final = 2.0

# Requests above this are read in a thread: a megabyte takes milliseconds.
_BIG_BYTES: Final = 64 << 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Method:
    """A method that is served."""

    descriptor: MethodDescriptor
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """As metrics have it."""
        return f"{self.descriptor.containing_service.full_name}/{self.descriptor.name}"


class Gateway:
    """An ASGI application over services; mount it where the rest of the path is its parameter `path`.

    `errors` is the table that gives an error its code; calls are counted in `metrics` as those over gRPC are.
    """

    def __init__(
        self, services: Sequence[Service], errors: ErrorMap, metrics: Metrics, *, incident: NewId = new_id
    ) -> None:
        self._errors = errors
        self._metrics = metrics
        self._incident = incident
        self._methods = {
            f"{each.name}/{method.name}": _Method(method, function)
            for each in services
            for method in each.descriptor.methods
            if (function := each.function(method.name)) is not None
        }
        # Made when somebody asks: it takes a tenth of a second.
        self._openapi: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path_params"]["path"]
        if scope["method"] == "POST" and path in self._methods:
            await self._call(self._methods[path], scope, receive, send)
        else:
            response = await self._page(path, scope["method"], Headers(scope=scope))
            await response(scope, receive, send)

    async def _page(self, path: str, method: str, headers: Headers) -> Response:
        """What is not a call: a list of the services, their description, and what is wrong with the request."""
        if path == "" and method in ("GET", "HEAD"):
            return JSONResponse(self._listing())
        if path == "openapi.json" and method in ("GET", "HEAD"):
            if self._openapi is None:
                self._openapi = await run_in_threadpool(openapi, self._methods)
            return Response(self._openapi, media_type="application/json")
        service, _, name = path.partition("/")
        if service in PROTOCOL and name in PROTOCOL[service].methods_by_name:
            if method == "POST":
                return _error(501, StatusCode.UNIMPLEMENTED, absent_text(service, name), ErrorKind.UNSUPPORTED)
            url = f"http://{headers.get('host', 'host')}/api/{path}"
            text = f"{path} is called with POST, not with {method}; such as: curl -d '{{}}' {url}"
            return _error(405, StatusCode.UNIMPLEMENTED, text, ErrorKind.UNSUPPORTED, {"allow": "POST"})
        text = absent_text(service, name) if service not in PROTOCOL or name else f"service {service} has no such page"
        return _error(404, StatusCode.NOT_FOUND, f"{text}; /api/ lists what there is")

    def _listing(self) -> dict[str, Any]:
        """All services and their methods."""

        def row(method: MethodDescriptor) -> dict[str, Any]:
            path = f"{method.containing_service.full_name}/{method.name}"
            return {
                "name": method.name,
                "path": f"/api/{path}",
                "clientStreaming": method.client_streaming,
                "serverStreaming": method.server_streaming,
                "served": path in self._methods,
            }

        services = [{"name": name, "methods": list(map(row, PROTOCOL[name].methods))} for name in sorted(PROTOCOL)]
        return {"openapi": "/api/openapi.json", "services": services}

    async def _call(self, method: _Method, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the method in a task that ends when the client leaves."""
        body = Body(receive)
        output = GetMessageClass(method.descriptor.output_type)
        answer = Answer(send, output, streaming=method.descriptor.server_streaming)
        work = asyncio.ensure_future(self._counted(method, Headers(scope=scope), body, answer))
        leaving = asyncio.ensure_future(body.left())
        try:
            await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            work.cancel()
            await asyncio.wait((work, leaving))
        if not work.cancelled():
            work.result()

    async def _counted(self, method: _Method, headers: Headers, body: Body, answer: Answer) -> None:
        start = time.monotonic()
        code = StatusCode.CANCELLED
        try:
            code = await self._answered(method, headers, body, answer)
        finally:
            self._metrics.call_ended(method.name, code.name, time.monotonic() - start)

    async def _answered(self, method: _Method, headers: Headers, body: Body, answer: Answer) -> StatusCode:
        """Answer the call, with an error if there is one; the code by which it ended."""
        code, text, kind = StatusCode.OK, "", ""
        try:
            seconds = deadline_seconds(headers)
            limit = asyncio.timeout(seconds)
            try:
                async with limit:
                    await _run(method, HttpCall(answer, metadata(headers), seconds), headers, body, answer)
            except TimeoutError:
                if not limit.expired():
                    raise
                code, text, kind = StatusCode.DEADLINE_EXCEEDED, "the deadline has passed; give more time", ""
        except Aborted as error:
            code, text, kind = error.code, error.text, error.kind
        except HowdahError as error:
            (code, text), kind = self._errors(error), error.kind
        except Exception as error:
            number = self._incident()
            _log.error("internal error", incident=number, method=method.name, exc_info=error)
            code = StatusCode.INTERNAL
            text = f"internal error {number}; the server's log tells what happened under this number"
        if code is not StatusCode.OK:
            await answer.fail(code, text, kind)
            await body.drain(_DRAIN_BYTES, _DRAIN_SECONDS)
            await answer.end()
        return code


async def _run(method: _Method, call: HttpCall, headers: Headers, body: Body, answer: Answer) -> None:
    """Read the request, call the servicer, and send what it gives."""
    if is_foreign(headers):
        text = "calls from web pages of other sites are refused; call from a program, or from a page of this server"
        await call.abort(StatusCode.PERMISSION_DENIED, text)
    kind = GetMessageClass(method.descriptor.input_type)
    request: Any = _messages(body, kind) if method.descriptor.client_streaming else await _message(body, kind)
    result = await method.function(request, call)
    if method.descriptor.server_streaming:
        await answer.end()
    else:
        await answer.message(result)


async def _message(body: Body, kind: type[Message]) -> Message:
    return await _read(await body.whole(), kind)


async def _messages(body: Body, kind: type[Message]) -> AsyncIterator[Message]:
    async for line in body.lines():
        yield await _read(line, kind)


async def _read(text: bytes, kind: type[Message]) -> Message:
    return await run_in_threadpool(_checked, text, kind) if len(text) > _BIG_BYTES else _checked(text, kind)


def _checked(text: bytes, kind: type[Message]) -> Message:
    message = from_json(text, kind)
    check_required(message)
    return message


def _error(status: int, code: StatusCode, text: str, kind: str = "", headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(error_tree(code, text, kind), status_code=status, headers=headers)

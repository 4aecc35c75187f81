# SPDX-License-Identifier: Apache-2.0
"""One call of a method over HTTP: what its servicer sees of it, and how its answer is sent.

The answer begins with its first message, so an error before that has a status of its own. An error after it is the
last line of a stream: `{"error": …}`, where messages are `{"result": …}`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from google.protobuf.message import Message
from grpc import StatusCode
from starlette.concurrency import run_in_threadpool
from starlette.types import Send

from howdah.apis.calls import KIND_KEY
from howdah.apis.http.protojson import to_json
from howdah.apis.http.statuses import HTTP_STATUSES, error_json

__all__ = ["Aborted", "Answer", "HttpCall"]

# Messages above this are written as JSON in a thread: a megabyte takes milliseconds.
_BIG_BYTES: Final = 64 << 10


class Aborted(Exception):
    """The servicer ended its call with an error."""

    def __init__(self, code: StatusCode, text: str, kind: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.kind = kind


class Answer:
    """What is sent back; made for one call."""

    def __init__(self, send: Send, kind: type[Message], *, streaming: bool) -> None:
        self._send = send
        self._kind = kind
        self._streaming = streaming
        self._begun = False
        self._ended = False

    async def message(self, message: Message | bytes) -> None:
        """Send one message, or what the same serialises to; waits while the client reads slowly."""
        if isinstance(message, bytes):
            message = self._kind.FromString(message)
        size = message.ByteSize()
        text = await run_in_threadpool(to_json, message) if size > _BIG_BYTES else to_json(message)
        if self._streaming:
            await self._begin(200)
            await self._body(f'{{"result":{text}}}\n'.encode(), more=True)
        else:
            line = f"{text}\n".encode()
            await self._begin(200, len(line))
            await self._body(line, more=False)

    async def end(self) -> None:
        """End a stream or an error; a stream without messages too."""
        await self._begin(200)
        if not self._ended:
            await self._body(b"", more=False)

    async def fail(self, code: StatusCode, text: str, kind: str) -> None:
        """Send an error; an `end` comes later."""
        if self._ended:
            return
        error = error_json(code, text, kind)
        if self._begun:
            await self._body(b'{"error":%b}\n' % error.rstrip(), more=True)
        else:
            self._streaming = False
            await self._begin(HTTP_STATUSES[code], len(error))
            await self._body(error, more=True)

    async def _begin(self, status: int, length: int | None = None) -> None:
        if self._begun:
            return
        self._begun = True
        kind = b"application/x-ndjson" if self._streaming else b"application/json"
        headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, data: bytes, *, more: bool) -> None:
        self._ended = not more
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


class HttpCall:
    """The call that a servicer gets: `howdah.apis.calls.Call` over HTTP."""

    def __init__(self, answer: Answer, metadata: Sequence[tuple[str, str]], seconds: float | None) -> None:
        self._answer = answer
        self._metadata = tuple(metadata)
        self._deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds

    async def write(self, message: Message | bytes, /) -> None:
        """Send one message of a stream."""
        await self._answer.message(message)

    async def send_initial_metadata(self, initial_metadata: Any, /) -> None:
        """Nothing: an answer begins with its first message, and who leaves cancels the task."""

    async def abort(self, code: StatusCode, details: str = "", trailing_metadata: Any = (), /) -> NoReturn:
        """End the call with an error."""
        kind = next((str(value) for key, value in trailing_metadata if key == KIND_KEY), "")
        raise Aborted(code, details, kind)

    def invocation_metadata(self) -> Sequence[tuple[str, str]]:
        """What came in headers."""
        return self._metadata

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, if there is one."""
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - asyncio.get_running_loop().time())

    def set_trailing_metadata(self, trailing_metadata: Any, /) -> None:
        """Nothing: an answer in JSON has no place behind its end."""

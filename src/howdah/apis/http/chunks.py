# SPDX-License-Identifier: Apache-2.0
"""`GET /chunk/NAME`: the plain bytes of a chunk, for those whom the gRPC edge gave a link (`apis.chunk_links`).

The bytes are verified before they are sent. One range may be asked for, as `Range: bytes=FIRST-LAST`.
"""

import re
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from howdah.apis.chunk_links import ChunkLinks
from howdah.errors import Damaged, ErrorKind
from howdah.storage.chunks import Chunks

__all__ = ["chunk_route"]

_NAME: Final = re.compile("[0-9a-f]{64}")
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def chunk_route(chunks: Chunks, links: ChunkLinks) -> Route:
    """The route, to be put among those of an application."""

    async def chunk(request: Request) -> Response:
        digits = request.path_params["name"]
        query = request.query_params
        allowed = _NAME.fullmatch(digits) and links.allows(
            bytes.fromhex(digits), query.get("until", ""), query.get("signature", "")
        )
        if not allowed:
            return PlainTextResponse("this link is not good or has expired; read the file set again\n", 403)
        try:
            plain = await run_in_threadpool(chunks.read_view, bytes.fromhex(digits), "a link")
        except Damaged as error:
            return PlainTextResponse(error.message + "\n", 404 if error.kind is ErrorKind.OBJECT_MISSING else 500)
        return _answer(plain, request.headers.get("range", ""))

    return Route("/chunk/{name}", chunk, methods=["GET"])


def _answer(plain: memoryview, wanted: str) -> Response:
    headers = {"accept-ranges": "bytes", "cache-control": "private, immutable"}
    found = _RANGE.fullmatch(wanted)
    if found is None or not (found[1] or found[2]):
        return Response(bytes(plain), 200, headers, "application/octet-stream")
    size = len(plain)
    first = int(found[1]) if found[1] else max(0, size - int(found[2]))
    last = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
    if first > last:
        return PlainTextResponse(f"the chunk has {size} bytes\n", 416, {"content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {first}-{last}/{size}"
    return Response(bytes(plain[first : last + 1]), 206, headers, "application/octet-stream")

# SPDX-License-Identifier: Apache-2.0
"""What machines ask of a server over HTTP: `/livez`, `/readyz` and `/metrics`.

Live means that the process answers; ready, that it can do its work now. Whoever restarts servers asks for the first,
whoever sends them calls for the second.
"""

from collections.abc import Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from howdah.errors import HowdahError

__all__ = ["probes_app"]


def probes_app(ready: Callable[[], None], registry: CollectorRegistry, more: Sequence[BaseRoute] = ()) -> Starlette:
    """The routes, and `more` of others beside them.

    `ready` is called in a thread for each `/readyz`; what it raises is why the server is not ready.
    """

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        try:
            await run_in_threadpool(ready)
        except HowdahError as error:
            return PlainTextResponse(f"not ready: {error.message}\n", status_code=503)
        return PlainTextResponse("ok\n")

    async def metrics(_: Request) -> Response:
        return Response(await run_in_threadpool(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)

    probes = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
    return Starlette(routes=[*probes, *more])

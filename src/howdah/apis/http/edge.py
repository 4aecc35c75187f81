# SPDX-License-Identifier: Apache-2.0
"""The HTTP server: uvicorn on the running loop, on a socket that is bound here so that errors are ours to tell."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from howdah.errors import ErrorKind, Refused

__all__ = ["HttpEdge"]

_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Uvicorn without its own handling of signals: the process has one place for that."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpEdge:
    """Serves one application; after `stop` it is of no more use."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Serve on an address; the port, which is chosen here if it was 0.

        Raises:
            Refused: BUSY: the address is in use, or not one of this machine.
        """
        listener = _bound(host, port)
        config = uvicorn.Config(
            self._app, ws="none", log_config=None, access_log=False, lifespan="off", server_header=False
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        chosen: int = listener.getsockname()[1]
        return chosen

    async def stop(self, grace_seconds: float) -> None:
        """Take no more requests; give those at work time to finish, then cut them off."""
        if self._server is None or self._serving is None:
            return
        self._server.config.timeout_graceful_shutdown = max(1, round(grace_seconds))
        self._server.should_exit = True
        await self._serving


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        text = f"http cannot listen on {host}:{port} ({reason}); stop what listens there or choose another address"
        raise Refused(ErrorKind.BUSY, text) from error
    return listener

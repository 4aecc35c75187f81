# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`grpc.health.v1.Health`: whether calls are answered, for probes and for clients that wait for a server."""

from collections.abc import Collection
from typing import Final

from howdah.apis.grpc.bridge import Bridge, Context, Page
from howdah.apis.hub import Hub
from howdah.errors import ErrorKind, NotFound
from howdah.model.texts import one_line
from howdah.wire.stubs import health_v1_pb2 as pb

__all__ = ["HealthService"]

_SUBJECT: Final = "health"


class HealthService:
    """The servicer; `services` are the names that may be asked for beside the empty one, the server as a whole."""

    def __init__(self, bridge: Bridge, hub: Hub, services: Collection[str]) -> None:
        self._bridge = bridge
        self._hub = hub
        self._services = frozenset(services) | {""}
        self._serving = True

    def stop(self) -> None:
        """Say from now on that calls are not answered any more; those who watch hear it."""
        self._serving = False
        self._hub.notify(_SUBJECT)

    async def Check(self, request: pb.HealthCheckRequest, context: Context) -> pb.HealthCheckResponse:
        """The state now."""

        def check() -> pb.HealthCheckResponse:
            if request.service not in self._services:
                text = f"service {one_line(request.service)} not found; ask for the empty name, the whole server"
                raise NotFound(ErrorKind.LAKE_NOT_FOUND, text)
            return pb.HealthCheckResponse(status=self._status(request.service))

        return await self._bridge.unary(context, check)

    async def Watch(self, request: pb.HealthCheckRequest, context: Context) -> None:
        """The state now, and each change of it."""

        def read(last: int) -> Page[pb.HealthCheckResponse, int]:
            status = self._status(request.service)
            return Page([pb.HealthCheckResponse(status=status)] if status != last else (), status)

        await self._bridge.follow(context, [_SUBJECT], read, -1)

    async def List(self, request: pb.HealthListRequest, context: Context) -> pb.HealthListResponse:  # noqa: ARG002
        """The state now of everything that may be asked for."""
        return pb.HealthListResponse(
            statuses={name: pb.HealthCheckResponse(status=self._status(name)) for name in self._services}
        )

    def _status(self, service: str) -> pb.HealthCheckResponse.ServingStatus:
        if service not in self._services:
            return pb.HealthCheckResponse.SERVICE_UNKNOWN
        return pb.HealthCheckResponse.SERVING if self._serving else pb.HealthCheckResponse.NOT_SERVING

# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802, ARG002 - methods have the protocol's names and arguments
"""`admin_v2.API` and `versionpb_v2.API`: what every client asks before all else. Both must always answer."""

import sys
from collections.abc import Callable
from typing import Final, NoReturn

from google.protobuf.empty_pb2 import Empty

from howdah import __version__
from howdah.apis.grpc import requests
from howdah.apis.grpc.bridge import Bridge, Context
from howdah.apis.protocol import SPEC_SCHEMA_PATH
from howdah.errors import ErrorKind, HowdahError, Unsupported
from howdah.model.texts import one_line
from howdah.pfs.catalog import Catalog
from howdah.pfs.labels import lake_labels
from howdah.wire.stubs import admin_v2_pb2, versionpb_v2_pb2

__all__ = ["PROTOCOL_VERSION", "AdminService", "VersionService"]

# The version of the protocol that we speak; clients of another minor version warn their users.
PROTOCOL_VERSION: Final = (2, 12, 2)


class AdminService:
    """The servicer of `admin_v2.API`."""

    def __init__(self, bridge: Bridge, catalog: Catalog, lake_id: str, http_url: Callable[[], str]) -> None:
        self._bridge = bridge
        self._catalog = catalog
        self._lake_id = lake_id
        self._http_url = http_url

    async def InspectCluster(
        self, request: admin_v2_pb2.InspectClusterRequest, context: Context
    ) -> admin_v2_pb2.ClusterInfo:
        """The lake's id and labels, and where the schema of specs is.

        A project of the caller that does not exist is worth a warning, not an error.
        """

        def inspect() -> admin_v2_pb2.ClusterInfo:
            with self._catalog.db.read() as tx:
                labels = lake_labels(tx)
            return admin_v2_pb2.ClusterInfo(
                id=self._lake_id,
                deployment_id=self._lake_id,
                warnings_ok=True,
                warnings=self._warnings(request),
                metadata=labels,
                web_resources=admin_v2_pb2.WebResource(
                    create_pipeline_request_json_schema_url=self._http_url() + SPEC_SCHEMA_PATH
                ),
            )

        return await self._bridge.unary(context, inspect)

    async def RestartPachyderm(
        self, request: admin_v2_pb2.RestartPachydermRequest, context: Context
    ) -> admin_v2_pb2.RestartPachydermResponse:
        """Refused: the server is one process, and nobody would start it again."""

        def refuse() -> NoReturn:
            text = "this server is one process and cannot restart itself; stop it by SIGTERM and start it again"
            raise Unsupported(ErrorKind.UNSUPPORTED, f"{text}: howdah server")

        return await self._bridge.unary(context, refuse)

    def _warnings(self, request: admin_v2_pb2.InspectClusterRequest) -> list[str]:
        if not request.current_project.name:
            return []
        try:
            self._catalog.projects.inspect(requests.project(request.current_project))
        except HowdahError as error:
            return [f"the current project {one_line(request.current_project.name)}: {error.message}"]
        return []


class VersionService:
    """The servicer of `versionpb_v2.API`."""

    async def GetVersion(self, request: Empty, context: Context) -> versionpb_v2_pb2.Version:
        """The protocol's version, with ours beside it."""
        major, minor, micro = PROTOCOL_VERSION
        return versionpb_v2_pb2.Version(
            major=major, minor=minor, micro=micro, additional=f"-howdah-{__version__}", platform=sys.platform
        )

# SPDX-License-Identifier: Apache-2.0
"""The gRPC server: the services it is given, their counting, and the order in which it stops."""

from collections.abc import Sequence
from typing import Final

import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor

from howdah.apis.chunk_links import ChunkLinks
from howdah.apis.grpc.admin import AdminService, VersionService
from howdah.apis.grpc.bridge import Bridge
from howdah.apis.grpc.cdr import References
from howdah.apis.grpc.errors import status_of
from howdah.apis.grpc.health import HealthService
from howdah.apis.grpc.lake_service import LakeService
from howdah.apis.grpc.logs_service import LakeLogsService, LogsService
from howdah.apis.grpc.metadata_service import MetadataService
from howdah.apis.grpc.observed import Observed
from howdah.apis.grpc.operations import reader
from howdah.apis.grpc.options import SERVER_OPTIONS
from howdah.apis.grpc.pfs_service import PfsService
from howdah.apis.grpc.pps_service import PpsService
from howdah.apis.grpc.reflection import ReflectionService
from howdah.apis.grpc.register import service_handler
from howdah.apis.grpc.reports import JobsService
from howdah.apis.grpc.storage_service import StorageService
from howdah.apis.grpc.transacted import Transacted
from howdah.apis.grpc.transaction_service import TransactionService
from howdah.apis.grpc.unimplemented import Unimplemented
from howdah.apis.grpc.upkeep_service import UpkeepService
from howdah.apis.grpc.work_service import WorkServicer
from howdah.apis.hub import Hub
from howdah.apis.metrics import Metrics
from howdah.apis.protocol import Service
from howdah.errors import ErrorKind, Refused
from howdah.kit.clock import Clock
from howdah.pfs.lake import Pfs
from howdah.pps.pps import Pps
from howdah.transactions.running import Runner
from howdah.transactions.transactions import Transactions
from howdah.upkeep import Upkeep
from howdah.wire.stubs import (
    admin_v2_pb2,
    health_v1_pb2,
    howdah_v1_pb2,
    logs_pb2,
    metadata_pb2,
    pfs_v2_pb2,
    pps_v2_pb2,
    reflection_v1_pb2,
    reflection_v1alpha_pb2,
    storage_pb2,
    transaction_v2_pb2,
    versionpb_v2_pb2,
)

__all__ = ["GrpcEdge", "lake_services"]


def lake_services(
    bridge: Bridge, pfs: Pfs, pps: Pps, upkeep: Upkeep, lake_id: str, clock: Clock, links: ChunkLinks
) -> list[Service]:
    """What is served of versioned files, of pipelines and their workers, and of the lake itself."""
    transactions = Transactions(pfs.db, Runner(pfs, pps), reader(pps.defaults.effective))
    return [
        Service(_service(pfs_v2_pb2, "API"), Transacted(PfsService(bridge, pfs), bridge, transactions)),
        Service(_service(storage_pb2, "Fileset"), StorageService(bridge, pfs, References(pfs.storage.chunks, links))),
        Service(_service(howdah_v1_pb2, "Lake"), LakeService(bridge, pfs, pps, lake_id)),
        Service(
            _service(pps_v2_pb2, "API"),
            Transacted(PpsService(bridge, pfs, pps, clock), bridge, transactions, pps.defaults.effective),
        ),
        Service(_service(transaction_v2_pb2, "API"), TransactionService(bridge, transactions)),
        Service(_service(howdah_v1_pb2, "Upkeep"), UpkeepService(bridge, upkeep)),
        Service(_service(howdah_v1_pb2, "Work"), WorkServicer(bridge, pps)),
        Service(_service(howdah_v1_pb2, "Jobs"), JobsService(bridge, pfs, pps, clock)),
        Service(_service(howdah_v1_pb2, "Logs"), LakeLogsService(bridge, pps.logs)),
        Service(_service(logs_pb2, "API"), LogsService(bridge, pps.logs)),
        Service(_service(admin_v2_pb2, "API"), AdminService(bridge, pfs.catalog, lake_id, lambda: links.base)),
        Service(_service(versionpb_v2_pb2, "API"), VersionService()),
        Service(_service(metadata_pb2, "API"), MetadataService(bridge, pfs.catalog)),
    ]


class GrpcEdge:
    """A gRPC server on the running loop. Add services before `start`; after `stop` it is of no more use."""

    def __init__(self, hub: Hub, metrics: Metrics) -> None:
        self.bridge: Final = Bridge(status_of, hub)
        self._hub = hub
        self._metrics = metrics
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        self._health: HealthService | None = None
        # All that is served, health and reflection included; known once it has started.
        self.services: list[Service] = []

    async def start(self, address: str, services: Sequence[Service]) -> int:
        """Serve on `host:port`; the port, which is chosen here if it was 0.

        Raises:
            Refused: BUSY: the address is in use, or not one of this machine.
        """
        everything = self._with_own(services)
        handlers = [
            Observed(service_handler(each.descriptor, each.servicer), self._metrics, self.bridge) for each in everything
        ]
        self._server.add_generic_rpc_handlers((*handlers, Unimplemented()))
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            text = f"grpc cannot listen on {address}: it is in use or not an address of this machine; choose another"
            raise Refused(ErrorKind.BUSY, text) from error
        await self._server.start()
        self.services = everything
        return port

    def _with_own(self, services: Sequence[Service]) -> list[Service]:
        """The services, and those that tell of them."""
        versions = (reflection_v1_pb2, reflection_v1alpha_pb2)
        health = _service(health_v1_pb2, "Health")
        reflections = {_service(each, "ServerReflection"): each for each in versions}
        descriptors = [*(each.descriptor for each in services), health, *reflections]
        self._health = HealthService(self.bridge, self._hub, [each.full_name for each in descriptors])
        return [
            *services,
            Service(health, self._health),
            *(Service(own, ReflectionService(self.bridge, each, descriptors)) for own, each in reflections.items()),
        ]

    def drain(self) -> None:
        """Tell those who ask for our health that `stop` comes soon; calls are still answered."""
        if self._health is not None:
            self._health.stop()

    async def stop(self, grace_seconds: float) -> None:
        """Take no more calls; end those that wait, give the others time to finish, then cancel what is left."""
        self.drain()
        self.bridge.end_waits()
        await self._server.stop(grace_seconds)


def _service(module: object, name: str) -> ServiceDescriptor:
    descriptor: ServiceDescriptor = module.DESCRIPTOR.services_by_name[name]  # type: ignore[attr-defined]
    return descriptor

# SPDX-License-Identifier: Apache-2.0
"""The services of the protocol: those that somebody serves, and what is said to calls of the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.descriptor import ServiceDescriptor

from howdah import __version__
from howdah.model.texts import one_line
from howdah.wire.stubs import (
    admin_v2_pb2,
    auth_v2_pb2,
    debug_v2_pb2,
    enterprise_v2_pb2,
    health_v1_pb2,
    howdah_v1_pb2,
    identity_v2_pb2,
    license_v2_pb2,
    logs_pb2,
    metadata_pb2,
    pachyderm_worker_pb2,
    pfs_v2_pb2,
    pjs_pb2,
    pps_v2_pb2,
    proxy_pb2,
    reflection_v1_pb2,
    reflection_v1alpha_pb2,
    snapshot_pb2,
    storage_pb2,
    transaction_v2_pb2,
    versionpb_v2_pb2,
)

__all__ = ["NO_AUTH", "PROTOCOL", "SPEC_SCHEMA_PATH", "Service", "absent_text"]

_MODULES: Final[tuple[Any, ...]] = (
    admin_v2_pb2,
    auth_v2_pb2,
    debug_v2_pb2,
    enterprise_v2_pb2,
    health_v1_pb2,
    howdah_v1_pb2,
    identity_v2_pb2,
    license_v2_pb2,
    logs_pb2,
    metadata_pb2,
    pachyderm_worker_pb2,
    pfs_v2_pb2,
    pjs_pb2,
    pps_v2_pb2,
    proxy_pb2,
    reflection_v1_pb2,
    reflection_v1alpha_pb2,
    snapshot_pb2,
    storage_pb2,
    transaction_v2_pb2,
    versionpb_v2_pb2,
)

# Every service that a caller may know, by its full name; served or not.
PROTOCOL: Final[Mapping[str, ServiceDescriptor]] = MappingProxyType(
    {service.full_name: service for module in _MODULES for service in module.DESCRIPTOR.services_by_name.values()}
)

# What is ours grows; all other packages of the protocol are frozen.
_OURS: Final = "howdah."

# What is said to every call that is about authentication; clients match its first words.
NO_AUTH: Final = "the auth service is not activated; this server asks nobody who they are"

SPEC_SCHEMA_PATH: Final = "/jsonschema/pps_v2/CreatePipelineRequest.schema.json"
"""Where the HTTP edge has the JSON Schema of specs: an address that clients know."""

# Who may log in, and by which licence, are matters of authentication: clients that delete everything ask these too.
_OF_AUTH: Final = frozenset({"auth_v2.API", "identity_v2.API", "license_v2.API"})


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the protocol and the object that serves it; methods that the object lacks are not served."""

    descriptor: ServiceDescriptor
    servicer: object

    @property
    def name(self) -> str:
        """The full name, as it goes over the wire."""
        return str(self.descriptor.full_name)

    def function(self, method: str) -> Callable[..., Any] | None:
        """What serves a method of the protocol; None if nothing does."""
        if method not in self.descriptor.methods_by_name:
            return None
        found: Callable[..., Any] | None = getattr(self.servicer, method, None)
        return found


def absent_text(service: str, method: str) -> str:
    """What is said to a call that nothing serves: UNIMPLEMENTED, in one line.

    Clients recognise a server without authentication by the text for `auth_v2` and what goes with it.
    """
    if service in _OF_AUTH:
        return NO_AUTH
    if service not in PROTOCOL:
        return f"service {one_line(service)} is not known to howdah {__version__}; check its name, or do without it"
    if method in PROTOCOL[service].methods_by_name:
        return f"method {method} of {service} is not there yet in howdah {__version__}; do without it"
    if service.startswith(_OURS):
        return f"method {one_line(method)} of {service} is not known to howdah {__version__}; update the server"
    return f"method {one_line(method)} of {service} is not in the protocol; check its name"

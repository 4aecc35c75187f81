# SPDX-License-Identifier: Apache-2.0
"""The methods of the protocol that no version of howdah serves yet. A method that comes is taken off this list."""

from google.protobuf.descriptor import MethodDescriptor

from howdah.apis.protocol import PROTOCOL

__all__ = ["ALL", "METHODS", "NOT_YET", "SERVED", "is_served", "name_of"]

ALL = {"*"}

# service: its methods that are not served; ALL for a service of which there is nothing
NOT_YET: dict[str, set[str]] = {
    # While authentication is off, every call of it is answered so.
    "auth_v2.API": ALL,
    "debug_v2.Debug": ALL,
    "enterprise_v2.API": ALL,
    "identity_v2.API": ALL,
    "license_v2.API": ALL,
    "pachyderm.worker.Worker": ALL,
    "pjs.API": ALL,
    "pps_v2.API": {},
    "proxy.API": ALL,
    "snapshot.API": ALL,
}


def name_of(method: MethodDescriptor) -> str:
    """As it stands in URLs and metrics."""
    return f"{method.containing_service.full_name}/{method.name}"


def is_served(method: MethodDescriptor) -> bool:
    absent = NOT_YET.get(method.containing_service.full_name, set())
    return absent is not ALL and method.name not in absent


METHODS = [method for service in PROTOCOL.values() for method in service.methods]
SERVED = [method for method in METHODS if is_served(method)]

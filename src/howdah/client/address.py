# SPDX-License-Identifier: Apache-2.0
"""Addresses of servers as people write them: `host`, `host:port`, `grpc://host:port`, `grpcs://host:port`."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["DEFAULT_ADDRESS", "DEFAULT_PORT", "Address", "parse_address"]

DEFAULT_PORT: Final = 30650
DEFAULT_ADDRESS: Final = f"127.0.0.1:{DEFAULT_PORT}"

_TLS: Final = {"grpc": False, "http": False, "grpcs": True, "https": True}
_LOOPBACK: Final = ("127.", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and whether by TLS."""

    host: str
    port: int
    tls: bool = False

    @property
    def target(self) -> str:
        """The address as gRPC takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine by its loopback, which no proxy can reach."""
        return self.host.startswith(_LOOPBACK)

    def __str__(self) -> str:
        return f"grpcs://{self.target}" if self.tls else self.target


def parse_address(text: str) -> Address:
    """Read an address; the port is 30650 when none is given.

    Raises:
        BadRequest: BAD_ARGUMENT: an unknown scheme, a bad port, or more than a host and a port.
    """
    scheme, found, _ = text.partition("://")
    if found and scheme not in _TLS:
        raise _bad(text, f"scheme {one_line(scheme)} is unknown")
    try:
        parts = urlsplit(text if found else f"grpc://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad(text, str(error).lower()) from error
    if not host or parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise _bad(text, "it must be a host and a port")
    return Address(host, DEFAULT_PORT if port is None else port, _TLS.get(parts.scheme, False))


def _bad(text: str, why: str) -> BadRequest:
    return BadRequest(
        ErrorKind.BAD_ARGUMENT, f"address ({one_line(text)}) invalid: {why}; write host:port, as in {DEFAULT_ADDRESS}"
    )

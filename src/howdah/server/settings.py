# SPDX-License-Identifier: Apache-2.0
"""What a server is told: where its lake is, and where it listens. An address that others can reach needs a yes.

Whoever can reach the server can run commands as its user, since pipelines are commands.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from howdah.errors import BadRequest, ErrorKind, Refused
from howdah.execution.pool import cores
from howdah.model.texts import one_line
from howdah.server.executions import PROCESSES, ExecutionSettings
from howdah.server.log_keeper import LogRules
from howdah.storage.disk_cache import CacheSettings

__all__ = [
    "DEFAULT_LOG_RULES",
    "GC_PERIOD_SECONDS",
    "GRPC_ADDRESS",
    "HTTP_ADDRESS",
    "LOGS_DATUM_MAX",
    "RETENTION_PERIOD_SECONDS",
    "Address",
    "Settings",
]

GRPC_ADDRESS: Final = "127.0.0.1:30650"  # where every client of the protocol looks
HTTP_ADDRESS: Final = "127.0.0.1:1600"
GC_PERIOD_SECONDS: Final = 3600.0
RETENTION_PERIOD_SECONDS: Final = 600.0
DEFAULT_LOG_RULES: Final = LogRules()
LOGS_DATUM_MAX: Final = 64 << 20

_PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port; port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `host:port`, `[host]:port` or `:port`, which is every address of this machine.

        Raises:
            BadRequest: BAD_ARGUMENT.
        """
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            colon = ""
        if not colon or not port.isascii() or not port.isdigit() or int(port) > _PORT_MAX:
            example = "127.0.0.1:30650"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"address {one_line(text)} is not host:port; write {example}")
        return cls(host or "0.0.0.0", int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a server keeps its lake and where it listens."""

    root: Path
    grpc: Address
    http: Address
    workers: int  # of this machine that run user code; 0 for none
    cache: CacheSettings | None = None  # of a store far away, for the workers as well
    gc_period_seconds: float = GC_PERIOD_SECONDS  # between two garbage collections; 0 for none
    retention_period_seconds: float = RETENTION_PERIOD_SECONDS  # between two applications of the rules; 0 for none
    logs: LogRules = DEFAULT_LOG_RULES
    logs_datum_max: int = LOGS_DATUM_MAX  # bytes that one datum may print into the logs
    execution: ExecutionSettings = PROCESSES
    grace_seconds: float = 10.0  # that calls at work are given when the server stops
    hidden: tuple[Path, ...] = ()  # files and folders that user code must not see, besides the lake and the cache

    @classmethod
    def of(
        cls,
        root: str | Path,
        grpc_address: str = GRPC_ADDRESS,
        http_address: str = HTTP_ADDRESS,
        *,
        allow_open: bool = False,
        workers: int | None = None,
        cache: CacheSettings | None = None,
    ) -> "Settings":
        """Settings as they are written on a command line; as many workers as cores unless it says how many.

        Raises:
            BadRequest: BAD_ARGUMENT: an address that cannot be read, or less than no worker.
            Refused: OPEN_ADDRESS: other machines could reach an address, and `allow_open` was not given.
        """
        grpc, http = Address.parse(grpc_address), Address.parse(http_address)
        for name, address in (("grpc", grpc), ("http", http)):
            if not address.is_loopback and not allow_open:
                raise Refused(
                    ErrorKind.OPEN_ADDRESS,
                    f"{name} address {address} is open to other machines, and who reaches it can run commands here; "
                    "listen on 127.0.0.1, or allow it with --allow-open",
                )
        count = cores() if workers is None else workers
        if count < 0:
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{count} workers cannot be started; use 0 for none")
        return cls(Path(root).expanduser().absolute(), grpc, http, count, cache)

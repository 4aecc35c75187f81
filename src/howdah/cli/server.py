# SPDX-License-Identifier: Apache-2.0
"""`howdah server`: serve a lake. The one command that loads server code, and only when it runs."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.server.log_keeper import LogRules

__all__ = ["default_root", "server"]


@command(
    "server", "howdah server", "howdah server --root /data/lake --grpc 127.0.0.1:30650", project=False, output=False
)
@click.option("--root", metavar="DIR", help="The lake's folder; made if there is none. Default: a folder of this user.")
@click.option("--grpc", metavar="HOST:PORT", help="Where clients connect. Default: 127.0.0.1:30650; port 0: any.")
@click.option("--http", metavar="HOST:PORT", help="Where /readyz, /livez and /metrics are. Default: 127.0.0.1:1600.")
@click.option("--allow-open", is_flag=True, help="Listen also where other machines can connect.")
@click.option(
    "--workers", type=click.IntRange(0), metavar="N", help="How many run user code; 0: none here. Default: one a core."
)
@click.option(
    "--store",
    metavar="URL",
    help="Where the objects are: s3://bucket/prefix, gs://, az://, a folder; it is remembered.",
)
@click.option("--force-store", is_flag=True, help="Make a lake also in a store that fails `howdah store probe`.")
@click.option("--cache", metavar="DIR", help="Copies of objects of a bucket; else $HOWDAH_CACHE, else a user's folder.")
@click.option("--cache-size", metavar="SIZE", help="How much of them; else $HOWDAH_CACHE_SIZE, else 10GiB. 0: none.")
@click.option("--gc-period", metavar="TIME", help="Time between garbage collections; 0s for none. Default: 1h.")
@click.option(
    "--secrets-key-file", metavar="FILE", help="What seals secrets; else $HOWDAH_SECRETS_KEY, else a file of this user."
)
@click.option(
    "--retention-period", metavar="TIME", help="How often retention rules are applied; 0s: never. Default: 10m."
)
@click.option("--logs-keep", metavar="TIME", help="How long lines of logs are kept; 0s: for ever. Default: 30d.")
@click.option("--logs-max", metavar="SIZE", help="How much of them, compressed; 0: without end. Default: 10GiB.")
@click.option("--logs-datum-max", metavar="SIZE", help="What one datum may print into the logs. Default: 64MiB.")
@click.option(
    "--execution",
    metavar="HOW",
    help="auto: containers for specs that name an image; process; container. Else $HOWDAH_EXECUTION, else auto.",
)
@click.option(
    "--engine", metavar="URL", help="The container engine; else $HOWDAH_ENGINE, $DOCKER_HOST, Docker or Podman here."
)
@click.option(
    "--missing-engine",
    metavar="WHAT",
    help="Where none answers: refuse, or process. Else $HOWDAH_MISSING_ENGINE, else refuse.",
)
@click.option(
    "--pull", metavar="WHEN", help="Fetch images when missing, always or never; else $HOWDAH_PULL, else missing."
)
@click.option(
    "--container-network",
    metavar="NAME",
    help="Network of containers; none for none. Else $HOWDAH_CONTAINER_NETWORK, else bridge.",
)
@click.option(
    "--container-root",
    metavar="HOW",
    help="read-only: containers write /pfs and /tmp alone. Else $HOWDAH_CONTAINER_ROOT, else writable.",
)
@click.option(
    "--container-shell",
    metavar="FILE",
    help="The static busybox for containers, or NAME@sha256:… of an image of it; else $HOWDAH_CONTAINER_SHELL, else "
    "/bin/busybox.",
)
def server(
    _: Session,
    root: str | None,
    grpc: str | None,
    http: str | None,
    allow_open: bool,
    workers: int | None,
    store: str | None,
    force_store: bool,
    cache: str | None,
    cache_size: str | None,
    gc_period: str | None,
    secrets_key_file: str | None,
    retention_period: str | None,
    logs_keep: str | None,
    logs_max: str | None,
    logs_datum_max: str | None,
    **containers: str | None,
) -> None:
    """Serve a lake until Ctrl-C or SIGTERM: API, stores, scheduler and workers in one command.

    Pipelines run commands as the user of the server, or in containers of the images that they name. Whoever can connect
    can make pipelines, so an address that other machines reach is refused without --allow-open.
    """
    # gRPC's own log would repeat, in its words and on lines of its own, what our errors say. Read when it is loaded.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from howdah.model.units import parse_size
    from howdah.server.app import run
    from howdah.server.executions import execution_settings
    from howdah.server.secret_keys import VARIABLE
    from howdah.server.settings import (
        GC_PERIOD_SECONDS,
        GRPC_ADDRESS,
        HTTP_ADDRESS,
        LOGS_DATUM_MAX,
        RETENTION_PERIOD_SECONDS,
    )
    from howdah.storage.disk_cache import default_cache

    given = {"HOWDAH_CACHE": cache, "HOWDAH_CACHE_SIZE": cache_size}
    near = default_cache({**os.environ, **{name: value for name, value in given.items() if value is not None}})
    run(
        root or default_root(),
        grpc or GRPC_ADDRESS,
        http or HTTP_ADDRESS,
        allow_open=allow_open,
        workers=workers,
        store=store,
        force_store=force_store,
        cache=near,
        secrets_key_file=Path(secrets_key_file) if secrets_key_file else None,
        # Taken out of the environment, which workers inherit.
        secrets_key=os.environ.pop(VARIABLE, None),
        gc_period_seconds=_seconds(gc_period, GC_PERIOD_SECONDS),
        retention_period_seconds=_seconds(retention_period, RETENTION_PERIOD_SECONDS),
        log_rules=_log_rules(logs_keep, logs_max),
        logs_datum_max=LOGS_DATUM_MAX if logs_datum_max is None else parse_size(logs_datum_max),
        execution=execution_settings(containers),
    )


def _log_rules(keep: str | None, bytes_max: str | None) -> "LogRules":
    """The rules for logs as they are given; nothing is no limit."""
    from howdah.model.units import parse_duration, parse_size
    from howdah.server.log_keeper import LOGS_BYTES_MAX, LOGS_KEEP, LogRules

    return LogRules(
        LOGS_KEEP if keep is None else parse_duration(keep) or None,
        LOGS_BYTES_MAX if bytes_max is None else parse_size(bytes_max) or None,
    )


def _seconds(text: str | None, default: float) -> float:
    from howdah.model.units import parse_duration

    return default if text is None else parse_duration(text).total_seconds()


def default_root() -> Path:
    """Where programs of this user keep data."""
    if folder := os.environ.get("XDG_DATA_HOME"):
        return Path(folder) / "howdah"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "howdah"
    return Path.home() / ".local" / "share" / "howdah"

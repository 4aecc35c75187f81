# SPDX-License-Identifier: Apache-2.0
"""The server, put together: the one place where concrete classes are chosen.

A root folder holds one lake: `metadata.db` is its database, `server.lock` the lock of the process that serves it,
`lake/` its object store unless that is elsewhere (`server.place`). `opened` makes what needs no loop, `Server` what
listens on one; `run` is a whole process.
Everything stops in the reverse of the order in which it started: calls first, then what does their work.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select
from starlette.routing import Route

from howdah.apis.chunk_links import ChunkLinks
from howdah.apis.grpc.edge import GrpcEdge, lake_services
from howdah.apis.grpc.errors import status_of
from howdah.apis.http import Gateway, HttpEdge, chunk_route, probes_app, schema_routes
from howdah.apis.hub import Hub
from howdah.apis.metrics import Metrics
from howdah.db.engine import Database
from howdah.engine import EngineAt
from howdah.errors import ErrorKind, Refused, Unavailable
from howdah.execution.process import ProcessPool
from howdah.kit.clock import Clock, SystemClock
from howdah.kit.ids import new_id
from howdah.pfs.lake import Pfs
from howdah.pps.pps import Pps
from howdah.pps.sealing import KeySource
from howdah.server import logs
from howdah.server.allocator import keep_memory_of_messages
from howdah.server.event_keeper import EventKeeper
from howdah.server.executions import PROCESSES, READ_ONLY, ExecutionSettings, engine_of, told_of
from howdah.server.feed import notifier
from howdah.server.gauges import StoreBytes
from howdah.server.leftovers import Leftovers, owner
from howdah.server.lock import locked
from howdah.server.log_keeper import LogKeeper, LogRules
from howdah.server.own_log import OwnLog
from howdah.server.place import StoreSettings, opened_place
from howdah.server.secret_keys import server_keys
from howdah.server.settings import (
    DEFAULT_LOG_RULES,
    GC_PERIOD_SECONDS,
    GRPC_ADDRESS,
    HTTP_ADDRESS,
    LOGS_DATUM_MAX,
    RETENTION_PERIOD_SECONDS,
    Address,
    Settings,
)
from howdah.server.workers import ContainerWords, Workers, worker_command
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.disk_cache import CacheSettings
from howdah.storage.lake import Lake, open_lake, open_store
from howdah.storage.patience import IMPATIENT
from howdah.storage.storage import Storage
from howdah.upkeep import Upkeep
from howdah.upkeep.keeper import Keeper
from howdah.upkeep.rule_keeper import RuleKeeper

__all__ = ["Opened", "Server", "opened", "run"]

DEFAULT_STORE: Final = StoreSettings()

_EVERY_ADDRESS: Final = {"0.0.0.0", "::"}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A lake that is open and locked, and the layers over it."""

    lake: Lake
    clock: Clock
    pfs: Pfs
    pps: Pps
    upkeep: Upkeep
    engine: EngineAt | None = None  # that its containers run on, whether it answers or not; None for no containers

    @property
    def db(self) -> Database:
        """The metadata database."""
        return self.pfs.db

    def check(self) -> None:
        """Return if database and store answer.

        Raises:
            HowdahError: one does not, and why.
        """
        with self.db.read() as tx:
            tx.execute(select(1)).one()
        store = self.pfs.storage.store
        # Whoever asks whether we are ready wants to know it now, not when a bucket answers again.
        found = open_lake(open_store(store.url, IMPATIENT) if store.overlap else store)
        if found.id != self.lake.id:
            text = f"the store holds lake {found.id} instead of {self.lake.id}; put the right one back"
            raise Unavailable(ErrorKind.STORE_FAILED, text)


@contextmanager
def opened(
    root: Path,
    clock: Clock | None = None,
    *,
    workers: int = 1,
    store: StoreSettings = DEFAULT_STORE,
    keys: KeySource | None = None,
    execution: ExecutionSettings = PROCESSES,
) -> Iterator[Opened]:
    """The lake in a folder, made if there is none; locked and open inside the block.

    `workers` is how many will claim work: jobs are cut into parts for so many. `keys` seal secrets (`pps.sealing`).
    `execution` says which pipelines run in containers.
    What writers that died more than a day ago left half-written is removed, and their leases are forgotten.

    Raises:
        Refused: LAKE_LOCKED: another server has it; READ_ONLY; and as `opened_place`.
        Unsupported, Damaged: it is not one that this version can serve.
    """
    clock = clock or SystemClock()
    _make_folder(root)
    with ExitStack() as stack:
        stack.enter_context(locked(root))
        lake, db, objects = stack.enter_context(opened_place(root, store, clock))
        if isinstance(objects, DirectoryStore):
            objects.remove_leftovers(clock.now())
        storage = stack.enter_context(Storage(objects))
        pfs = Pfs.open(db, storage)
        pfs.catalog.leases.expire()
        pfs.held.begin()
        pfs.file_sets.expire()
        if (engine := engine_of(execution)) is not None:
            stack.callback(engine.close)
        pps = Pps.open(
            pfs.catalog,
            db,
            storage,
            clock=clock,
            workers=workers,
            keys=keys,
            rules=execution.rules,
            engine=engine,
        )
        yield Opened(lake, clock, pfs, pps, Upkeep.open(pfs), engine)


class Server:
    """The APIs of an open lake, on the running loop: `start` once, `stop` once."""

    def __init__(self, opened: Opened, settings: Settings) -> None:
        self._opened = opened
        self._settings = settings
        self._hub = Hub()
        self._metrics = metrics = Metrics()
        size = StoreBytes(opened.pfs.storage.store, opened.clock)
        metrics.gauge(
            "howdah_store_bytes",
            "Bytes of all objects of the lake, counted some minutes or, in a bucket, hours ago.",
            size.read,
        )
        counted = opened.pps.claims.counted
        metrics.counter("howdah_datums", "Datums that workers handed in, however they ended.", counted.datums)
        metrics.counter(
            "howdah_user_code_cpu_seconds", "CPU time of the user code of these datums.", counted.cpu_seconds
        )
        self._grpc = GrpcEdge(self._hub, metrics)
        self._links = ChunkLinks(self._http_url, opened.clock)
        chunks = chunk_route(opened.pfs.storage.chunks, self._links)
        self._pages = probes_app(self._ready, metrics.registry, [chunks, *schema_routes()])
        self._http = HttpEdge(self._pages)
        self._keeper = Keeper(
            opened.upkeep.collector, settings.gc_period_seconds, lambda done: size.seen(done.left_bytes)
        )
        self._rules = RuleKeeper(opened.upkeep.retiring, settings.retention_period_seconds)
        self._logs = LogKeeper(opened.pps.logs.mover, settings.logs)
        self._events = EventKeeper(opened.db)
        # Made when it is known where they find the server.
        self._workers: Workers | None = None
        self._run_id = new_id()
        self._leftovers: Leftovers | None = None
        self._serving = False
        # Where it really listens; known once it has started.
        self.grpc_address = settings.grpc
        self.http_address = settings.http

    async def start(self) -> None:
        """Bring jobs forward, listen on both addresses, and let workers come when there is work.

        Raises:
            Refused: BUSY: one of them is taken; nothing listens then.
        """
        self._forget = self._opened.db.on_commit(notifier(self._hub))
        bridge = self._grpc.bridge
        lake = self._opened
        services = lake_services(bridge, lake.pfs, lake.pps, lake.upkeep, lake.lake.id, lake.clock, self._links)
        http, grpc = self._settings.http, self._settings.grpc
        try:
            self.http_address = Address(http.host, await self._http.start(http.host, http.port))
            await asyncio.to_thread(lake.pps.secrets.begin)
            await asyncio.to_thread(lake.pps.scheduler.start)
            lake.pps.images.start()
            await asyncio.to_thread(lake.pfs.triggers.start)
            await asyncio.to_thread(lake.pps.ticker.start)
            self.grpc_address = Address(grpc.host, await self._grpc.start(str(grpc), services))
            gateway = Gateway(self._grpc.services, status_of, self._metrics)
            self._pages.router.routes.append(Route("/api/{path:path}", gateway))
            cache = self._settings.cache if lake.pfs.storage.store.overlap else None
            command = worker_command(
                self._settings.root,
                str(self.grpc_address),
                cache,
                self._settings.hidden,
                datum_bytes_max=self._settings.logs_datum_max,
                containers=self._containers(),
            )
            pool = ProcessPool(command, ended=lake.pps.claims.release_of)
            self._workers = Workers(pool, lake.db, lake.pps, self._settings.workers)
            await asyncio.to_thread(self._workers.start)
            self._keeper.start()
            self._rules.start()
            self._logs.start()
            self._events.start()
            if lake.engine is not None:
                self._leftovers = Leftovers(lake.engine, lake.lake.id, self._run_id)
                self._leftovers.start()
        except BaseException:
            await self.stop()
            raise
        self._serving = True

    async def stop(self) -> None:
        """End the workers, take no more calls, let those at work finish within the grace, and end every thread."""
        self._serving = False
        self._grpc.drain()
        if self._workers is not None:
            await asyncio.to_thread(self._workers.stop)
        grace = self._settings.grace_seconds
        await asyncio.gather(self._grpc.stop(grace), self._http.stop(grace))
        await asyncio.to_thread(self._grpc.bridge.close)
        if self._leftovers is not None:
            await asyncio.to_thread(self._leftovers.stop)
        await asyncio.to_thread(self._opened.pps.ticker.stop)
        await asyncio.to_thread(self._opened.pfs.triggers.stop)
        await asyncio.to_thread(self._events.stop)
        await asyncio.to_thread(self._logs.stop)
        await asyncio.to_thread(self._rules.stop)
        await asyncio.to_thread(self._keeper.stop)
        await asyncio.to_thread(self._opened.pps.images.stop)
        await asyncio.to_thread(self._opened.pps.scheduler.stop)
        self._forget()

    def _containers(self) -> ContainerWords | None:
        """What workers are told of containers; None if there are none here."""
        lake, settings = self._opened, self._settings.execution
        if lake.engine is None:
            return None
        return ContainerWords(
            lake.engine.address,
            settings.network,
            owner(lake.lake.id, self._run_id),
            settings.shell,
            settings.root == READ_ONLY,
        )

    def _http_url(self) -> str:
        """Where others find the HTTP edge: by this machine's name if it listens on every address."""
        http = self.http_address
        host = socket.gethostname() if http.host in _EVERY_ADDRESS else http.host
        return f"http://{Address(host, http.port)}"

    def _ready(self) -> None:
        if not self._serving:
            raise Unavailable(ErrorKind.UNREACHABLE, "the server is starting or stopping; ask again")
        self._opened.check()


def run(
    root: str | Path,
    grpc_address: str = GRPC_ADDRESS,
    http_address: str = HTTP_ADDRESS,
    *,
    allow_open: bool = False,
    workers: int | None = None,
    store: str | None = None,
    force_store: bool = False,
    cache: CacheSettings | None = None,
    gc_period_seconds: float = GC_PERIOD_SECONDS,
    retention_period_seconds: float = RETENTION_PERIOD_SECONDS,
    log_rules: LogRules = DEFAULT_LOG_RULES,
    logs_datum_max: int = LOGS_DATUM_MAX,
    secrets_key_file: Path | None = None,
    secrets_key: str | None = None,
    execution: ExecutionSettings = PROCESSES,
    json_logs: bool | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve a lake until SIGTERM or SIGINT, then return; a second signal ends the process at once.

    So many `workers` run user code, by default one for each core; 0 leaves that to workers from elsewhere. The objects
    are in `store`, by default where the lake has them; `force_store` and `cache` are those of `StoreSettings`. Garbage
    is collected once in each `gc_period_seconds`, retention rules are applied in each `retention_period_seconds`; never
    with 0. Of logs so much is kept as `log_rules` say, and of one datum at most `logs_datum_max` bytes.

    Secrets are sealed with the key in `secrets_key_file`, else with `secrets_key`, else with this user's own
    (`server.secret_keys`). `execution` says which pipelines run in containers, and by which engine.

    When calls are answered, one line that says where goes to `announce`, standard output by default. Logs go to stderr,
    as JSON unless that is a terminal or `json_logs` says otherwise.

    Raises:
        BadRequest, Refused: the settings, the folder or an address will not do; nothing was served.
        Unsupported, Damaged: as `opened`.
    """
    settings = Settings.of(root, grpc_address, http_address, allow_open=allow_open, workers=workers, cache=cache)
    settings = replace(
        settings,
        gc_period_seconds=gc_period_seconds,
        retention_period_seconds=retention_period_seconds,
        logs=log_rules,
        logs_datum_max=logs_datum_max,
        execution=execution,
    )
    logs.configure(json=json_logs)
    keep_memory_of_messages()
    place = StoreSettings(store, force_store, cache)
    keys = server_keys(settings.root, store, secrets_key_file, secrets_key)
    settings = replace(settings, hidden=keys.hidden)
    with opened(settings.root, workers=settings.workers, store=place, keys=keys, execution=execution) as lake:
        asyncio.run(_serve(lake, settings, announce or _print_line))


async def _serve(lake: Opened, settings: Settings, announce: Callable[[str], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        _log.info("stopping", signal=number.name, pid=os.getpid())
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)
        stopping.set()

    server = Server(lake, settings)
    own_log = OwnLog(lake.pps.logs.append_own)
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop, each)
    own_log.open()
    try:
        await server.start()
        grpc, http = server.grpc_address, server.http_address
        announce(f"howdah is ready: grpc {grpc}, http http://{http}, lake {settings.root}")
        how = await asyncio.to_thread(told_of, settings.execution, lake.engine)
        _log.info("serving", grpc=str(grpc), http=str(http), pid=os.getpid(), pipelines=how)
        await stopping.wait()
        await server.stop()
    finally:
        await asyncio.to_thread(own_log.shut)
    _log.info("stopped", pid=os.getpid())


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _make_folder(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        text = f"folder {root} cannot be made ({reason}); choose another with --root, or give this user the right to it"
        raise Refused(ErrorKind.READ_ONLY, text) from error

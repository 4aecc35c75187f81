# SPDX-License-Identifier: Apache-2.0
"""A real server inside the test's process, on free ports and a lake of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from howdah.pfs.lake import Pfs
from howdah.pps.pps import Pps
from howdah.pps.sealing import KeySource
from howdah.server.app import Opened, Server, opened
from howdah.server.executions import PROCESSES, ExecutionSettings
from howdah.server.place import StoreSettings
from howdah.server.settings import Settings

__all__ = ["RunningServer", "running_server"]

_START_SECONDS = 30.0  # reached only when a start hangs


class RunningServer:
    """Where a server listens, and the lake behind it, to look at what calls have done."""

    def __init__(self, server: Server, lake: Opened, root: Path) -> None:
        self.root = root
        self.host = server.grpc_address.host
        self.grpc_port = server.grpc_address.port
        self.grpc_address = str(server.grpc_address)
        self.http_address = f"http://{server.http_address}"
        self.lake_id = lake.lake.id
        self.pfs: Pfs = lake.pfs
        self.pps: Pps = lake.pps


@contextmanager
def running_server(
    root: Path,
    *,
    workers: int = 0,
    store: str | None = None,
    keys: KeySource | None = None,
    execution: ExecutionSettings = PROCESSES,
) -> Iterator[RunningServer]:
    """A server of the lake in `root`, ready inside the block and stopped after it. Its loop has a thread of its own.

    Its `workers` are real processes; without any, a test does the work itself (`server.pps.claims`, or over gRPC). Its
    `keys` seal secrets; unless given, they are forgotten with it. `execution` says which pipelines run in containers.
    """
    settings = replace(Settings.of(root, "127.0.0.1:0", "127.0.0.1:0", workers=workers), execution=execution)
    place = StoreSettings(store)
    with opened(settings.root, workers=max(1, workers), store=place, keys=keys, execution=execution) as lake:
        started: Future[tuple[Server, Callable[[], None]]] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(_serve(lake, settings, started)), name="test-server")
        thread.start()
        try:
            server, stop = started.result(_START_SECONDS)
            try:
                yield RunningServer(server, lake, settings.root)
            finally:
                stop()
        finally:
            thread.join()


async def _serve(lake: Opened, settings: Settings, started: "Future[tuple[Server, Callable[[], None]]]") -> None:
    """Serve until the function that `started` is given is called, from any thread."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        server = Server(lake, settings)
        await server.start()
    except BaseException as error:
        started.set_exception(error)
        return

    def stop() -> None:
        loop.call_soon_threadsafe(stopping.set)

    started.set_result((server, stop))
    await stopping.wait()
    await server.stop()

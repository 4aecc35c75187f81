# SPDX-License-Identifier: Apache-2.0
"""A worker as a process of its own: `python -m howdah.worker --server HOST:PORT --work DIR --id ID [--hidden DIR]...`.

It ends with its parent: standard input is a pipe of which the parent alone holds the other end, and its end is
this process's. SIGTERM and SIGINT stop it in order; whatever it could not hand in by then is done by another.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from howdah.errors import ErrorKind, HowdahError, Unavailable
from howdah.kit.clock import SystemClock
from howdah.storage.cached_store import near
from howdah.storage.disk_cache import CACHE_BYTES_MAX, CacheSettings
from howdah.storage.lake import open_lake, open_store
from howdah.storage.storage import Storage
from howdah.worker.containers import DEFAULT_NETWORK, Containers, ContainerSettings
from howdah.worker.folders import Folders
from howdah.worker.link import Link
from howdah.worker.logs import DATUM_BYTES_MAX
from howdah.worker.nest import Nest, end_with
from howdah.worker.runner import Runner
from howdah.worker.volumes import volume
from howdah.worker.worker import Worker

__all__ = ["main"]

_STDIN: Final = 0
_OWNERS_ALONE: Final = 0o700
# Several threads share the interpreter; the one that runs commands must not wait 5 ms for its turn.
_SWITCH_SECONDS: Final = 0.0005

# A worker reads each input once or twice; what it keeps is for the next datum.
_CACHE_BYTES: Final = 48 << 20

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker until it is told to stop; its exit code."""
    options = _options(arguments)
    end_with(_STDIN)
    sys.setswitchinterval(_SWITCH_SECONDS)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s worker {options.id}: %(levelname)s: %(message)s"
    )
    end = _End()
    try:
        return _work(options, end)
    except HowdahError as error:
        _log.error("%s", error.message)
        return 1
    finally:
        end.close()


class _End:
    """What a worker runs until: SIGTERM, SIGINT, or `come`. Made and waited for by the main thread.

    A pipe: the system may give a signal to any thread, and that would not wake a main thread which waits for a lock.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)  # its number is in the pipe by then

    def come(self) -> None:
        """End the wait, from any thread."""
        os.write(self._write, b"\0")

    def wait(self) -> None:
        """Return when one of them came."""
        os.read(self._read, 1)

    def close(self) -> None:
        """Wait for signals no more."""
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m howdah.worker", description="Run datums for a howdah server.")
    parser.add_argument("--server", required=True, metavar="HOST:PORT", help="the server's gRPC address")
    parser.add_argument("--work", required=True, type=Path, metavar="DIR", help="a folder for this worker alone")
    parser.add_argument("--id", required=True, help="the worker's name, unique among those of the server")
    parser.add_argument(
        "--hidden", type=Path, action="append", default=[], metavar="DIR", help="what user code must not see"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where copies of objects from far away are kept")
    parser.add_argument("--cache-size", type=int, default=CACHE_BYTES_MAX, metavar="BYTES", help="how much of them")
    parser.add_argument(
        "--engine", metavar="URL", help="the container engine of claims that name an image; without it they are refused"
    )
    parser.add_argument("--network", default=DEFAULT_NETWORK, metavar="NAME", help="of containers; none for none")
    parser.add_argument("--owner", default="", metavar="WORDS", help="the label of containers, by which they are found")
    parser.add_argument("--read-only", action="store_true", help="containers can write /pfs and /tmp alone")
    parser.add_argument("--shell", default="", metavar="FILE", help="the static busybox for containers, or its image")
    parser.add_argument(
        "--logs-datum-max", type=int, default=DATUM_BYTES_MAX, metavar="BYTES", help="what a datum may print into logs"
    )
    return parser.parse_args(arguments)


def _work(options: argparse.Namespace, end: _End) -> int:
    options.work.mkdir(parents=True, exist_ok=True)
    containers = None
    if options.engine:
        owner = f"{options.owner}/{options.id}" if options.owner else ""
        settings = ContainerSettings(options.engine, options.network, owner, options.shell, read_only=options.read_only)
        containers = Containers.at(settings, options.work)
    runner = Runner(lambda in_memory: Nest.start(volume(options.work, in_memory=in_memory), options.hidden), containers)
    if runner.is_contained:
        # Files of user code lie here for a moment; it may run as root, and leave programs with that one's rights.
        os.chmod(options.work, _OWNERS_ALONE)
    folders = Folders(options.work, reuse=runner.is_contained)
    link = Link(options.server, options.id)
    cache = CacheSettings(options.cache, options.cache_size) if options.cache else None
    worker = Worker(
        link,
        runner,
        folders,
        lambda: _open_storage(link, cache),
        SystemClock(),
        logs_datum_max=options.logs_datum_max,
    )
    failures: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:
            _log.exception("the worker ends by an error")
            failures.append(error)
        finally:
            end.come()

    # A thread, because signals are handled in the main one, which must be free for them.
    thread = threading.Thread(target=run, name="worker")
    thread.start()
    end.wait()
    worker.stop()
    thread.join()
    runner.close()
    link.close()
    folders.close()
    return 1 if failures else 0


def _open_storage(link: Link, cache: CacheSettings | None) -> Storage:
    lake_id, url = link.lake()
    store = open_store(url)
    found = open_lake(store)
    if found.id != lake_id:
        text = f"the store {url} holds lake {found.id}, and the server's lake is {lake_id}"
        raise Unavailable(ErrorKind.UNREACHABLE, f"{text}; run the worker where the server's store is at that address")
    return Storage(near(store, cache), cache_bytes=_CACHE_BYTES)

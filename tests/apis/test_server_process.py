# SPDX-License-Identifier: Apache-2.0
"""The server as a process: who may have the lake, where it listens, how it starts and ends."""

import math
import os
import signal
import socket
import subprocess
import sys
import threading

import grpc
import pytest

from howdah.apis.hub import Hub
from howdah.client import Client
from howdah.db.events import Event
from howdah.errors import BadRequest, ErrorKind, Refused
from howdah.kit.clock import SystemClock
from howdah.model.logs import LogLevel
from howdah.server.app import opened, run
from howdah.server.feed import notifier
from howdah.server.gauges import StoreBytes
from howdah.server.settings import Address, Settings
from howdah.storage.memory_store import MemoryStore
from howdah.testing import ManualClock
from howdah.testing.server import running_server
from howdah.wire.stubs import health_v1_pb2, health_v1_pb2_grpc

WAIT = 20.0  # seconds; reached only by a failing test

SERVE = "import sys, howdah.server; howdah.server.run(sys.argv[1], '127.0.0.1:0', '127.0.0.1:0', workers=0)"


@pytest.fixture
def start(tmp_path):
    """Start server processes of the lake in a folder; each gives its ready line."""
    processes = []

    def started(root=tmp_path):
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process, process.stdout.readline()

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_process_keeps_its_own_log_in_the_lake(start):
    """Who asks for it gets what also went to stderr, and what comes."""
    _, line = start()
    address = line.split("grpc ")[1].split(",")[0]
    with Client(address) as client:
        own = next(each for each in client.logs(server=True, follow=True) if "serving" in each.message)

    assert (LogLevel.INFO, None) == (own.level, own.pipeline)
    assert own.message.startswith("howdah.server.app: serving grpc=127.0.0.1:")


@pytest.mark.slow
def test_a_process_says_when_it_is_ready_and_ends_by_a_signal(start, tmp_path):
    """One line with its addresses; SIGTERM ends it with 0 although somebody is still watching, and the lock is free."""
    process, line = start()
    address = line.split("grpc ")[1].split(",")[0]
    with grpc.insecure_channel(address) as channel:
        watch = health_v1_pb2_grpc.HealthStub(channel).Watch(health_v1_pb2.HealthCheckRequest(), timeout=WAIT)
        next(watch)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=WAIT)

    assert line.startswith("howdah is ready: grpc 127.0.0.1:")
    assert line.endswith(f", lake {tmp_path}\n")
    assert 0 == process.returncode
    assert "Traceback" not in log
    with opened(tmp_path):
        pass


@pytest.mark.slow
def test_a_killed_server_leaves_its_lake_free(start, tmp_path):
    """The lock dies with the process, whatever the file says."""
    process, _ = start()
    process.kill()
    process.wait(WAIT)

    with opened(tmp_path) as lake:
        lake.check()


def test_a_second_server_of_a_lake_is_refused_by_name_and_pid(tmp_path):
    """The one that has it is told."""
    with opened(tmp_path), pytest.raises(Refused) as caught, opened(tmp_path):
        pass

    assert ErrorKind.LAKE_LOCKED == caught.value.kind
    assert str(tmp_path) in caught.value.message
    assert f"process {os.getpid()}" in caught.value.message


@pytest.mark.parametrize("name", ["grpc", "http"])
def test_a_port_in_use_is_refused(tmp_path, name):
    """The text names which and where, and the lake is free again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        addresses = {"grpc_address": "127.0.0.1:0", "http_address": "127.0.0.1:0", f"{name}_address": address}

        with pytest.raises(Refused) as caught:
            run(tmp_path, **addresses, workers=0)

    assert ErrorKind.BUSY == caught.value.kind
    assert caught.value.message.startswith(f"{name} cannot listen on {address}")
    with opened(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    """A file is where it should be."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Refused) as caught, opened(tmp_path / "file" / "lake"):
        pass

    assert ErrorKind.READ_ONLY == caught.value.kind


def test_a_lake_keeps_its_id(tmp_path):
    """From one start to the next."""
    with opened(tmp_path) as lake:
        first = lake.lake.id
    with opened(tmp_path) as lake:
        second = lake.lake.id

    assert first == second


@pytest.mark.parametrize("address", ["0.0.0.0:1", ":1", "[::]:1", "example.org:1", "192.168.0.1:1"])
def test_an_address_that_others_reach_must_be_allowed(address):
    """The text says how; allowed, it is taken."""
    with pytest.raises(Refused) as caught:
        Settings.of("lake", address)
    allowed = Settings.of("lake", address, allow_open=True)

    assert ErrorKind.OPEN_ADDRESS == caught.value.kind
    assert "--allow-open" in caught.value.message
    assert 1 == allowed.grpc.port


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:1", "[::1]:1", "127.9.9.9:1"])
def test_an_address_of_this_machine_alone_is_free(address):
    """Nobody else reaches it."""
    assert 1 == Settings.of("lake", "127.0.0.1:0", address).http.port


@pytest.mark.parametrize("address", ["", "host", "1234", "host:", "host:port", "host:70000", "::1:5"])
def test_an_address_that_cannot_be_read_is_refused(address):
    """It is shown, with an example."""
    with pytest.raises(BadRequest, match="is not host:port; write"):
        Address.parse(address)


def test_an_address_is_shown_as_it_is_written():
    """Brackets around IPv6."""
    assert ["[::1]:5", "localhost:5"] == [str(Address.parse(text)) for text in ("[::1]:5", "localhost:5")]


def test_an_event_wakes_those_that_wait_for_a_prefix():
    """Up to the first slash, and not those whose subject only begins alike."""
    told = []
    hub = Hub()
    hub.notify = lambda *subjects: told.extend(subjects)

    notifier(hub)([Event(1, SystemClock().now(), "repo/p/r.user/branch/b", "moved", {})])

    assert {
        "repo",
        "repo/p",
        "repo/p/r.user",
        "repo/p/r.user/branch",
        "repo/p/r.user/branch/b",
    } == set(told)


def test_the_store_is_listed_again_only_after_a_while():
    """In between the last sum is shown."""
    clock, store = ManualClock(), MemoryStore("gauge")
    size = StoreBytes(store, clock)
    store.put("a/b", b"123")
    first = size.read()
    store.put("a/c", b"4567")

    soon = size.read()
    clock.advance(301)

    assert [3, 3, 7] == [first, soon, size.read()]


class FarStore(MemoryStore):
    """As a bucket is: nobody waits for it."""

    overlap = 8


def test_a_store_far_away_is_counted_in_the_background_and_rarely():
    """Who asks does not wait; what garbage collection has counted counts."""
    clock, store, begun = ManualClock(), FarStore("gauge"), []
    size = StoreBytes(store, clock, start=begun.append)
    store.put("a/b", b"123")
    before = size.read(), size.read()
    begun[0]()
    counted = size.read()
    size.seen(5)
    clock.advance(11 * 3600)
    later = size.read()
    clock.advance(2 * 3600)

    last = size.read()

    assert all(map(math.isnan, before))
    assert ([3, 5, 5], 2) == ([counted, later, last], len(begun))


def test_a_stopped_server_leaves_no_thread(tmp_path):
    """All of its own have ended when the block has."""
    before = set(threading.enumerate())

    with running_server(tmp_path):
        pass

    left = [thread.name for thread in threading.enumerate() if thread not in before and not thread.daemon]
    assert [] == [name for name in left if "asyncio" not in name and "AnyIO" not in name]

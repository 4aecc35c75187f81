# SPDX-License-Identifier: Apache-2.0
"""A server that is killed while it collects garbage: nothing that is needed is lost, and the next one goes on."""

import os
import threading
from datetime import timedelta

import pytest

from howdah.client import Client
from howdah.errors import HowdahError
from howdah.model.upkeep import Fault
from tests.crash.servers import SERVER, CrashServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc"),
]
KEPT = {f"/{number}": b"%d kept" % number * 99 for number in range(50)}


@pytest.mark.parametrize("failpoint", ["gc.thrown_away:2", "gc.swept", "gc.removed:2"])
def test_a_kill_while_garbage_is_collected_loses_nothing(failpoint, tmp_path):
    """Files are whole after it, whatever lies in the trash; a second collection leaves nothing of what was deleted."""
    root = tmp_path / "lake"
    first = CrashServer(root, "one", "nobody=one", failpoint)
    first.wait_ready()
    with Client(first.address) as client:
        fill(client)
        client.delete_repo("gone")
        collecting = threading.Thread(target=collect, args=(client,))
        collecting.start()
        reached = first.wait_for_failpoint(threading.Event())
        first.kill(SERVER)
        collecting.join()

    second = CrashServer(root, "two", "nobody=two")
    second.wait_ready()
    try:
        with Client(second.address) as client:
            before = read(client)
            client.collect_garbage(keep=timedelta())
            after = read(client)
            faults = [each for each in client.check() if isinstance(each, Fault)]
            again = client.collect_garbage(keep=timedelta())
    finally:
        second.kill(SERVER)

    assert reached.startswith(failpoint.partition(":")[0])
    assert KEPT == before == after
    assert [] == faults
    assert 0 == again.thrown_away.objects == again.waiting.objects
    assert not any(path.is_file() for path in (root / "lake" / "trash").rglob("*"))


def fill(client):
    for name in ("kept", "gone"):
        client.create_repo(name)
        with client.commit(f"{name}@master") as commit:
            for path, data in KEPT.items():
                commit.put(path, data if name == "kept" else data + b"gone")


def collect(client):
    with pytest.raises(HowdahError):
        client.collect_garbage(keep=timedelta())


def read(client):
    return {path: client.get_file("kept@master", path) for path in KEPT}

# SPDX-License-Identifier: Apache-2.0
"""A server that is killed while cron inputs tick: no tick is lost, and none is made twice."""

import os
import threading
from datetime import datetime, timedelta

import pytest

from howdah.client import Client
from tests.crash.servers import SERVER, CrashServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc"),
]
SPEC = {
    "pipeline": {"name": "clock"},
    "input": {"cron": {"name": "tick", "spec": "@every 1s"}},
    "transform": {"cmd": ["true"]},
}


@pytest.mark.parametrize("failpoint", ["cron.stored:2", "cron.noted:2"])
def test_a_kill_in_a_tick_neither_loses_nor_doubles_it(failpoint, tmp_path):
    """The next server goes on: each second since the pipeline was made has one file and one commit."""
    root = tmp_path / "lake"
    first = CrashServer(root, "one", "nobody=one", failpoint)
    first.wait_ready()
    with Client(first.address) as client:
        client.create_pipeline(SPEC)
        reached = first.wait_for_failpoint(threading.Event())
    first.kill(SERVER)

    second = CrashServer(root, "two", "nobody=two")
    second.wait_ready()
    try:
        with Client(second.address) as client:
            for number, _ in enumerate(client.subscribe_commits("clock_tick", branch="master")):
                if number == 4:
                    break
            client.stop_pipeline("clock")
            names = [info.path for info in client.list_files("clock_tick@master", "/")]
            commits = len(list(client.list_commits("clock_tick")))
    finally:
        second.kill(SERVER)

    times = [datetime.fromisoformat(name.removeprefix("/")) for name in names]
    assert reached.startswith(failpoint.partition(":")[0])
    assert [times[0] + timedelta(seconds=n) for n in range(len(times))] == times
    assert commits == len(times) + 1
    assert len(times) >= 4

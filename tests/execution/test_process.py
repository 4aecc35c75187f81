# SPDX-License-Identifier: Apache-2.0
"""Workers as processes keep the contract of executions, and end with all their group, whatever they do."""

import os
import signal
import subprocess
import sys
import time

import pytest

from howdah.execution import ProcessPool
from howdah.testing import ExecutionContract
from howdah.testing.execution_contract import eventually

# The least that a worker does: it ends with its standard input.
OBEDIENT = ["sh", "-c", "cat > /dev/null"]


def _soon(stopped, seconds):
    stopped.wait(0.01)


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestProcessPool(ExecutionContract):
    """Processes that wait until they are told to end."""

    @pytest.fixture
    def pool(self):
        pool = ProcessPool(lambda worker_id: OBEDIENT, pause=_soon)
        yield pool
        pool.stop()

    def end_one(self, pool):
        pid = pool.pids()["worker-1"]
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: pool.pids().get("worker-1", pid) != pid)


def test_a_worker_is_told_its_own_name(tmp_path):
    """The command is made from the worker's id; each is another."""
    pool = ProcessPool(lambda worker_id: ["touch", str(tmp_path / worker_id)], name="w", pause=_soon)

    pool.start(2)
    found = eventually(lambda: sorted(os.listdir(tmp_path)) == ["w-1", "w-2"])
    pool.stop()

    assert found


def test_a_worker_that_will_not_end_is_killed(tmp_path):
    """SIGTERM is a request; after the grace time comes SIGKILL."""
    script = f"trap '' TERM; : > {tmp_path}/up; while :; do sleep 1000; done"
    pool = ProcessPool(lambda worker_id: ["sh", "-c", script], grace_seconds=0.05)
    pool.start(1)
    assert eventually((tmp_path / "up").exists)
    pid = pool.pids()["worker-1"]

    pool.stop()

    assert not _is_alive(pid)


def test_what_a_worker_left_in_its_group_is_killed(tmp_path):
    """A worker that dies takes its group along, though it was killed itself."""
    script = f"sleep 1000 & echo $! > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/child; cat > /dev/null"
    pool = ProcessPool(lambda worker_id: ["sh", "-c", script], pause=_soon)
    pool.start(1)
    assert eventually((tmp_path / "child").exists)
    child = int((tmp_path / "child").read_text())

    os.kill(pool.pids()["worker-1"], signal.SIGKILL)
    died = eventually(lambda: not _is_alive(child))
    pool.stop()

    assert died


def test_pauses_grow_while_a_worker_cannot_live():
    """A worker that dies at once is not started in a circle; what cannot even be started is no end of the pool."""
    pauses = []

    def pause(stopped, seconds):
        pauses.append(seconds)
        if len(pauses) == 4:
            stopped.wait(20)

    pool = ProcessPool(lambda worker_id: ["/nowhere/worker"], pause=pause)

    pool.start(1)
    tried = eventually(lambda: len(pauses) == 4)
    pool.stop()

    assert tried
    assert [0.2, 0.4, 0.8, 1.6] == pauses


@pytest.mark.slow
def test_workers_end_with_whoever_started_them(tmp_path):
    """When the pool's process is killed, the pipe on which its workers wait ends."""
    program = f"""
import sys, time
from howdah.execution import ProcessPool
pool = ProcessPool(lambda worker_id: {OBEDIENT!r})
pool.start(2)
while pool.alive() < 2:
    time.sleep(0.01)
print(*pool.pids().values(), flush=True)
time.sleep(1000)
"""
    path = os.pathsep.join(each for each in sys.path if each)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        alive = [_is_alive(pid) for pid in pids]

        process.kill()

        assert [True, True] == alive
        assert eventually(lambda: not any(_is_alive(pid) for pid in pids))


def test_stopping_is_quick_when_workers_obey():
    """The grace time is a limit, not a pause."""
    pool = ProcessPool(lambda worker_id: ["sleep", "1000"], grace_seconds=60)
    pool.start(2)
    assert eventually(lambda: pool.alive() == 2)

    began = time.monotonic()
    pool.stop()

    assert time.monotonic() - began < 10

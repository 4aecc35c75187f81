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


def _soon(stopped, seconds):
    stopped.wait(0.01)


def _telling(folder, then="cat > /dev/null", first=""):
    """What workers run who write the numbers of their processes into files with their names, and then go on."""
    return f"{first}echo $$ > {folder}/$0.new; mv {folder}/$0.new {folder}/$0; {then}"


def _shell(script):
    return lambda worker_id: ["sh", "-c", script, worker_id]


def _pid(folder, worker_id="worker-1"):
    assert eventually((folder / worker_id).exists)
    return int((folder / worker_id).read_text())


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestProcessPool(ExecutionContract):
    """Processes that wait until they are told to end."""

    @pytest.fixture
    def pool(self, tmp_path):
        self.folder = tmp_path
        pool = ProcessPool(_shell(_telling(tmp_path)), pause=_soon)
        yield pool
        pool.stop()

    def end_one(self, pool):
        pid = _pid(self.folder)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: _pid(self.folder) != pid)


def test_a_worker_is_told_its_own_name(tmp_path):
    """The command is made from the worker's id; each is another."""
    pool = ProcessPool(lambda worker_id: ["touch", str(tmp_path / worker_id)], name="w", pause=_soon)

    pool.start(2)
    found = eventually(lambda: sorted(os.listdir(tmp_path)) == ["w-1", "w-2"])
    pool.stop()

    assert found


def test_a_worker_that_will_not_end_is_killed(tmp_path):
    """SIGTERM is a request; after the grace time comes SIGKILL."""
    script = _telling(tmp_path, "while :; do sleep 1000; done", "trap '' TERM; ")
    pool = ProcessPool(_shell(script), grace_seconds=0.05)
    pool.start(1)
    pid = _pid(tmp_path)

    pool.stop()

    assert not _is_alive(pid)


def test_what_a_worker_left_in_its_group_is_killed(tmp_path):
    """A worker that dies takes its group along, though it was killed itself."""
    script = f"sleep 1000 & echo $! > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/child; cat > /dev/null"
    pool = ProcessPool(_shell(_telling(tmp_path, script)), pause=_soon)
    pool.start(1)
    assert eventually((tmp_path / "child").exists)
    child = int((tmp_path / "child").read_text())

    os.kill(_pid(tmp_path), signal.SIGKILL)
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
import time
from howdah.execution import ProcessPool
pool = ProcessPool(lambda worker_id: ["sh", "-c", {_telling(tmp_path)!r}, worker_id])
pool.start(2)
time.sleep(1000)
"""
    path = os.pathsep.join(each for each in sys.path if each)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as process:
        pids = [_pid(tmp_path, f"worker-{number}") for number in (1, 2)]
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

# SPDX-License-Identifier: Apache-2.0
"""A worker as a process: how it starts, stops, and ends with whoever started it."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from howdah.worker.main import main
from tests.worker.scripted import Scripted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

PATIENCE_SECONDS = 20
RESTLESS = {"cmd": ["sh", "-c", "setsid sleep 1000 & (sleep 1000 &) ; sleep 1000 & echo up; wait"]}
COPY = {"cmd": ["sh", "-c", 'cp "$in" /pfs/out/']}


class Process:
    """A worker process, and handles of all processes below it."""

    def __init__(self, server, folder, **environment):
        words = ["--server", server.address, "--work", str(folder / "work/w1"), "--id", "w1"]
        path = os.pathsep.join(each for each in sys.path if each)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "howdah.worker", *words, "--hidden", str(folder / "lake")],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )
        self.pidfds = []

    def watch(self):
        """Remember every process below this one; how many there are."""
        self.pidfds = [os.pidfd_open(pid) for pid in _below(self.process.pid)]
        return len(self.pidfds)

    def remaining(self):
        """Wait until all that was watched is dead; how many are not."""
        poll = select.poll()
        for pidfd in self.pidfds:
            poll.register(pidfd, select.POLLIN)
        left = set(self.pidfds)
        while left and (dead := poll.poll(PATIENCE_SECONDS * 1000)):
            for pidfd, _ in dead:
                left.discard(pidfd)
                poll.unregister(pidfd)
        return len(left)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stderr.close()
        for pidfd in self.pidfds:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)


def _below(root):
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, []))
    return tree[1:]


@pytest.fixture
def server(tmp_path):
    server = Scripted(tmp_path)
    yield server
    server.close()


@pytest.fixture
def start(server, tmp_path):
    processes = []

    def make(**environment):
        processes.append(Process(server, tmp_path, **environment))
        return processes[-1]

    yield make
    for each in processes:
        each.close()


def busy(server, worker):
    """Have a worker run a command that started three daemons."""
    server.add(server.lake.claim({"in": {"/a": b"x"}}, [[("in", "/a")]], transform=RESTLESS))
    server.wait(lambda: "up" in server.log())
    assert worker.watch() >= 5  # the shell, three sleepers, the nest


@pytest.mark.slow
def test_a_process_does_datums(server, start, tmp_path):
    """From the command line to the result; what lies about meanwhile is for nobody else of this machine."""
    start()
    server.add(server.lake.claim({"in": {"/a": b"x"}}, [[("in", "/a")]], transform=COPY))

    server.wait_done()

    assert [b"x"] == list(server.output().values())
    assert 0o700 == (tmp_path / "work/w1").stat().st_mode & 0o777


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(server, start, number):
    """Exit code 0, and nothing that the command started is alive."""
    worker = start()
    busy(server, worker)

    worker.process.send_signal(number)

    assert 0 == worker.process.wait(PATIENCE_SECONDS)
    assert 0 == worker.remaining()


@pytest.mark.slow
def test_nothing_outlives_a_killed_worker(server, start):
    """The kernel ends what the command started, daemons in sessions of their own too."""
    worker = start()
    busy(server, worker)

    worker.process.kill()

    assert 0 == worker.remaining()


@pytest.mark.slow
def test_it_ends_with_whoever_started_it(server, start):
    """The end of its standard input is its end, and that of all below it."""
    worker = start()
    busy(server, worker)

    worker.process.stdin.close()

    assert -signal.SIGKILL == worker.process.wait(PATIENCE_SECONDS)
    assert 0 == worker.remaining()


@pytest.mark.slow
def test_an_idle_worker_stops_at_once(server, start):
    """It need not wait for the answer to its claim."""
    worker = start()
    server.add(server.lake.claim({"in": {"/a": b"x"}}, [[("in", "/a")]], transform=COPY))
    server.wait_done()

    worker.process.terminate()

    assert 0 == worker.process.wait(PATIENCE_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["worker.claimed", "worker.ran", "worker.collected", "worker.handed_in"])
def test_a_worker_can_be_held_at_each_step(server, start, tmp_path, point):
    """A crash test kills it there; what it had handed in is there, and nothing else."""
    said = tmp_path / "said"
    os.mkfifo(said)
    worker = start(HOWDAH_FAILPOINT=point, HOWDAH_FAILPOINT_FILE=str(said))
    server.add(server.lake.claim({"in": {"/a": b"x"}}, [[("in", "/a")]], transform=COPY))

    with open(said) as file:
        reached = file.readline().split()
    worker.process.kill()
    worker.process.wait()

    assert [point, str(worker.process.pid)] == reached
    assert (1 if point == "worker.handed_in" else 0) == len(server.hand_ins)


@pytest.mark.slow
def test_another_lake_at_that_address_is_not_worked_on(server, start, tmp_path):
    """A worker whose server tells another lake's id than the store holds says so, and waits."""
    server.lake.lake = type(server.lake.lake)("f" * 32, 1)
    worker = start()

    line = worker.process.stderr.readline().decode()

    assert f"holds lake {server.lake.lake.id[:0]}" in line
    assert f"the server's lake is {'f' * 32}; run the worker where" in line
    assert [] == server.claimed_by


@pytest.mark.parametrize("words", [[], ["--server", "x"], ["--nonsense"]])
def test_wrong_words_are_refused(words, capsys):
    """Usage on standard error, exit code 2."""
    with pytest.raises(SystemExit) as error:
        main(words)

    assert 2 == error.value.code
    assert "usage: python -m howdah.worker" in capsys.readouterr().err

# SPDX-License-Identifier: Apache-2.0
"""Nothing that a command started outlives the worker, the nest, or the server, though they die by SIGKILL."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from howdah.worker.nest import ModeName

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

ONLY = os.environ.get("HOWDAH_TEST_NEST_MODE")
PATIENCE_SECONDS = 10
NESTS = [ModeName.NAMESPACES, ModeName.FOLDER]

# A worker as the server starts it: its stdin is the lifeline. It says what it knows and then runs for ever.
WORKER = """
import sys, threading
from pathlib import Path
from howdah.worker.nest import *
work, refuse, thread = Path(sys.argv[1]), sys.argv[2] == "refuse", sys.argv[3] == "thread"
end_with(0)
nests = []
start = lambda: nests.append(Nest.start(work, refuse_namespaces=refuse))
if thread:
    starter = threading.Thread(target=start)
    starter.start()
    starter.join()
else:
    start()
print(nests[0].mode.name, nests[0].pid, flush=True)
script = "setsid sleep 1000 & (sleep 1000 &) ; sleep 1000 & echo up; wait"
say = lambda line: print(line, flush=True)
nests[0].run(Command(("sh", "-c", script), work / "datum", {"PATH": "/usr/bin:/bin"}, on_output=say))
"""


class Worker:
    """A worker process in which a command runs, and handles of all processes below it."""

    def __init__(self, work: Path, mode: ModeName, thread: str = "main") -> None:
        (work / "datum").mkdir()
        refuse = "refuse" if mode is ModeName.FOLDER and ONLY is None else "try"
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(work), refuse, thread],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        self.mode, nest = self.process.stdout.readline().decode().split()
        self.nest = int(nest)
        assert b"b'up'\n" == self.process.stdout.readline()
        self.pidfds = [os.pidfd_open(pid) for pid in _tree(self.nest)]

    def remaining(self) -> int:
        """Wait until all processes are dead, at most for PATIENCE_SECONDS; tell how many are not."""
        poll = select.poll()
        for pidfd in self.pidfds:
            poll.register(pidfd, select.POLLIN)
        left = set(self.pidfds)
        while left and (dead := poll.poll(PATIENCE_SECONDS * 1000)):
            for pidfd, _ in dead:
                left.discard(pidfd)
                poll.unregister(pidfd)
        return len(left)

    def close(self) -> None:
        """End everything, whatever the test has done."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        for pidfd in self.pidfds:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, []))
    return tree


def _worker(work: Path, mode: ModeName, thread: str = "main") -> Worker:
    if ONLY is not None and mode != ONLY:
        pytest.skip(f"this run is about {ONLY}")
    worker = Worker(work, mode, thread)
    if worker.mode != mode:
        worker.close()
        pytest.fail("no namespaces") if ONLY or os.environ.get("CI") else pytest.skip("no namespaces")
    return worker


@pytest.fixture(params=NESTS)
def worker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Worker]:
    """A worker in each mode, whose command and its three daemons run."""
    worker = _worker(tmp_path, request.param)
    yield worker
    worker.close()


def test_a_command_runs_before_it_is_killed(worker):
    """Its shell, three sleepers and the nest's one or two processes: what the tests below watch die."""
    assert {ModeName.NAMESPACES: 6, ModeName.FOLDER: 4}[worker.mode] <= len(worker.pidfds)


def test_nothing_outlives_a_killed_worker(worker):
    """SIGKILL gives it no time to say good-bye."""
    worker.process.kill()

    assert 0 == worker.remaining()


def test_nothing_outlives_a_killed_server(worker):
    """The server's death closes the lifeline of its worker."""
    worker.process.stdin.close()

    assert 0 == worker.remaining()
    assert -signal.SIGKILL == worker.process.wait(PATIENCE_SECONDS)


def test_nothing_outlives_a_killed_nest(tmp_path):
    """The kernel kills what is in the namespace when its first process dies, and that dies with the outer one."""
    worker = _worker(tmp_path, ModeName.NAMESPACES)

    os.kill(worker.nest, signal.SIGKILL)

    assert 0 == worker.remaining()
    worker.close()


def test_nothing_outlives_a_worker_whose_socket_has_a_copy(worker):
    """A forgotten copy of the worker's descriptors, in a process that lives on, keeps nothing alive."""
    mine = os.pidfd_open(worker.process.pid)
    copy = _copy_of_socket(worker.process.pid)

    worker.process.kill()

    assert 0 == worker.remaining()
    os.close(mine)
    os.close(copy)


def _copy_of_socket(pid: int) -> int:
    """Take a copy of a process's one socket, as a fork of it would have."""
    numbers = [int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir() if "socket:" in os.readlink(path)]
    assert 1 == len(numbers)
    pidfd = os.pidfd_open(pid)
    copy = _libc_syscall(PIDFD_GETFD, pidfd, numbers[0])
    os.close(pidfd)
    return copy


PIDFD_GETFD = 438  # the same on every architecture


def _libc_syscall(number: int, pidfd: int, target: int) -> int:
    import ctypes  # noqa: PLC0415 - only this needs it

    libc = ctypes.CDLL(None, use_errno=True)
    copy = libc.syscall(number, pidfd, target, 0)
    if copy < 0:
        pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    return int(copy)


@pytest.mark.parametrize("mode", NESTS)
def test_a_nest_outlives_the_thread_that_started_it(tmp_path, mode):
    """The kernel tells a thread's death as its parent's; only the whole worker's counts."""
    worker = _worker(tmp_path, mode, "thread")
    poll = select.poll()
    for pidfd in worker.pidfds:
        poll.register(pidfd, select.POLLIN)

    assert [] == poll.poll(50)
    assert worker.process.poll() is None
    worker.process.kill()
    assert 0 == worker.remaining()
    worker.close()

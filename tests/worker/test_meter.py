# SPDX-License-Identifier: Apache-2.0
"""Looking from outside at what a tree of processes uses."""

import itertools
import subprocess
import sys

import pytest

from howdah.worker.meter import Meter
from howdah.worker.values import Cost

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# Each line is so many seconds of CPU time; the end of the input is the end.
SPIN = """
import sys, time
def spin(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    print("done", flush=True)
for line in sys.stdin:
    spin(float(line))
"""
PARENT = f"""
import subprocess, sys
child = None
for line in sys.stdin:
    if child is None:
        child = subprocess.Popen([sys.executable, "-c", {SPIN!r}], stdin=subprocess.PIPE, text=True)
    if line.strip() == "end":
        child.stdin.close()
        child.wait()
        print("done", flush=True)
    else:
        child.stdin.write(line)
        child.stdin.flush()
"""


class Process:
    """A process that does what it is told, one thing after the other."""

    def __init__(self, program):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, text=True)
        self.pid = self.process.pid

    def do(self, what):
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        assert "done\n" == self.process.stdout.readline()

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture
def start():
    started = []

    def make(program):
        started.append(Process(program))
        return started[-1]

    yield make
    for each in started:
        each.end()


def meter_of(process):
    """A meter that looks for new processes at each reading."""
    return Meter(process.pid, monotonic=itertools.count().__next__)


def test_each_reading_has_what_was_used_since_the_last(start):
    """To the millisecond; memory is the most that there ever was."""
    process = start(SPIN)
    process.do(0.05)
    meter = meter_of(process)

    idle = meter.read()
    process.do(0.05)
    busy = meter.read()

    assert idle.cpu_seconds < 0.05 <= busy.cpu_seconds < 1
    assert 1 << 20 < idle.memory_max_bytes <= busy.memory_max_bytes < 1 << 30
    meter.close()


def test_a_child_counts_while_it_lives_and_once(start):
    """Its time goes over to its parent when it ends, and was told before."""
    process = start(PARENT)
    process.do(0)
    meter = meter_of(process)

    process.do(0.3)
    alive = meter.read()
    process.do("end")
    ended = [meter.read(), meter.read()]

    assert 0.3 <= alive.cpu_seconds < 2
    assert sum(each.cpu_seconds for each in ended) < 0.3
    meter.close()


def test_a_child_that_nobody_saw_counts_when_it_has_ended(start):
    """New processes are looked for now and then; a short one may come and go in between."""
    process = start(PARENT)
    blind = Meter(process.pid, monotonic=lambda: 0.0)  # looks once, before there is a child

    process.do(0.3)
    before = blind.read()
    process.do("end")
    after = blind.read()

    assert before.cpu_seconds < 0.3 <= after.cpu_seconds
    blind.close()


def test_of_what_is_gone_nothing_is_read(start):
    """A process that has ended, or never was; and whatever it is, after the end."""
    process = start(SPIN)
    closed = meter_of(process)
    process.do(0.01)
    closed.close()
    process.end()
    gone = meter_of(process)

    assert [Cost()] * 4 == [closed.read(), gone.read(), Meter(0).read(), gone.read()]

# SPDX-License-Identifier: Apache-2.0
"""Workers as threads keep the contract of executions."""

import threading

import pytest

from howdah.execution import ThreadPool
from howdah.testing import ExecutionContract
from howdah.testing.execution_contract import eventually


class TestThreadPool(ExecutionContract):
    """Workers that wait until they are told to end."""

    @pytest.fixture
    def pool(self):
        self.leave = threading.Event()
        self.calls = []
        pool = ThreadPool(self.work, pause=lambda stopped, seconds: stopped.wait(0.001))
        yield pool
        pool.stop()

    def work(self, worker_id, stopped):
        self.calls.append(worker_id)
        while not stopped.wait(0.002):
            if self.leave.is_set() and worker_id == "worker-1":
                self.leave.clear()
                raise RuntimeError("enough of this")

    def end_one(self, pool):
        before = len(self.calls)
        self.leave.set()
        assert eventually(lambda: len(self.calls) == before + 1)

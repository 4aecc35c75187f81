# SPDX-License-Identifier: Apache-2.0
"""The suite that every `howdah.execution.Execution` passes.

A new execution costs a class with a fixture `pool`, whose workers stay until they are told to end, and whose pauses
before a worker is replaced are short; and a way to make one worker end by itself:

    class TestRemotePool(ExecutionContract):
        @pytest.fixture
        def pool(self): ...

        def end_one(self, pool): ...
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from howdah.errors import Refused
from howdah.execution.pool import Execution

__all__ = ["ExecutionContract", "eventually"]

PATIENCE_SECONDS = 20.0


def eventually(condition: Callable[[], bool]) -> bool:
    """Look until `condition()` holds, at most for some seconds; tell whether it does."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.005)
    return True


class ExecutionContract:
    """Subclass it with a fixture `pool` that gives a fresh pool and stops it, and with `end_one`."""

    def end_one(self, pool: Any) -> None:
        """Make one of the pool's workers end by itself; return when it has."""
        raise NotImplementedError

    def test_a_new_pool_has_no_workers(self, pool: Execution) -> None:
        """Workers cost memory; none is there before one is asked for."""
        assert 0 == pool.alive()

    def test_as_many_run_as_were_asked_for(self, pool: Execution) -> None:
        """`start` says how many there shall be in all."""
        pool.start(2)

        assert eventually(lambda: pool.alive() == 2)

    def test_asking_again_adds_what_is_missing(self, pool: Execution) -> None:
        """Neither twice as many nor fewer than before."""
        pool.start(2)
        pool.start(2)
        pool.start(1)
        pool.start(3)

        assert eventually(lambda: pool.alive() == 3)

    def test_after_stop_none_is_left(self, pool: Execution) -> None:
        """`stop` returns when they are gone, however often it is called."""
        pool.start(2)
        assert eventually(lambda: pool.alive() == 2)

        pool.stop()
        pool.stop()

        assert 0 == pool.alive()

    def test_a_stopped_pool_stays_stopped(self, pool: Execution) -> None:
        """Nobody would end what it started."""
        pool.stop()

        with pytest.raises(Refused):
            pool.start(1)

    def test_a_worker_that_ended_is_replaced(self, pool: Execution) -> None:
        """A pool keeps its number."""
        pool.start(2)
        assert eventually(lambda: pool.alive() == 2)

        self.end_one(pool)

        assert eventually(lambda: pool.alive() == 2)

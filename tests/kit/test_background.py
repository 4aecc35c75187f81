# SPDX-License-Identifier: Apache-2.0
"""What is done again and again in a thread: when it is woken, when it fails, and that it ends."""

import threading

import pytest

from howdah.kit.background import Background

PATIENCE_SECONDS = 20
NEVER = 3_600.0


class Counted:
    """Counts how often it was done, and tells when that is `wanted` times; it fails at the first time with `error`."""

    def __init__(self, wanted: int, error: Exception | None = None, seconds: float = NEVER) -> None:
        self.begun = threading.Event()
        self.enough = threading.Event()
        self._wanted = wanted
        self._error = error
        self._seconds = seconds
        self._count = 0

    def __call__(self) -> float:
        self._count += 1
        self.begun.set()
        if self._count == self._wanted:
            self.enough.set()
        if self._error is not None and self._count == 1:
            raise self._error
        return self._seconds


@pytest.fixture
def running():
    """Makes what runs, and ends it."""
    made: list[Background] = []

    def run(once, first_seconds=0.0, retry_seconds=NEVER):
        made.append(Background("a test", once, retry_seconds=retry_seconds))
        made[-1].start(first_seconds)
        return made[-1]

    yield run
    for each in made:
        each.stop()


def test_it_is_done_again_after_the_seconds_that_it_tells(running):
    """Nobody has to wake it."""
    once = Counted(3, seconds=0.001)

    running(once)

    assert once.enough.wait(PATIENCE_SECONDS)


def test_it_is_done_when_it_is_woken(running):
    """However long it would have waited, also for the first time."""
    first, second = Counted(1), Counted(2)

    running(first, first_seconds=NEVER).wake()
    again = running(second, first_seconds=NEVER)
    again.wake()
    assert second.begun.wait(PATIENCE_SECONDS)
    again.wake()

    assert first.enough.wait(PATIENCE_SECONDS)
    assert second.enough.wait(PATIENCE_SECONDS)


def test_what_fails_is_logged_and_done_again(running, caplog):
    """After the time that is meant for that."""
    once = Counted(2, ValueError("a defect"))

    running(once, retry_seconds=0.001)

    assert once.enough.wait(PATIENCE_SECONDS)
    assert ["a test failed; it is tried again in 0.001 s"] == caplog.messages


def test_stopping_ends_it_while_it_waits(running):
    """At once, also a second time, and also what never began."""
    waiting, never = running(Counted(1)), Background("a test", Counted(1), retry_seconds=NEVER)

    for each in (waiting, waiting, never):
        each.stop()

    assert waiting.stopping
    assert [] == [thread for thread in threading.enumerate() if thread.name == "a test"]

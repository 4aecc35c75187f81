# SPDX-License-Identifier: Apache-2.0
"""Garbage collection in the background."""

import threading

from howdah.errors import ErrorKind, Unavailable
from howdah.upkeep.keeper import Keeper

PATIENCE_SECONDS = 20


class Collecting:
    """A collector that counts, and fails the first time."""

    def __init__(self, error):
        self.error = error
        self.count = 0
        self.twice = threading.Event()

    def collect(self):
        self.count += 1
        if self.count == 1:
            raise self.error
        self.twice.set()
        raise self.error


def test_what_goes_wrong_is_tried_again():
    """Whatever it is; and it ends when it is told to."""
    for error in (Unavailable(ErrorKind.BUSY, "busy; wait"), ValueError("a defect")):
        collecting = Collecting(error)
        keeper = Keeper(collecting, 0.001)

        keeper.start()
        again = collecting.twice.wait(PATIENCE_SECONDS)
        keeper.stop()
        keeper.stop()

        assert again


def test_without_a_period_nothing_runs(lake):
    """Whoever wants to do it himself can."""
    before = threading.active_count()
    keeper = Keeper(lake.upkeep.collector, 0)

    keeper.start()

    assert before == threading.active_count()
    keeper.stop()


def test_a_collection_is_told_of(lake, caplog):
    """What went into the trash, and what went away."""
    caplog.set_level("INFO")
    lake.repo("a")
    lake.commit("a", {"/a": b"a"})
    lake.delete("a")
    lake.age()

    Keeper(lake.upkeep.collector, 1).once()

    assert "bytes into the trash" in caplog.text

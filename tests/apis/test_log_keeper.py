# SPDX-License-Identifier: Apache-2.0
"""Logs in the background of a server: its own lines are kept, and those of all become old."""

import logging
import threading
from datetime import timedelta

import pytest

from howdah.errors import ErrorKind, Unavailable
from howdah.model.logs import LogLevel
from howdah.server.log_keeper import LogKeeper, LogRules
from howdah.server.own_log import OwnLog

PATIENCE_SECONDS = 20


class Mover:
    """Fails the first time, and tells when it was asked for the second."""

    def __init__(self, error):
        self.error = error
        self.rules = []
        self.twice = threading.Event()
        self.full = None

    def when_full(self, told):
        self.full = told

    def move(self):
        if not self.rules:
            self.rules.append(None)
            raise self.error

    def drop(self, **rules):
        self.rules.append(rules)
        self.twice.set()
        return 3


@pytest.mark.parametrize("error", [Unavailable(ErrorKind.STORE_FAILED, "away; wait"), ValueError("a defect")])
def test_what_goes_wrong_is_tried_again(error):
    """When there is enough to move, or after a while; and it ends when it is told to."""
    mover = Mover(error)
    keeper = LogKeeper(mover, LogRules(timedelta(days=1), 7), period_seconds=0.001)

    keeper.start()
    mover.full()
    again = mover.twice.wait(PATIENCE_SECONDS)
    keeper.stop()
    keeper.stop()

    assert again
    assert {"keep": timedelta(days=1), "bytes_max": 7} == mover.rules[1]


def test_records_become_lines():
    """Text and fields, level and time; those of a record that is broken too."""
    kept = []
    own = OwnLog(kept.extend)
    log = logging.getLogger("howdah.some.place")
    own.open()
    log.error("%s is %d bytes", "it", 7)
    log.warning({"event": "stopping", "signal": "SIGTERM", "level": "info", "logger": "app"})
    own.emit(log.makeRecord(log.name, logging.ERROR, __file__, 1, "%d", ("broken",), None))
    own.shut()
    log.error("too late")

    assert [
        (LogLevel.ERROR, "howdah.some.place: it is 7 bytes"),
        (LogLevel.INFO, "app: stopping signal=SIGTERM"),
        (LogLevel.ERROR, "howdah.some.place: %d"),
    ] == [(line.level, line.message) for line in kept]


def test_lines_that_cannot_be_kept_hold_nobody_up():
    """They are on stderr; the thread goes on."""
    asked = threading.Event()

    def keep(lines):
        asked.set()
        raise ValueError("the database is away")

    own = OwnLog(keep)
    own.open()
    logging.getLogger("howdah").error("lost")
    own.shut()

    assert asked.is_set()

# SPDX-License-Identifier: Apache-2.0
"""The feed of a server forgets what is old, and nobody who lives misses anything by that."""

import threading
from datetime import timedelta

import pytest

from howdah.db.engine import Database
from howdah.db.events import read_events
from howdah.server.event_keeper import EventKeeper
from howdah.testing import ManualClock

PATIENCE_SECONDS = 20
DAY = timedelta(days=1)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def db(clock):
    with Database.open(":memory:", clock=clock) as db:
        yield db


def emit(db, *subjects):
    with db.write() as tx:
        for subject in subjects:
            tx.emit(subject, "made")


def kept(db):
    with db.read() as tx:
        return [event.subject for event in read_events(tx, 0)]


def test_what_is_older_than_the_rule_goes(db, clock):
    """Looking again finds nothing more; the newest stays, however old it is."""
    emit(db, "old", "older")
    clock.advance(DAY.total_seconds() + 1)
    emit(db, "new")
    keeper = EventKeeper(db, keep=DAY)

    keeper.once()
    after = kept(db)
    clock.advance(10 * DAY.total_seconds())
    keeper.once()

    assert ["new"] == after == kept(db)


def test_so_many_are_kept_at_most(db):
    """A storm of events is forgotten before it is old."""
    emit(db, *"abcde")

    EventKeeper(db, most=2).once()

    assert ["d", "e"] == kept(db)


def test_who_listens_hears_all_that_comes_meanwhile(db):
    """Events are told when they are committed, and never read again by number."""
    heard = []
    db.on_commit(lambda events: heard.extend(event.subject for event in events))
    keeper = EventKeeper(db, most=1)

    for subject in "abc":
        emit(db, subject)
        keeper.once()

    assert ["a", "b", "c"] == heard
    assert ["c"] == kept(db)


def test_a_server_forgets_by_itself(db, clock):
    """Once in each period, from `start` to `stop`."""
    emit(db, *"abc")
    keeper = EventKeeper(db, most=1, period_seconds=0.001)

    keeper.start()
    for _ in range(PATIENCE_SECONDS * 1_000):
        if len(kept(db)) == 1:
            break
        threading.Event().wait(0.001)
    keeper.stop()

    assert ["c"] == kept(db)

# SPDX-License-Identifier: Apache-2.0
"""The feed of events: pages, the newest number, and forgetting."""

from datetime import timedelta

import pytest

from howdah.db.engine import Database
from howdah.db.events import Event, last_event, outdated_events, read_events, trim_events


@pytest.fixture
def db(clock):
    with Database.open(":memory:", clock=clock) as db:
        yield db


def emit(db, count):
    with db.write() as tx:
        for n in range(count):
            tx.emit(f"s{n}", "made", {"n": n, "text": "ä\ud800\x00"})


def numbers(db, after=0, limit=100):
    with db.read() as tx:
        return [event.n for event in read_events(tx, after, limit)]


def test_an_event_comes_back_as_it_was_emitted(db, clock):
    """Number, time, subject, kind and body; a body that was not given is empty."""
    with db.write() as tx:
        tx.emit("commit/images@3f2a", "finished", {"files": 3, "by": {"b": None, "a": [1.5, "ä\ud800"]}})
        tx.emit("repo/images", "deleted")

    with db.read() as tx:
        events = read_events(tx, 0)
    assert [
        Event(1, clock.now(), "commit/images@3f2a", "finished", {"files": 3, "by": {"b": None, "a": [1.5, "ä\ud800"]}}),
        Event(2, clock.now(), "repo/images", "deleted", {}),
    ] == events


def test_a_page_begins_after_the_number_and_ends_at_the_limit(db):
    """Pages in order lead through the whole feed."""
    emit(db, 7)

    assert [1, 2, 3] == numbers(db, 0, 3)
    assert [4, 5, 6] == numbers(db, 3, 3)
    assert [7] == numbers(db, 6, 3)
    assert [] == numbers(db, 7, 3)


def test_a_new_lake_has_no_last_event(db):
    """Then the number is 0, from which everything will be new."""
    with db.read() as tx:
        assert 0 == last_event(tx)


def test_thousands_of_events_of_one_transaction_keep_their_order(db):
    """Numbers follow the order of the calls, over every batch the driver may cut."""
    heard = []
    db.on_commit(heard.extend)

    emit(db, 3_000)

    assert [f"s{n}" for n in range(3_000)] == [event.subject for event in heard]
    assert list(range(1, 3_001)) == [event.n for event in heard]
    assert [event.n for event in heard] == numbers(db, 0, 3_000)


def test_trimming_forgets_the_oldest(db):
    """Events under the number go, the rest stays, and the count is told."""
    emit(db, 5)

    with db.write() as tx:
        gone = trim_events(tx, 4)

    assert 3 == gone
    assert [4, 5] == numbers(db)


def test_trimming_goes_in_steps(db):
    """One call removes at most its limit; repeated until 0, all is gone that should."""
    emit(db, 5)

    steps = []
    while not steps or steps[-1]:
        with db.write() as tx:
            steps.append(trim_events(tx, 5, limit=3))

    assert [3, 1, 0] == steps
    assert [5] == numbers(db)


def test_trimming_keeps_the_newest(db):
    """So that the last number never goes back, whatever is asked."""
    emit(db, 3)

    with db.write() as tx:
        trim_events(tx, 100)
    with db.read() as tx:
        last = last_event(tx)
    emit(db, 1)

    assert 3 == last
    assert [3, 4] == numbers(db)


def test_trimming_an_empty_feed_does_nothing(db):
    """Nothing to forget."""
    with db.write() as tx:
        assert 0 == trim_events(tx, 100)


def outdated(db, before, most=100, limit=100):
    with db.read() as tx:
        return outdated_events(tx, before, most, limit)


def test_what_is_old_or_too_much_is_outdated(db, clock):
    """By age, or by how many came since; never the newest, so that an old feed is not asked about again and again."""
    emit(db, 3)
    between = clock.now() + timedelta(seconds=50)
    clock.advance(100)
    emit(db, 2)

    assert 4 == outdated(db, between)
    assert 3 == outdated(db, between, limit=2)
    assert 3 == outdated(db, between - timedelta(days=1), most=3)
    assert 5 == outdated(db, clock.now() + timedelta(days=1))
    assert 0 == outdated(db, between - timedelta(days=1))


def test_nothing_is_outdated_in_an_empty_feed(db, clock):
    """Nor does it fail."""
    assert 0 == outdated(db, clock.now())

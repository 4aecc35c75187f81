# SPDX-License-Identifier: Apache-2.0
"""What is written into an open commit, and the leases under which it is handed in."""

import pytest

from howdah.errors import Conflict, ErrorKind, Refused
from howdah.pfs import commit_changes, leases


def add(desk, commit, body, lease):
    with desk.db.write() as tx:
        return commit_changes.add(tx, desk.commits.row(tx, commit), body, lease)


def changes(desk, commit):
    with desk.db.read() as tx:
        return desk.commits.changes(tx, desk.commits.row(tx, commit))


def merge(desk, commit, upto, root, old):
    with desk.db.write() as tx:
        return desk.commits.set_partial(tx, desk.commits.row(tx, commit).id, upto, root, old)


@pytest.fixture
def lease(desk):
    return desk.catalog.leases.create("a test", 60)


@pytest.fixture
def commit(desk):
    desk.repo("a")
    return desk.start("a")


def test_changes_are_kept_in_their_order(desk, commit, lease):
    """Numbered from 1."""
    numbers = [add(desk, commit, body, lease) for body in (b"x", b"y")]

    assert [1, 2] == numbers
    assert [(1, b"x"), (2, b"y")] == changes(desk, commit)


def test_merged_changes_are_replaced_by_a_root(desk, commit, lease):
    """What comes after keeps its number, and numbers go on."""
    for body in (b"x", b"y", b"z"):
        add(desk, commit, body, lease)

    assert merge(desk, commit, 2, b"m" * 32, None)

    row = desk.row(commit)
    assert (b"m" * 32, 2) == (row.partial_root, row.partial_seq)
    assert [(3, b"z")] == changes(desk, commit)
    assert merge(desk, commit, 3, b"n" * 32, 2)
    assert 4 == add(desk, commit, b"w", lease)


def test_of_two_merges_one_counts(desk, commit, lease):
    """The one that was made from an older state is refused and changes nothing."""
    for body in (b"x", b"y"):
        add(desk, commit, body, lease)
    assert merge(desk, commit, 1, b"m" * 32, None)

    assert not merge(desk, commit, 2, b"n" * 32, None)

    assert b"m" * 32 == desk.row(commit).partial_root
    assert [(2, b"y")] == changes(desk, commit)


def test_a_closed_commit_takes_no_change(desk, commit, lease):
    """And keeps none: its root holds them all."""
    add(desk, commit, b"x", lease)
    merge(desk, commit, 1, b"m" * 32, None)
    add(desk, commit, b"y", lease)
    desk.finish(commit)

    with pytest.raises(Refused) as error:
        add(desk, commit, b"z", lease)

    row = desk.row(commit)
    assert ErrorKind.COMMIT_FINISHED == error.value.kind
    assert [] == changes(desk, commit)
    assert (None, None) == (row.partial_root, row.partial_seq)
    assert not merge(desk, commit, 2, b"n" * 32, None)


def test_a_change_under_a_dead_lease_is_refused(desk, commit, lease):
    """Its objects may have been collected."""
    desk.clock.advance(60)

    for dead in (lease, "0" * 32):
        with pytest.raises(Conflict) as error:
            add(desk, commit, b"x", dead)
        assert ErrorKind.LEASE_EXPIRED == error.value.kind

    assert [] == changes(desk, commit)


def test_a_renewed_lease_lives_on(desk, commit, lease):
    """From the moment of renewal; a dead one cannot be renewed."""
    desk.clock.advance(59)
    desk.catalog.leases.renew(lease, 60)
    desk.clock.advance(59)
    assert 1 == add(desk, commit, b"x", lease)

    desk.clock.advance(1)
    with pytest.raises(Conflict) as error:
        desk.catalog.leases.renew(lease, 60)
    assert ErrorKind.LEASE_EXPIRED == error.value.kind


def test_leases_that_ran_out_are_forgotten(desk, lease):
    """The others stay."""
    desk.catalog.leases.create("another", 120)
    desk.clock.advance(60)

    assert [1, 0] == [desk.catalog.leases.expire(), desk.catalog.leases.expire()]


def test_a_released_lease_is_dead(desk, commit, lease):
    """Releasing it again is harmless."""
    desk.catalog.leases.release(lease)
    desk.catalog.leases.release(lease)

    with pytest.raises(Conflict):
        add(desk, commit, b"x", lease)


def test_the_oldest_living_lease_bounds_collection(desk, lease):
    """Dead ones do not."""
    taken = desk.clock.now()
    desk.clock.advance(30)
    later = desk.clock.now()
    desk.catalog.leases.create("another", 60)

    with desk.db.read() as tx:
        assert taken == leases.oldest(tx)
    desk.clock.advance(30)
    with desk.db.read() as tx:
        assert later == leases.oldest(tx)
    desk.clock.advance(30)
    with desk.db.read() as tx:
        assert leases.oldest(tx) is None

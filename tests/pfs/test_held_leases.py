# SPDX-License-Identifier: Apache-2.0
"""The leases of the server's own writers: shared by the short, kept alive by the long."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from howdah.db import tables
from howdah.db.engine import Database
from howdah.kit.ids import new_id
from howdah.pfs.held_leases import HeldLeases
from howdah.pfs.leases import Leases, check, oldest
from howdah.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def db(tmp_path: Path, clock: ManualClock) -> Iterator[Database]:
    opened = Database.open(tmp_path / "metadata.db", clock=clock)
    yield opened
    opened.close()


def test_writers_that_come_together_share_a_lease(db: Database, clock: ManualClock) -> None:
    """Within half a minute; after that a new one is taken, and the old one ends with its last holder."""
    held = HeldLeases(Leases(db, new_id), 600, clock)
    with held.hold() as first:
        with held.hold() as second:
            assert first.id == second.id
        clock.advance(31)
        with held.hold() as third:
            assert third.id != first.id

    with db.read() as tx:
        assert clock.now() == oldest(tx)


def test_a_lease_that_nobody_holds_goes_when_the_next_is_taken(db: Database, clock: ManualClock) -> None:
    """Writers that come one by one for hours leave one lease behind, not one for each half minute."""
    held = HeldLeases(Leases(db, new_id), 600, clock)
    for _ in range(5):
        with held.hold():
            clock.advance(31)

    with held.hold(), db.read() as tx:
        assert 1 == tx.execute(select(func.count()).select_from(tables.lease)).scalar()


def test_a_slow_upload_keeps_its_lease(db: Database, clock: ManualClock) -> None:
    """Pieces that come minutes apart, for longer than a lease lives, still find it alive at the end."""
    with HeldLeases(Leases(db, new_id), 600, clock).hold() as lease:
        for _ in lease.during(range(10)):
            clock.advance(250)

        with db.read() as tx:
            check(tx, lease.id)

# SPDX-License-Identifier: Apache-2.0
"""A writer's lease lives as long as its writer."""

import queue
from types import SimpleNamespace

import pytest

from howdah.client.write_session import KeptLease
from howdah.errors import Conflict, ErrorKind, Unavailable


class Renewals:
    """In place of the connection: answers as it was told to, and tells of each renewal."""

    def __init__(self, *answers):
        self.lake = SimpleNamespace(RenewWrite=None)
        self.asked = queue.Queue()
        self._answers = iter(answers)

    def call(self, _, request):
        self.asked.put(request.lease_id)
        answer = next(self._answers, None)
        if answer is not None:
            raise answer


def test_a_lease_is_renewed_until_it_ends():
    """Three times in each lifetime; a server that is away for a moment does not end it."""
    wire = Renewals(None, Unavailable(ErrorKind.UNREACHABLE, "away"), None)

    lease = KeptLease(wire, "lease", 0.01)
    renewed = [wire.asked.get(timeout=10) for _ in range(4)]
    lease.end()

    assert ["lease"] * 4 == renewed


def test_a_lost_lease_is_not_asked_for_again():
    """Handing in will say that it is lost."""
    wire = Renewals(Conflict(ErrorKind.LEASE_EXPIRED, "lost"))

    KeptLease(wire, "lease", 0.01)
    wire.asked.get(timeout=10)

    with pytest.raises(queue.Empty):
        wire.asked.get(timeout=0.1)

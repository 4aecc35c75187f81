# SPDX-License-Identifier: Apache-2.0
"""Killed from outside at any moment, a lake keeps what it acknowledged, shows nothing half-done, and its work goes on.

Here are all failpoints and a handful of random moments: of server and workers, of the server alone (also while it
starts), of the workers alone. `python -m tests.crash` does many more, as does this file with HOWDAH_CRASH_MOMENTS;
HOWDAH_CRASH_SEED repeats a run.
"""

import os
import random

import pytest

from tests.crash.__main__ import say
from tests.crash.campaign import Campaign
from tests.crash.failpoints import all_failpoints, kills

MOMENTS = int(os.environ.get("HOWDAH_CRASH_MOMENTS", "8"))
SEED = int(os.environ.get("HOWDAH_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
LANES = 4  # lakes that may be attacked side by side

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc"),
]


@pytest.mark.parametrize(
    "lane", [0, 1, pytest.param(2, marks=pytest.mark.full), pytest.param(3, marks=pytest.mark.full)]
)
def test_a_kill_at_any_failpoint_or_moment_loses_nothing_and_shows_no_half(lane, tmp_path):
    """At each step between objects and rows, in finish, propagation, claim and result; and at random moments."""
    names = all_failpoints()[lane::LANES]

    with Campaign(tmp_path, SEED + lane, say) as campaign:
        for kill in (*kills(names), *campaign.moments(MOMENTS // LANES)):
            campaign.kill(kill)
        outputs = campaign.end()

    assert outputs > 0


def test_failpoints_are_where_the_steps_are():
    """One at least in each part that puts objects before rows, or moves work."""
    areas = {name.partition(".")[0] for name in all_failpoints() if "." in name}

    assert {"db", "pfs", "pps", "worker"} <= areas

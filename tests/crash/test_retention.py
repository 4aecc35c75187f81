# SPDX-License-Identifier: Apache-2.0
"""A server that is killed while it applies retention rules: what is needed is there, and the next one goes on."""

import os
import threading

import pytest

from howdah.client import Client
from howdah.errors import HowdahError
from howdah.model.retention import Retired, Summary
from howdah.model.upkeep import Fault
from tests.crash.servers import SERVER, CrashServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc"),
]
COMMITS = 6


@pytest.mark.parametrize("failpoint", ["retention.retired", "retention.retired:3"])
def test_a_kill_while_commits_are_removed_loses_nothing(failpoint, tmp_path):
    """Each commit is gone or there; what the rule keeps is whole; the rest goes the next time."""
    root = tmp_path / "lake"
    first = CrashServer(root, "one", "nobody=one", failpoint)
    first.wait_ready()
    with Client(first.address) as client:
        writing = threading.Thread(target=write_and_apply, args=(client,))
        writing.start()
        reached = first.wait_for_failpoint(threading.Event())
        first.kill(SERVER)
        writing.join()

    second = CrashServer(root, "two", "nobody=two")
    second.wait_ready()
    try:
        with Client(second.address) as client:
            write_and_apply(client, again=True)
            data = client.get_file("a@master", "/f")
            left = len(list(client.list_commits("a")))
            faults = [each for each in client.check() if isinstance(each, Fault)]
            answers = list(client.apply_retention())
    finally:
        second.kill(SERVER)

    assert reached.startswith(failpoint.partition(":")[0])
    assert (b"last", 2) == (data, left)
    assert [] == faults
    assert [Summary(False, 0, 0)] == [each for each in answers if isinstance(each, Summary | Retired)]


def write_and_apply(client, again=False):
    """Some commits, a rule, and its application, until the server is gone."""
    try:
        client.create_project("default", update=True)
        if not list(client.list_repos()):
            client.create_repo("a")
        for number in range(COMMITS):
            client.put_file("a@master", "/f", b"last" if number == COMMITS - 1 else b"%d" % number)
        rules = list(client.list_retentions())
        client.create_retention("a", "keep 2 commits", update=bool(rules))
        list(client.apply_retention())
    except HowdahError:
        assert not again

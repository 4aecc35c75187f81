# SPDX-License-Identifier: Apache-2.0
"""A server that is killed while it finishes a transaction has made all of it or nothing."""

import os
import threading
from contextlib import suppress

import pytest

from howdah.client import Client
from howdah.errors import Unavailable
from tests.crash.servers import SERVER, CrashServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc"),
]


def finish_and_die(server: CrashServer, id: str) -> str:
    """Have the transaction finished by a server that stops at its failpoint, and kill it there; where it stopped."""
    over = threading.Event()

    def finish() -> None:
        with Client(server.address) as client, suppress(Unavailable):
            client.finish_transaction(id)
        over.set()

    thread = threading.Thread(target=finish)
    thread.start()
    reached = server.wait_for_failpoint(over)
    server.kill(SERVER)
    thread.join()
    return reached


@pytest.mark.parametrize(
    "failpoint", ["pfs.finish.stored", "transactions.prepared", "pfs.propagated", "transactions.made"]
)
def test_a_kill_leaves_all_of_a_transaction_or_nothing(tmp_path, failpoint):
    """A repo, a pipeline, a commit that is closed and one that is opened; the next server finishes it as if anew."""
    mark = f"HOWDAH_CRASH_TRANSACTIONS={os.getpid()}-{failpoint}"
    first = CrashServer(tmp_path / "lake", "first", mark)
    first.wait_ready()
    with Client(first.address) as client:
        client.create_repo("a")
        commit = client.start_commit("a@master")
        client.put_file(commit, "/x", b"1")
        id = client.start_transaction()
        together = client.in_transaction(id)
        together.create_repo("b")
        together.finish_commit(commit)
        together.start_commit("b@master")
        together.create_pipeline(
            {"pipeline": {"name": "p"}, "transform": {"cmd": ["true"]}, "input": {"pfs": {"repo": "a", "glob": "/*"}}}
        )
    first.kill(SERVER)

    # A trial propagates too, so the second time is the one that counts.
    second = CrashServer(tmp_path / "lake", "second", mark, f"{failpoint}:{2 if failpoint == 'pfs.propagated' else 1}")
    second.wait_ready()
    reached = finish_and_die(second, id)
    third = CrashServer(tmp_path / "lake", "third", mark)
    third.wait_ready()
    with Client(third.address) as client:
        left = [each.repo.name for each in client.list_repos()], client.inspect_commit(commit).finished_at
        requests = client.inspect_transaction(id).requests
        client.finish_transaction(id)
        made = [each.repo.name for each in client.list_repos()]
        data = client.get_file(commit, "/x")
        started = client.inspect_commit(f"b@{id}").commit.id
    third.kill(SERVER)

    assert reached.startswith(failpoint)
    assert ((["a"], None), 4) == (left, len(requests))
    assert (["a", "b", "p"], b"1", id) == (made, data, started)

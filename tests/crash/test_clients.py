# SPDX-License-Identifier: Apache-2.0
"""A client that is killed in the middle of a write leaves nothing that anybody sees, and holds nobody up."""

import os
import signal
import subprocess
import sys

import pytest

from howdah.client import Client
from howdah.testing.server import running_server

# Writes a file, most of another one, says so, and goes on for ever.
PROGRAM = """
import sys, threading
from howdah.client import Client

def pieces():
    for number in range(5):
        yield bytes([number]) * (1 << 20)
    print("in the middle", flush=True)
    threading.Event().wait()

with Client(sys.argv[1], direct=None if sys.argv[2] == "direct" else False) as client:
    with client.modify(sys.argv[3]) as stream:
        stream.put("/small", b"small")
        stream.put("/big", pieces())
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as server, Client(server.grpc_address) as client:
        client.create_repo("r")
        yield client


def die_in_the_middle(client, way, target):
    """Have another process write there, and kill it when most is sent."""
    words = [sys.executable, "-c", PROGRAM, client.address, way, target]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert b"in the middle\n" == process.stdout.readline()
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["direct", "through"])
def test_a_one_off_write_of_a_killed_client_is_not_there(client, way):
    """No commit was made, not even a branch; the next client makes them."""
    before = list(client.list_commits("r"))

    die_in_the_middle(client, way, f"r@{way}")

    assert before == list(client.list_commits("r"))
    client.put_file(f"r@{way}", "/small", b"other")
    assert ["/small"] == [each.path for each in client.list_files(f"r@{way}")]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["direct", "through"])
def test_an_open_commit_has_nothing_of_a_killed_client(client, way):
    """Others go on writing into it, and finish it."""
    commit = client.start_commit(f"r@open-{way}")

    die_in_the_middle(client, way, f"r@{commit.id}")

    client.put_file(commit, "/mine", b"mine")
    client.finish_commit(commit)
    assert ["/mine"] == [each.path for each in client.list_files(commit)]

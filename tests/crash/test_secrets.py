# SPDX-License-Identifier: Apache-2.0
"""Kills while a secret is made and while the key is replaced: whenever they come, the key file opens every secret."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest

from howdah.client import Client
from howdah.errors import Unavailable
from howdah.model.secrets import Secret
from howdah.server.app import opened
from howdah.server.secret_keys import server_keys
from tests.crash.campaign import REPOSITORY
from tests.crash.servers import SERVER, CrashServer

VALUE = b"hunter2-hunter2"
NAMES = ["a", "b", "c"]
PATIENCE_SECONDS = 30  # reached only when a process hangs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc"),
]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Where a lake will be, of a user with a configuration of this test alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "lake"


def keys_of(root):
    """By which keys how many secrets are sealed."""
    with sqlite3.connect(root / "metadata.db") as connection:
        found = Counter(key for (key,) in connection.execute("SELECT key FROM secret"))
    connection.close()
    return found


def rotate_and_die(failpoint, root):
    """Replace the key by a process that is killed at a failpoint."""
    reached = root.parent / "reached"
    environment = {**os.environ, "HOWDAH_FAILPOINT": failpoint, "HOWDAH_FAILPOINT_FILE": str(reached)}
    command = [sys.executable, "-m", "howdah.cli", "rotate", "secrets-key", "--root", str(root), "--forget-old"]
    process = subprocess.Popen(command, env=environment, cwd=REPOSITORY)
    until = time.monotonic() + PATIENCE_SECONDS
    while not reached.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert reached.exists()


@pytest.mark.parametrize(
    ("failpoint", "by_old"), [("secrets.key_added", 3), ("secrets.resealing", 3), ("secrets.resealed", 0)]
)
def test_a_kill_while_the_key_is_replaced_loses_no_secret(root, failpoint, by_old):
    """Before anything is sealed anew, within the transaction, and before the old key is forgotten."""
    with opened(root, keys=server_keys(root, None, None, None)) as lake:
        for name in NAMES:
            lake.pps.secrets.create(Secret(name, values={"k": VALUE}))
    [(old, _)] = keys_of(root).items()

    rotate_and_die(failpoint, root)

    killed = keys_of(root)
    keys = server_keys(root, None, None, None)
    with opened(root, keys=keys) as lake:
        lake.pps.secrets.begin()
        names = [info.name for info in lake.pps.secrets.list()]
    new, *others = [key.fingerprint for key in keys.known()]
    assert by_old == killed[old]
    assert [old] == others
    assert NAMES == names
    assert {new: 3} == keys_of(root)


def test_a_kill_while_the_first_secret_is_made_leaves_a_key_that_is_used(root):
    """The key is durable before anything is sealed by it; the secret is not there, and is made by the next server."""
    mark = f"HOWDAH_CRASH_SECRETS={os.getpid()}"
    first = CrashServer(root, "first", mark, "secrets.sealed")
    first.wait_ready()
    over = threading.Event()

    def create():
        with Client(first.address) as client, suppress(Unavailable):
            client.create_secret("a", {"k": VALUE})
        over.set()

    thread = threading.Thread(target=create)
    thread.start()
    reached = first.wait_for_failpoint(over)
    first.kill(SERVER)
    thread.join()
    [key] = server_keys(root, None, None, None).known()
    second = CrashServer(root, "second", mark)
    second.wait_ready()
    with Client(second.address) as client:
        left = list(client.list_secrets())
        client.create_secret("a", {"k": VALUE})
    second.kill(SERVER)

    assert reached.startswith("secrets.sealed")
    assert [] == left
    assert {key.fingerprint: 1} == keys_of(root)

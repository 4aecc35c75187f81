# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up: writes fail and say so, what was there stays, and the server lives on."""

import random

import pytest

from howdah.client import Client
from howdah.errors import ErrorKind, Unavailable
from tests.bad_input.starts import in_mount, server_words, serving

DISK = "12m"
MANY = 64

pytestmark = pytest.mark.slow


@pytest.fixture
def client(tmp_path):
    """A client of a server whose lake is on a small file system; bytes pass through the server."""
    root = tmp_path / "lake"
    root.mkdir()
    words = in_mount(root, f"mount -t tmpfs -o size={DISK} tmpfs {root}", server_words(root))
    with serving(words, tmp_path / "log") as address, Client(address, direct=False) as client:
        client.create_repo("r")
        client.put_file("r@master", "/first", noise(1, 1 << 20))
        yield client


def noise(seed: int, size: int) -> bytes:
    """Bytes that do not shrink."""
    return random.Random(seed).randbytes(size)


def test_a_file_that_does_not_fit_is_refused_and_leaves_nothing(client):
    """The error names the store and the way out; smaller files still fit, since nothing of it stayed."""
    before = list(client.list_commits("r"))

    with pytest.raises(Unavailable) as caught:
        client.put_file("r@master", "/huge", noise(2, 24 << 20))

    assert ErrorKind.NO_SPACE is caught.value.kind
    assert "no space left in store file://" in caught.value.message
    assert "; free some there" in caught.value.message
    assert before == list(client.list_commits("r"))
    assert noise(1, 1 << 20) == client.get_file("r@master", "/first")


def test_a_disk_that_is_full_to_the_last_block_keeps_what_it_has(client):
    """Every put either is there or failed for want of space, the database's own writes too."""
    kept, kinds = {"/first": noise(1, 1 << 20)}, []
    for size in (1 << 20, 1 << 16, 1 << 12, 1):
        for number in range(MANY):
            path = f"/{size}-{number}"
            try:
                client.put_file("r@master", path, noise(number, size))
                kept[path] = noise(number, size)
            except Unavailable as error:
                kinds.append(error.kind)
                break

    assert {ErrorKind.NO_SPACE} == set(kinds)
    assert kept == {each.path: client.get_file("r@master", each.path) for each in client.list_files("r@master")}

# SPDX-License-Identifier: Apache-2.0
"""A big file put where one was: by each way of putting, only what is new is stored."""

import random
from datetime import timedelta

import pytest

MIB = 1 << 20
SIZE = 6 * MIB
MOST = 1.5 * MIB


def by_bytes(client, target, data, folder):
    client.put_file(target, "/in/big", data)


def by_stream(client, target, data, folder):
    client.put_file(target, "/in/big", (data[at : at + 700_000] for at in range(0, len(data), 700_000)))


def by_local_file(client, target, data, folder):
    (folder / "big").write_bytes(data)
    client.put_file(target, "/in/big", folder / "big")


def by_folder(client, target, data, folder):
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / "big").write_bytes(data)
    client.put_folder(target, "/in", folder / "in")


def by_delete_and_append(client, target, data, folder):
    with client.modify(target) as writer:
        writer.delete("/in/big")
        writer.put("/in/big", data, append=True)


def by_writer_of_many(client, target, data, folder):
    with client.modify(target) as writer:
        for number in range(40):
            writer.put(f"/small/{number}", b"%d" % number)
        writer.put("/in/big", data)


WAYS = [by_bytes, by_stream, by_local_file, by_folder, by_delete_and_append, by_writer_of_many]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_new_version_stores_what_is_new(server, client, repo, way, tmp_path):
    """An insertion in the middle: the chunk that it falls into is not stored again, and all bytes come back."""
    first = random.Random(repo).randbytes(SIZE)
    second = first[: SIZE // 2] + b"inserted" + first[SIZE // 2 :]
    client.put_file(f"{repo}@master", "/in/big", first)
    before = stored(server)

    way(client, f"{repo}@master", second, tmp_path)

    assert stored(server) - before <= MOST
    assert second == b"".join(client.read_file(f"{repo}@master", "/in/big"))


def test_an_append_is_not_taken_for_a_new_version(client, repo):
    """What is added stays behind what was there, also where it begins alike."""
    data = random.Random(repo).randbytes(2 * MIB)
    client.put_file(f"{repo}@master", "/in/big", data)

    client.put_file(f"{repo}@master", "/in/big", data, append=True)

    assert data + data == b"".join(client.read_file(f"{repo}@master", "/in/big"))


def test_a_new_version_outlives_the_old_one(server, client, repo):
    """The old commit goes and garbage is collected: the chunks that are named in part stay."""
    first = random.Random(repo).randbytes(SIZE)
    second = first[: SIZE // 2] + b"inserted" + first[SIZE // 2 :]
    client.put_file(f"{repo}@master", "/in/big", first)
    client.put_file(f"{repo}@master", "/in/big", second)

    client.squash_commit(f"{repo}@master^")
    client.collect_garbage(keep=timedelta())

    assert second == b"".join(client.read_file(f"{repo}@master", "/in/big"))


def stored(server):
    return sum(each.size for each in server.pfs.storage.store.list("chunk/"))

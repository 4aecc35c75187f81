# SPDX-License-Identifier: Apache-2.0
"""One content has one hash, whoever wrote it, in whatever pieces, and however it is stored."""

import random

import pytest
from pachyderm_sdk import Client as OfficialClient
from pachyderm_sdk.api import pfs

from howdah.client import Client
from howdah.testing.server import running_server

KIB, MIB = 1 << 10, 1 << 20

# Around the limits of hashing and cutting: a block of the hash tree, a file that is cut, several chunks.
SIZES = (0, 1, 5 * KIB, 300 * KIB, MIB - 1, MIB, MIB + 1, 3 * MIB + 17, 9 * MIB)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture(scope="module")
def direct(server):
    with Client(server.grpc_address, direct=True) as client:
        client.create_repo("r")
        yield client


@pytest.fixture(scope="module")
def through(server):
    with Client(server.grpc_address, direct=False) as client:
        yield client


@pytest.fixture(scope="module")
def official(server):
    return OfficialClient(host=server.host, port=server.grpc_port)


def noise(size):
    return random.Random(size).randbytes(size)


def pieces(data, seed):
    """The same bytes in pieces of all sizes."""
    sizes = random.Random(seed)
    at = 0
    while at < len(data):
        size = sizes.choice((1, 100, 40 * KIB, 700 * KIB, 3 * MIB))
        yield data[at : at + size]
        at += size


@pytest.mark.parametrize("size", SIZES)
def test_one_content_has_one_hash_however_it_came(direct, through, official, size):
    """Put at once or in pieces, appended, copied, packed with others, by us (both ways) and by the official client."""
    data, branch = noise(size), f"r@b{size}"
    with direct.modify(branch) as stream:
        stream.put("/at-once", data)
        stream.put("/in-pieces", pieces(data, 1))
        for number in range(200):  # neighbours in the same packs
            stream.put(f"/packed/{number:03}", noise(number))
        stream.put("/packed/100-this", data)
    for number, client in enumerate((direct, through, through)):
        for piece in pieces(data, number) if size < MIB else (data[: MIB - 5], data[MIB - 5 :]):
            client.put_file(branch, f"/appended-{number}", piece, append=True)
        if not data:
            client.put_file(branch, f"/appended-{number}", b"")
    through.put_file(branch, "/through", data)
    through.put_file(branch, "/through-in-pieces", pieces(data, 2))
    direct.copy_file(f"{branch}:/in-pieces", branch, "/copied")
    with official.pfs.commit(branch=pfs.Branch.from_uri(branch)) as commit:
        commit.put_file_from_bytes(path="/official", data=data)

    found = {each.path: each for each in direct.walk_files(branch) if not each.is_dir}
    same = [path for path in found if not path.startswith("/packed/") or path.endswith("this")]

    assert 10 == len(same)
    assert {size} == {found[path].size_bytes for path in same}
    assert 1 == len({found[path].hash for path in same}), {path: found[path].hash.hex() for path in same}
    for path in same:
        assert data == through.get_file(branch, path)


def test_other_contents_have_other_hashes(direct):
    """Also where only the size, or one byte of many, differs."""
    big = bytearray(noise(3 * MIB))
    contents = [b"", b"\0", b"\0\0", bytes(MIB), bytes(MIB + 1), bytes(big)]
    for at in (0, MIB, len(big) - 1):
        big[at] ^= 1
        contents.append(bytes(big))
    with direct.modify("r@others") as stream:
        for number, data in enumerate(contents):
            stream.put(f"/{number}", data)

    hashes = {each.hash for each in direct.list_files("r@others")}

    assert len(contents) == len(hashes)

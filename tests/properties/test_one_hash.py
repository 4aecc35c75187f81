# SPDX-License-Identifier: Apache-2.0
"""One content has one hash, whoever wrote it, in whatever pieces, and however it is stored."""

import io
import random
import tarfile

import pytest
from pachyderm_sdk import Client as OfficialClient
from pachyderm_sdk.api import pfs

from howdah.client import Client, Split
from howdah.model.names import FILESETS_REPO
from howdah.model.refs import Commit, CommitRef, File, Repo
from howdah.pfs.writes import Copy, Put
from howdah.testing.server import running_server
from tests.storage.web_server import Quiet, web_server

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


class _Web(Quiet):
    """Answers `/<number>` with so many bytes of noise."""

    def do_GET(self):  # noqa: N802 - the library calls it so
        self.answer(200, noise(int(self.path[1:])))


@pytest.fixture(scope="module")
def web():
    with web_server(_Web) as address:
        yield address


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


def tarred(name, data):
    """A tar with that file, and one before and one behind it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for each, content in ((f"{name}-before", b"before"), (name, data), (f"{name}-behind", b"behind")):
            info = tarfile.TarInfo(each)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("size", SIZES)
def test_one_content_has_one_hash_wherever_it_came_from(server, direct, through, web, size):
    """Out of a tar, from an address, from a file set that is added or copied from, cut out of a larger file."""
    data, branch = noise(size), f"r@from{size}"
    ref = CommitRef(Repo("default", "r"), f"from{size}")
    direct.put_file(branch, "/put", data)
    for name, client in (("direct", direct), ("through", through)):
        client.put_tar(branch, f"/tar-{name}", tarred("this", data))
    direct.put_url(branch, "/url", f"{web}/{size}")
    file_set = server.pfs.file_sets.create([Put("/added", pieces(data, 3))])
    server.pfs.file_sets.add(ref, file_set)
    kept = File(Commit(Repo("default", FILESETS_REPO), file_set), "/added")
    server.pfs.writes.modify(ref, [Copy(kept, "/copied")])
    whole = server.pfs.file_sets.of_commit(ref)
    server.pfs.writes.modify(ref, [Copy(File(Commit(Repo("default", FILESETS_REPO), whole), "/url"), "/of-a-commit")])

    found = {each.path: each for each in direct.walk_files(branch) if not each.is_dir}
    same = [path for path in found if not path.endswith(("-before", "-behind"))]

    assert ["/added", "/copied", "/of-a-commit", "/put", "/tar-direct/this", "/tar-through/this", "/url"] == sorted(
        same
    )
    assert {size} == {found[path].size_bytes for path in same}
    assert 1 == len({found[path].hash for path in same}), {path: found[path].hash.hex() for path in same}


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_piece_has_the_hash_of_its_content(direct, through, size):
    """Each piece of a file that was split is what putting its bytes makes."""
    line, branch = noise(size).replace(b"\n", b"-")[:-1] + b"\n", f"r@split{size}"
    direct.put_file(branch, "/put", line)
    for name, client in (("direct", direct), ("through", through)):
        client.put_split(branch, f"/{name}", line + b"other\n" + line, Split("line"))

    hashes = {each.path: each.hash for each in direct.walk_files(branch) if not each.is_dir}
    wanted = [path for path, hash in hashes.items() if hash == hashes["/put"]]

    assert [0, 2, 0, 2] == [int(path.rpartition("/")[2], 16) for path in sorted(wanted) if path != "/put"]


@pytest.mark.slow
def test_a_bucket_has_the_hashes_of_a_folder(direct, moto_s3, moto_keys, tmp_path):
    """The same bytes in a lake whose objects are in a bucket, put both ways."""
    sizes = (0, 5 * KIB, MIB, MIB + 1, 9 * MIB)
    for size in sizes:
        direct.put_file("r@folder", f"/{size}", noise(size))
    expected = {each.path: each.hash for each in direct.list_files("r@folder")}

    with running_server(tmp_path / "root", store=moto_s3.bucket()) as server:
        for way in (True, False):
            with Client(server.grpc_address, direct=way) as client:
                client.create_repo(f"r{way}")
                for size in sizes:
                    client.put_file(f"r{way}@master", f"/{size}", pieces(noise(size), size))

                assert expected == {each.path: each.hash for each in client.list_files(f"r{way}@master")}


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

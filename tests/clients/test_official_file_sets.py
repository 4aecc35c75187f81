# SPDX-License-Identifier: Apache-2.0
"""File sets through the official client, unmodified: `pfs_v2`, `storage.Fileset` and its content references."""

import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import grpc
import pytest
from pachyderm_sdk.api import pfs, storage

MIB = 1 << 20
BIG = os.urandom(9 * MIB)


def raw(path, data):
    return pfs.ModifyFileRequest(add_file=pfs.AddFile(path=path, raw=data))


def made(client, *messages):
    return client.pfs.create_file_set(iter(messages)).file_set_id


def of(file_set):
    """The commit as which a file set is read."""
    return pfs.Commit(repo=pfs.Repo(name="__filesets__", type="user", project=pfs.Project(name="default")), id=file_set)


def appended(path, data=b""):
    return storage.CreateFilesetRequest(append_file=storage.AppendFile(path=path, data=data))


def stored(client, files):
    messages = [
        appended(path, data[at : at + 2 * MIB])
        for path, data in files.items()
        for at in range(0, max(1, len(data)), 2 * MIB)
    ]
    return client.storage.create_fileset(iter(messages)).fileset_id


def gathered(responses):
    found = {}
    for each in responses:
        found[each.path] = found.get(each.path, b"") + (each.data or b"")
    return found


def tar_names(client, file):
    with client.pfs.pfs_tar_file(file) as tar:
        return ["/" + member.name.strip("/") for member in tar]


def everywhere(path):
    return storage.FileFilter(path_regex=path)


def test_every_reading_call_takes_a_file_set(client):
    """Inspect, list, walk, glob, get, tar and diff answer as for a finished commit."""
    commit = of(made(client, raw("/a", b"1"), raw("/d/b", b"22")))
    other = of(made(client, raw("/a", b"1")))
    root = pfs.File(commit=commit, path="/")

    assert client.pfs.inspect_commit(commit=commit).finished is not None
    assert 2 == client.pfs.inspect_file(file=pfs.File(commit=commit, path="/d/b")).size_bytes
    assert ["/a", "/d/"] == [info.file.path for info in client.pfs.list_file(file=root)]
    assert ["/", "/a", "/d/", "/d/b"] == [info.file.path for info in client.pfs.walk_file(file=root)]
    assert ["/d/b"] == [info.file.path for info in client.pfs.glob_file(commit=commit, pattern="/*/*")]
    assert b"22" == client.pfs.pfs_file(pfs.File(commit=commit, path="/d/b")).read()
    assert ["/", "/a", "/d", "/d/b"] == tar_names(client, root)
    differences = client.pfs.diff_file(new_file=root, old_file=pfs.File(commit=other, path="/"))
    assert ["/", "/d/", "/d/b"] == [pair.new_file.file.path for pair in differences]


def test_a_file_set_is_added_to_a_commit(client, repo):
    """With its deletes; what was there is replaced by a delete and an add."""
    branch = pfs.Branch(repo=repo, name="master")
    delete = pfs.ModifyFileRequest(delete_file=pfs.DeleteFile(path="/a"))
    file_set = made(client, delete, raw("/a", b"new"))
    with client.pfs.commit(branch=branch) as commit:
        commit.put_file_from_bytes(path="/a", data=b"old")
        client.pfs.add_file_set(commit=commit, file_set_id=file_set)

    total = client.pfs.get_file_set(commit=commit, type=pfs.GetFileSetRequestFileSetType.TOTAL).file_set_id
    composed = client.pfs.compose_file_set(file_set_ids=[total, made(client, raw("/b", b"b"))]).file_set_id

    assert b"new" == client.pfs.pfs_file(pfs.File(commit=commit, path="/a")).read()
    assert {"/a": b"new", "/b": b"b"} == gathered(client.storage.read_fileset(fileset_id=composed))


def test_file_sets_are_renewed_and_cut(client):
    """Shards come as intervals of paths; a renewal answers nothing."""
    file_set = made(client, raw("/a", b"1"), raw("/b", b"1"), raw("/c", b"1"))

    client.pfs.renew_file_set(file_set_id=file_set, ttl_seconds=60)
    client.storage.renew_fileset(fileset_id=file_set, ttl_seconds=60)
    one = client.pfs.shard_file_set(file_set_id=file_set, num_files=2).shards
    other = client.storage.shard_fileset(fileset_id=file_set, num_files=2).shards

    assert [("", "/c"), ("/c", "")] == [(each.lower, each.upper) for each in one]
    assert [("", "/c"), ("/c", "")] == [(each.lower, each.upper) for each in other]


def test_files_are_copied_between_file_sets_and_commits(client, repo):
    """In both directions, by both services."""
    first = stored(client, {"/a": b"1"})
    copy = storage.CopyFile(fileset_id=first, src="/a", dst="/x")
    delete = storage.CreateFilesetRequest(delete_file=storage.DeleteFile(path="/y"))
    messages = [appended("/y", b"gone"), delete, storage.CreateFilesetRequest(copy_file=copy), appended("/x", b"2")]
    second = client.storage.create_fileset(iter(messages)).fileset_id
    with client.pfs.commit(branch=pfs.Branch(repo=repo, name="master")) as commit:
        commit.copy_file(src=pfs.File(commit=of(second), path="/x"), dst="/copied")

    assert {"/x": b"12"} == gathered(client.storage.read_fileset(fileset_id=second))
    assert b"12" == client.pfs.pfs_file(pfs.File(commit=commit, path="/copied")).read()
    both = client.storage.compose_fileset(fileset_ids=[first, second]).fileset_id
    assert {"/a": b"1", "/x": b"12"} == gathered(client.storage.read_fileset(fileset_id=both))


def test_filters_choose_files(client):
    """All of them count; without data, only paths come; an empty file comes as one empty message."""
    file_set = stored(client, {"/a": b"1", "/b": b"", "/c.txt": b"3"})
    read = client.storage.read_fileset
    part = storage.FileFilter(path_range=storage.PathRange(lower="/b", upper="/d"))

    assert {"/b": b"", "/c.txt": b"3"} == gathered(read(fileset_id=file_set, filters=[part]))
    assert {"/c.txt": b"3"} == gathered(read(fileset_id=file_set, filters=[part, everywhere(r"\.txt$")]))
    assert ["/a", "/b", "/c.txt"] == [each.path for each in read(fileset_id=file_set, empty_files=True)]
    with pytest.raises(grpc.RpcError) as error:
        list(read(fileset_id=file_set, filters=[everywhere("(")]))
    assert grpc.StatusCode.INVALID_ARGUMENT is error.value.code()


def test_a_big_file_comes_in_several_messages(client):
    """Of a size that every client takes."""
    file_set = stored(client, {"/big": BIG})

    pieces = list(client.storage.read_fileset(fileset_id=file_set))

    assert len(pieces) > 1
    assert {"/big": BIG} == gathered(pieces)


def test_the_client_assembles_a_file_set_from_references(client, tmp_path):
    """Big and small files, packed and empty ones, byte for byte, over HTTP; then again from its cache alone."""
    files = {"/big": BIG, "/empty": b"", "/d/small": b"hello", "/d/other": b"hello" * 1000}
    file_set = stored(client, files)
    cache = tmp_path / "cache"

    client.storage.assemble_fileset(file_set, "/", tmp_path / "out", cache_location=cache)
    client.storage.assemble_fileset(
        file_set, "/d/", tmp_path / "again", cache_location=cache, fetch_missing_chunks=False
    )

    assert files == {path: (tmp_path / "out" / path[1:]).read_bytes() for path in files}
    assert b"hello" == (tmp_path / "again" / "d" / "small").read_bytes()
    assert not (tmp_path / "again" / "big").exists()


def test_the_client_fetches_chunks_ahead(client, tmp_path):
    """And prunes what is not needed any more."""
    cache = tmp_path / "cache"
    client.storage.fetch_chunks(stored(client, {"/a": os.urandom(MIB)}), "/", cache_location=cache)
    before = set(cache.iterdir())
    second = stored(client, {"/b": os.urandom(MIB)})

    client.storage.fetch_chunks(second, "/", cache_location=cache, prune=True)

    assert 1 == len(set(cache.iterdir()))
    assert before.isdisjoint(cache.iterdir())


@pytest.fixture
def link(client):
    """The URL of the only chunk of a file, and its bytes."""
    data = os.urandom(1000)
    (found,) = client.storage.read_fileset_cdr(fileset_id=stored(client, {"/a": data}))
    (part,) = found.ref.concat.refs
    return part.slice.inner.content_hash.inner.http.url, data


def fetched(url, **headers):
    with urlopen(Request(url, headers=headers)) as answer:
        return answer.status, answer.read()


@pytest.mark.parametrize(
    ("wanted", "begin", "end"), [("bytes=0-9", 0, 10), ("bytes=990-", 990, 1000), ("bytes=-5", 995, 1000)]
)
def test_a_part_of_a_chunk_is_served(link, wanted, begin, end):
    """By the first byte, the last, or both."""
    url, data = link

    assert (206, data[begin:end]) == fetched(url, Range=wanted)
    assert (200, data) == fetched(url)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda url: url.split("?")[0], 403),
        (lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"), 403),
        (lambda url: url.replace("until=", "until=1"), 403),
        (lambda url: url.replace("/chunk/", "/chunk/../"), 404),
    ],
)
def test_a_link_that_was_changed_opens_nothing(link, change, status):
    """Neither another chunk nor another time."""
    with pytest.raises(HTTPError) as error:
        fetched(change(link[0]))

    assert status == error.value.code


def test_a_range_behind_the_end_is_refused(link):
    """As the standard of HTTP says."""
    with pytest.raises(HTTPError) as error:
        fetched(link[0], Range="bytes=1000-")

    assert 416 == error.value.code


def test_a_file_set_that_is_not_there_is_not_found(client):
    """By every call that takes its id; the text says what to do."""
    missing = "0" * 12 + "4" + "0" * 19
    for call in (
        lambda: client.pfs.renew_file_set(file_set_id=missing),
        lambda: client.pfs.shard_file_set(file_set_id=missing),
        lambda: client.pfs.inspect_commit(commit=of(missing)),
        lambda: list(client.pfs.list_file(file=pfs.File(commit=of(missing), path="/"))),
        lambda: list(client.storage.read_fileset(fileset_id=missing)),
        lambda: list(client.storage.read_fileset_cdr(fileset_id="")),
    ):
        with pytest.raises(grpc.RpcError) as error:
            call()
        assert grpc.StatusCode.NOT_FOUND is error.value.code()
        assert "not found" in error.value.details()

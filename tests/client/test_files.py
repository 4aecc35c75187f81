# SPDX-License-Identifier: Apache-2.0
"""Files by the client, each by both ways: directly at the object store, and through the server."""

import io
import os
import random

import pytest

from howdah.client import Client
from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.testing.server import running_server

MiB = 1 << 20


def paths(infos):
    return [info.path for info in infos]


def test_the_fixture_takes_the_way_that_it_says(client, request):
    """`direct=True` reaches the store of a server on this machine, `direct=False` never."""
    assert ("direct" in request.node.name) == client.is_direct


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_nothing_is_written_directly_into_the_folder_of_another_user(tmp_path):
    """The server could neither remove that nor write beside it: bytes go through the server."""
    with running_server(tmp_path / "lake") as server, Client(server.grpc_address) as own:
        own.create_repo("in")
        was_direct = own.is_direct
        os.chown(tmp_path / "lake/lake", 54_321, 54_321)
        with Client(server.grpc_address) as other:
            other.put_file("in@master", "/a", b"a")
            is_direct = other.is_direct

    assert (True, False) == (was_direct, is_direct)


@pytest.mark.parametrize("size", [0, 1, MiB - 1, MiB, 5 * MiB + 3])
def test_bytes_come_back(client, repo, size):
    """A file of any size is what was put."""
    data = random.Random(size).randbytes(size)

    client.put_file(f"{repo}@master", "/a", data)

    assert data == client.get_file(f"{repo}@master", "/a")


def test_every_kind_of_source_is_the_same_file(client, repo, tmp_path):
    """Bytes, a path, an open file and pieces of one content have one hash."""
    data = random.Random(7).randbytes(3 * MiB + 17)
    local = tmp_path / "local"
    local.write_bytes(data)

    with client.modify(f"{repo}@master") as writer:
        writer.put("/bytes", data)
        writer.put("/path", local)
        writer.put("/text-path", str(local))
        writer.put("/open", io.BytesIO(data))
        writer.put("/pieces", iter([data[:5], b"", data[5:MiB], data[MiB:]]))

    hashes = {info.hash for info in client.list_files(f"{repo}@master")}
    assert 1 == len(hashes)
    assert 5 == len(list(client.list_files(f"{repo}@master")))


def test_both_ways_give_one_hash(server, client, repo):
    """What was put one way reads and hashes the same by the other."""
    data = random.Random(3).randbytes(2 * MiB)
    client.put_file(f"{repo}@master", "/one", data)
    with Client(server.grpc_address, direct=not client.is_direct) as other:
        other.put_file(f"{repo}@master", "/two", data)

        assert data == other.get_file(f"{repo}@master", "/one")
        assert data == client.get_file(f"{repo}@master", "/two")
        one, two = client.list_files(f"{repo}@master")
        assert one.hash == two.hash
        assert list(other.walk_files(f"{repo}@master")) == list(client.walk_files(f"{repo}@master"))


def test_a_range_of_bytes_is_given(client, repo):
    """`offset` skips bytes, `length` ends the file early; past the end there is nothing."""
    data = random.Random(5).randbytes(3 * MiB)
    client.put_file(f"{repo}@master", "/big", data)
    client.put_file(f"{repo}@master", "/small", b"0123456789")

    assert data[MiB + 1 : MiB + 11] == client.get_file(f"{repo}@master", "/big", offset=MiB + 1, length=10)
    assert b"345" == client.get_file(f"{repo}@master", "/small", offset=3, length=3)
    assert b"9" == client.get_file(f"{repo}@master", "/small", offset=9)
    assert b"" == client.get_file(f"{repo}@master", "/small", offset=10)
    assert b"" == client.get_file(f"{repo}@master", "/small", length=0)


def test_appending_adds_and_putting_replaces(client, repo):
    """Only `append` keeps what the path has."""
    client.put_file(f"{repo}@master", "/a", b"one")
    client.put_file(f"{repo}@master", "/a", b" two", append=True)
    appended = client.get_file(f"{repo}@master", "/a")
    client.put_file(f"{repo}@master", "/a", b"three")

    assert b"one two" == appended
    assert b"three" == client.get_file(f"{repo}@master", "/a")


def test_operations_apply_in_their_order(client, repo):
    """Within one block the last word on a path wins."""
    with client.modify(f"{repo}@master") as writer:
        writer.put("/a", b"1")
        writer.put("/a", b"2", append=True)
        writer.put("/b/c", b"gone")
        writer.delete("/b", recursive=True)
        writer.put("/b/d", b"stays")
        writer.delete("/never-there")

    assert b"12" == client.get_file(f"{repo}@master", "/a")
    assert ["/a", "/b/"] == paths(client.list_files(f"{repo}@master"))
    assert ["/b/d"] == paths(client.list_files(f"{repo}@master", "/b"))


def put_and_fail(block, data):
    with block as writer:
        writer.put("/a", data)
        raise ZeroDivisionError


def test_a_block_that_raises_changes_nothing(client, repo):
    """Neither the target nor its history sees what was written before the error."""
    client.put_file(f"{repo}@master", "/a", b"before")

    with pytest.raises(ZeroDivisionError):
        put_and_fail(client.modify(f"{repo}@master"), b"after")

    assert b"before" == client.get_file(f"{repo}@master", "/a")
    assert 1 == len(list(client.list_commits(repo)))


def test_a_commit_is_opened_written_and_closed(client, repo):
    """`commit()` gives one finished commit with all files."""
    with client.commit(f"{repo}@master", description="two files") as writer:
        writer.put("/a", b"a")
        writer.put("/b", b"b")

    info = client.inspect_commit(f"{repo}@master")
    assert info.finished_at is not None
    assert "two files" == info.description
    assert writer.commit == info.commit
    assert ["/a", "/b"] == paths(client.list_files(info.commit))


def test_a_commit_whose_block_raises_is_a_bad_one(client, repo):
    """Its files are not read; the commit before is."""
    client.put_file(f"{repo}@master", "/a", b"good")

    with pytest.raises(ZeroDivisionError):
        put_and_fail(client.commit(f"{repo}@master"), b"bad")

    assert "given up by its writer: ZeroDivisionError" == client.inspect_commit(f"{repo}@master").error
    assert b"good" == client.get_file(f"{repo}@master", "/a")


def test_an_open_commit_shows_what_was_written_so_far(client, repo):
    """Each block into an open commit is seen when it ends."""
    commit = client.start_commit(f"{repo}@master")
    client.put_file(commit, "/a", b"a")
    seen = paths(client.list_files(commit))
    client.put_file(commit, "/b", b"b")
    client.finish_commit(commit)

    assert ["/a"] == seen
    assert ["/a", "/b"] == paths(client.list_files(f"{repo}@master"))


def make_tree(root):
    """A folder with small files, an empty one, a big one, a link and odd names."""
    rng = random.Random(11)
    for n in range(300):
        file = root / f"d{n % 7}" / f"ä b{n}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(rng.randbytes(n * 13))
    (root / "a-b").write_bytes(b"between a and a/")
    (root / "a").mkdir()
    (root / "a" / "x*y").write_bytes(b"star")
    (root / "big").write_bytes(rng.randbytes(2 * MiB))
    os.symlink(root / "big", root / "link")


def content(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_folder_goes_in_and_comes_out(client, repo, tmp_path):
    """Every file comes back with its path and bytes; a link has become the file."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    make_tree(source)

    put = client.put_folder(f"{repo}@master", "/in", source)
    got = client.get_folder(f"{repo}@master", "/in", target)

    assert content(source) == content(target)
    assert len(content(source)) == put.files == got.files
    assert sum(map(len, content(source).values())) == put.bytes == got.bytes


def test_the_root_of_an_empty_commit_is_an_empty_folder(client, repo, tmp_path):
    """There is nothing to write, and that is no error."""
    client.finish_commit(client.start_commit(f"{repo}@master"))

    assert (0, 0, 0) == client.get_folder(f"{repo}@master", "/", tmp_path / "out")
    assert [] == list((tmp_path / "out").iterdir())


def test_one_file_is_got_as_a_folder_of_itself(client, repo, tmp_path):
    """`get_folder` of a file writes it under its name."""
    client.put_file(f"{repo}@master", "/d/e/f.txt", b"f")

    assert (1, 1, 0) == client.get_folder(f"{repo}@master", "/d/e/f.txt", tmp_path)
    assert b"f" == (tmp_path / "f.txt").read_bytes()


@pytest.mark.parametrize("size", [0, 10, 3 * MiB])
def test_a_file_is_saved_over_what_is_there(client, repo, tmp_path, size):
    """The local file is exactly the file, also when it was longer before."""
    local = tmp_path / "local"
    local.write_bytes(b"x" * 4 * MiB)
    data = random.Random(size).randbytes(size)
    client.put_file(f"{repo}@master", "/a", data)
    seen = []

    assert size == client.save_file(f"{repo}@master", "/a", local)
    assert data == local.read_bytes()
    client.save_file(f"{repo}@master", "/a", local, progress=lambda *more: seen.append(more))
    assert data == local.read_bytes()
    assert (size, 1) == tuple(map(sum, zip(*seen, strict=True)))


def test_progress_adds_up_to_what_was_put(client, repo, tmp_path):
    """Bytes and files that are told sum up to those of the folder."""
    make_tree(tmp_path)
    seen = []

    put = client.put_folder(f"{repo}@master", "/", tmp_path, progress=lambda *more: seen.append(more))

    assert (put.bytes, put.files) == tuple(map(sum, zip(*seen, strict=True)))


def test_an_unchanged_folder_stores_no_chunk(client, repo, tmp_path):
    """Putting a folder again makes a commit, and no object for its bytes."""
    make_tree(tmp_path)
    client.put_folder(f"{repo}@master", "/", tmp_path)
    before = {info.path: info.hash for info in client.walk_files(f"{repo}@master")}

    client.put_folder(f"{repo}@master", "/", tmp_path)

    assert before == {info.path: info.hash for info in client.walk_files(f"{repo}@master")}
    assert [] == list(client.diff_files(f"{repo}@master:/", f"{repo}@master^:/"))


def tree(client, repo):
    with client.modify(f"{repo}@master") as writer:
        for path in ("/a", "/a-b", "/d/e/f", "/d/g", "/z"):
            writer.put(path, path.encode())


def test_directories_are_listed_in_pages(client, repo):
    """Children in byte order, directories with a slash; pages begin after a path, and go backwards too."""
    tree(client, repo)
    ref = f"{repo}@master"

    assert ["/a", "/a-b", "/d/", "/z"] == paths(client.list_files(ref))
    assert ["/a-b", "/d/"] == paths(client.list_files(ref, after="/a", number=2))
    assert ["/d/", "/a-b"] == paths(client.list_files(ref, after="/z", number=2, reverse=True))
    assert ["/d/e/", "/d/g"] == paths(client.list_files(ref, "/d/"))
    assert ["/d/g"] == paths(client.list_files(ref, "/d/g"))
    sizes = {info.path: (info.is_dir, info.size_bytes) for info in client.list_files(ref)}
    assert {"/a": (False, 2), "/a-b": (False, 4), "/d/": (True, 10), "/z": (False, 2)} == sizes


def test_walks_and_globs_find_directories_too(client, repo):
    """A walk includes its start; `*` stays within a component."""
    tree(client, repo)
    ref = f"{repo}@master"

    assert ["/d/", "/d/e/", "/d/e/f", "/d/g"] == paths(client.walk_files(ref, "/d"))
    assert ["/a", "/a-b", "/d/", "/z"] == paths(client.glob_files(ref, "/*"))
    assert ["/d/e/f", "/d/g"] == paths(client.glob_files(ref, "/d/**[fg]"))
    assert [] == paths(client.glob_files(ref, "/nothing*"))


def test_a_glob_is_a_table_of_the_same(client, repo):
    """The columns hold what the values hold."""
    tree(client, repo)

    table = client.glob_table(f"{repo}@master", "/**")

    infos = list(client.glob_files(f"{repo}@master", "/**"))
    assert ["path", "size", "hash"] == table.column_names
    assert [(i.path, i.size_bytes, i.hash) for i in infos] == list(
        zip(*(column.to_pylist() for column in table.columns), strict=True)
    )


def test_copies_are_by_reference_and_of_directories_too(client, repo):
    """A copy has the hash of its source; a directory's files keep their places below it."""
    tree(client, repo)
    ref = f"{repo}@master"

    client.copy_file(f"{ref}:/d", f"{repo}@other", "/copy/of")
    client.copy_file(f"{ref}:/a", f"{repo}@other", "/a2")

    assert ["/a2", "/copy/of/e/f", "/copy/of/g"] == [
        info.path for info in client.walk_files(f"{repo}@other") if not info.is_dir
    ]
    assert client.inspect_file(ref, "/a").hash == client.inspect_file(f"{repo}@other", "/a2").hash
    assert client.inspect_file(ref, "/d").hash != client.inspect_file(f"{repo}@other", "/copy/of").hash


def test_a_diff_pairs_what_differs(client, repo):
    """Against the parent by default; a side without the path is None."""
    tree(client, repo)
    with client.modify(f"{repo}@master") as writer:
        writer.put("/a", b"changed")
        writer.put("/new", b"new")
        writer.delete("/z")

    by_default = list(client.diff_files(f"{repo}@master:/"))

    files = [pair for pair in by_default if not (pair.new or pair.old).is_dir]
    assert [("/a", "/a"), ("/new", None), (None, "/z")] == [(new and new.path, old and old.path) for new, old in files]
    assert by_default == list(client.diff_files(f"{repo}@master:/", f"{repo}@master^:/"))
    shallow = client.diff_files(f"{repo}@master:/", f"{repo}@master^:/", shallow=True)
    assert {"/a", "/new", "/z"} == {(pair.new or pair.old).path for pair in shallow}


def test_the_first_commit_differs_from_nothing(client, repo):
    """Without a parent everything is new."""
    client.put_file(f"{repo}@master", "/a", b"a")

    assert ["/a"] == [pair.new.path for pair in client.diff_files(f"{repo}@master:/") if not pair.new.is_dir]


@pytest.mark.parametrize("call", ["get_file", "inspect_file", "list_files", "walk_files"])
def test_a_missing_path_is_not_found(client, repo, call):
    """The text names path, repo and commit, whichever way it was asked for."""
    client.put_file(f"{repo}@master", "/a", b"a")
    commit = client.inspect_commit(f"{repo}@master").commit

    with pytest.raises(NotFound) as error:
        list(getattr(client, call)(f"{repo}@master", "/missing") or ())

    assert ErrorKind.FILE_NOT_FOUND is error.value.kind
    assert error.value.message.startswith(f"file /missing not found in repo default/{repo} at commit {commit.id}")


@pytest.mark.parametrize("path", ["/d", "/d/*"])
def test_a_directory_or_several_files_are_no_file(client, repo, path):
    """`get_file` refuses, and says what gets them."""
    tree(client, repo)
    client.put_file(f"{repo}@master", "/d/h", b"h")

    with pytest.raises(Refused) as error:
        client.get_file(f"{repo}@master", path)

    assert ErrorKind.NOT_A_FILE is error.value.kind
    assert "Use GetFileTAR instead" in error.value.message


@pytest.mark.parametrize("path", ["/a/../b", "/\x01", "/", "/" + "x" * 256])
def test_bad_paths_are_refused(client, repo, path):
    """Before anything is stored, with the path in the text."""
    with pytest.raises(BadRequest) as error:
        client.put_file(f"{repo}@master", path, b"a")

    assert ErrorKind.BAD_PATH is error.value.kind


@pytest.mark.parametrize("call", ["get_file", "inspect_file", "list_files", "walk_files", "glob_files"])
@pytest.mark.parametrize("path", ["/\udcff", "/a\0b"])
def test_no_call_takes_what_is_no_text(client, repo, call, path):
    """A lone surrogate or a NUL is refused by every reading call too."""
    client.put_file(f"{repo}@master", "/a", b"a")

    with pytest.raises(BadRequest) as error:
        list(getattr(client, call)(f"{repo}@master", path))

    assert error.value.kind in (ErrorKind.BAD_PATH, ErrorKind.BAD_PATTERN)


def test_a_bad_pattern_is_refused(client, repo):
    """The text says where it is wrong."""
    client.put_file(f"{repo}@master", "/a", b"a")

    with pytest.raises(BadRequest) as error:
        list(client.glob_files(f"{repo}@master", "/[a"))

    assert ErrorKind.BAD_PATTERN is error.value.kind


def test_a_file_and_a_directory_of_one_name_are_refused(client, repo):
    """A one-off commit that would have both is not made."""
    client.put_file(f"{repo}@master", "/a", b"a")

    with pytest.raises(BadRequest) as error:
        client.put_file(f"{repo}@master", "/a/b", b"b")

    assert ErrorKind.PATH_COLLISION is error.value.kind


def test_a_closed_commit_refuses_writes(client, repo):
    """By its id nothing can be added, whichever way."""
    commit = client.start_commit(f"{repo}@master")
    client.finish_commit(commit)

    with pytest.raises(Refused) as error:
        client.put_file(commit, "/a", b"late")

    assert ErrorKind.COMMIT_FINISHED is error.value.kind
    assert "has already finished" in error.value.message


def test_a_missing_local_file_is_named(client, repo, tmp_path):
    """The error is about the caller's own file, and nothing is committed."""
    with pytest.raises(NotFound) as error:
        client.put_file(f"{repo}@master", "/a", tmp_path / "absent")

    assert "absent" in error.value.message
    assert [] == list(client.list_commits(repo))


def test_negative_ranges_are_refused(client, repo):
    """Before anything is read."""
    client.put_file(f"{repo}@master", "/a", b"a")

    with pytest.raises(BadRequest):
        client.get_file(f"{repo}@master", "/a", offset=-1)


@pytest.mark.parametrize("call", ["get_file", "inspect_file", "list_files"])
def test_a_path_that_leads_up_is_refused_by_name(client, repo, call):
    """The text is that of a bad path, whichever way and call it came."""
    client.put_file(f"{repo}@master", "/a", b"a")

    with pytest.raises(BadRequest) as error:
        list(getattr(client, call)(f"{repo}@master", "/x/../a") or ())

    assert ErrorKind.BAD_PATH is error.value.kind


def test_saving_into_a_folder_that_is_not_there_names_the_folder(client, repo, tmp_path):
    """The file to be made is not what is missing."""
    client.put_file(f"{repo}@master", "/a", b"a")

    with pytest.raises(NotFound) as error:
        client.save_file(f"{repo}@master", "/a", tmp_path / "no" / "a")

    assert f"local folder {str(tmp_path / 'no')!r} does not exist; make it first" == error.value.message


def test_what_only_one_side_has_differs_in_a_shallow_diff_too(client, repo):
    """A directory that the old commit does not have is empty there."""
    client.put_file(f"{repo}@master", "/a", b"a")
    client.put_file(f"{repo}@master", "/d/b", b"b")

    found = list(client.diff_files(f"{repo}@master:/d", shallow=True))

    assert [("/d/b", None)] == [(pair.new.path, pair.old) for pair in found]

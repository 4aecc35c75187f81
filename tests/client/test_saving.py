# SPDX-License-Identifier: Apache-2.0
"""Files that are got: whole or absent, overwritten only if that is wanted; and how a file came to be."""

import os
import random

import pytest

from howdah.errors import AlreadyExists, BadRequest, Damaged, NotFound

MiB = 1 << 20


@pytest.fixture
def master(client, repo):
    with client.modify(f"{repo}@master") as writer:
        writer.put("/d/a.txt", b"a")
        writer.put("/d/e/b.txt", b"bb")
        writer.put("/d/e/c.bin", random.Random(1).randbytes(2 * MiB))
    return f"{repo}@master"


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/d/**.txt", ["a.txt", "e/b.txt"]),
        ("/d/e/*", ["b.txt", "c.bin"]),
        ("/*/e", ["d/e/b.txt", "d/e/c.bin"]),
        ("/d/{e,e/*}", ["e/b.txt", "e/c.bin"]),
    ],
)
def test_a_pattern_is_got_below_its_last_plain_directory(client, master, tmp_path, path, expected):
    """Each file once, a directory with all that is in it."""
    client.get_folder(master, path, tmp_path)

    assert expected == sorted(tree(tmp_path))


def test_nothing_that_matches_is_not_found(client, master, tmp_path):
    """By the name or by a pattern."""
    for path in ("/no", "/d/*.no"):
        with pytest.raises(NotFound):
            client.get_folder(master, path, tmp_path)


def test_what_is_overwritten_is_counted(client, master, tmp_path):
    """Others in the folder stay."""
    (tmp_path / "a.txt").write_bytes(b"before")
    (tmp_path / "mine").write_bytes(b"mine")

    got = client.get_folder(master, "/d", tmp_path)

    assert (3, 1) == (got.files, got.replaced)
    assert {"a.txt": b"a", "mine": b"mine"} == {key: tree(tmp_path)[key] for key in ("a.txt", "mine")}


@pytest.mark.parametrize("there", ["a.txt", "e/c.bin"])
def test_overwriting_can_be_refused(client, master, tmp_path, there):
    """A file that is there stays as it is, be it small or big."""
    (tmp_path / "e").mkdir()
    (tmp_path / there).write_bytes(b"before")

    with pytest.raises(AlreadyExists):
        client.get_folder(master, "/d", tmp_path, overwrite=False)

    assert b"before" == (tmp_path / there).read_bytes()


def test_no_part_of_a_file_is_ever_seen(server, client, master, repo, tmp_path):
    """A get that fails half way leaves what was there, and nothing under a name of its own."""
    (entry,) = server.pfs.files.view(client.inspect_commit(master).commit).fileset.find("/d/e/c.bin")
    last = list(entry.extents)[-1][0].hex()
    chunk = server.root / "objects" / "chunk" / last[:2] / last
    chunk = chunk if chunk.exists() else next(server.root.rglob(last))
    whole = chunk.read_bytes()
    (tmp_path / "c.bin").write_bytes(b"before")

    chunk.write_bytes(whole[:-100] + bytes(100))
    try:
        with pytest.raises(Damaged):
            client.save_file(master, "/d/e/c.bin", tmp_path / "c.bin")
        with pytest.raises(Damaged):
            client.get_folder(master, "/d/e/c.bin", tmp_path)
    finally:
        chunk.write_bytes(whole)

    assert {"c.bin": b"before"} == tree(tmp_path)


def test_a_saved_file_keeps_the_mode_and_the_place_of_the_old_one(client, master, tmp_path):
    """Also behind a link."""
    (tmp_path / "real").write_bytes(b"before")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")

    client.save_file(master, "/d/a.txt", tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert (b"a", 0o640) == ((tmp_path / "real").read_bytes(), (tmp_path / "real").stat().st_mode & 0o777)


def test_a_device_is_not_replaced(client, master, tmp_path):
    """Nor a folder: there only bytes in order can go."""
    for place in (os.devnull, tmp_path):
        with pytest.raises(BadRequest):
            client.save_file(master, "/d/a.txt", place)

    assert not os.path.isfile(os.devnull)


def test_a_file_has_a_history(client, repo):
    """The commits that changed it, the newest first; others are left out."""
    branch = f"{repo}@master"
    for content in (b"1", b"2"):
        client.put_file(branch, "/a", content)
        client.put_file(branch, "/other", content)
    client.delete_file(branch, "/a")
    client.put_file(branch, "/a", b"1")

    found = list(client.file_history(branch, "/a"))

    assert [1, None, 1, 1] == [each.info and each.info.size_bytes for each in found]
    assert found[0].commit == client.inspect_commit(branch).commit
    assert found[0].info.hash == found[3].info.hash != found[2].info.hash
    with pytest.raises(NotFound):
        list(client.file_history(branch, "/never"))

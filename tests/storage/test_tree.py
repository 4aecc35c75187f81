# SPDX-License-Identifier: Apache-2.0
"""Local folders: what is in them, in order; and files written into them, in their place only."""

import os
import random

import pytest

from howdah.errors import AlreadyExists, BadRequest, Damaged, ErrorKind, NotFound
from howdah.storage import tree_put
from howdah.storage.chunks import Chunks, chunk_key
from howdah.storage.content import ContentWriter
from howdah.storage.extents import Extents
from howdah.storage.filehash import hash_small
from howdah.storage.memory_store import MemoryStore
from howdah.storage.packs import Packer
from howdah.storage.reading import ContentReader
from howdah.storage.tree_get import LocalFolder, write_tree
from howdah.storage.tree_put import LocalFile, read_small_files, scan


def make(folder, files):
    for path, data in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def scanned(folder, **options):
    return [file for batch in scan(folder, **options) for file in batch]


def test_files_come_in_the_order_of_their_paths(tmp_path):
    """By the bytes of the whole path: `a-b` before `a/x` before `a0`, and é after z."""
    files = {path: path.encode() for path in ["a/x", "a-b", "a0", "é", "z", "a/x-y/1", "a/x.y", "\U0001f600", "\uffee"]}
    make(tmp_path, files)

    found = scanned(tmp_path)

    assert sorted(files, key=str.encode) == [file.path for file in found]
    assert [len(file.path.encode()) for file in found] == [file.size for file in found]


def test_a_big_folder_comes_in_batches(tmp_path, monkeypatch):
    """No batch has more files than it may."""
    monkeypatch.setattr(tree_put, "BATCH_FILES", 40)
    make(tmp_path, {f"{number:05}": b"" for number in range(90)})

    assert [40, 40, 10] == [len(batch) for batch in scan(tmp_path)]


def test_links_to_files_are_files_and_links_to_folders_are_not_followed(tmp_path):
    """So no loop is walked; who asks is told what was left out."""
    make(tmp_path, {"d/file": b"12345"})
    (tmp_path / "link").symlink_to("d/file")
    (tmp_path / "d" / "loop").symlink_to(tmp_path)
    skipped = []

    found = scanned(tmp_path, skipped=skipped.append)

    assert [LocalFile("d/file", 5), LocalFile("link", 5)] == found
    assert ["d/loop"] == skipped


def test_a_name_that_is_not_utf_8_is_named(tmp_path):
    """The error shows its bytes."""
    (tmp_path / "d").mkdir()
    os.close(os.open(os.fsencode(tmp_path) + b"/d/caf\xe9", os.O_CREAT))

    with pytest.raises(BadRequest) as error:
        scanned(tmp_path)

    assert ErrorKind.BAD_PATH == error.value.kind
    assert r"d/caf\xe9" in error.value.message


@pytest.mark.parametrize("what", [lambda path: os.mkfifo(path), lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_named(tmp_path, what):
    """A pipe would be waited for, and a link to nothing has no bytes."""
    what(tmp_path / "odd")

    with pytest.raises(BadRequest) as error:
        scanned(tmp_path)

    assert "odd" in error.value.message


def test_a_folder_that_is_missing_is_named(tmp_path):
    """Not an empty one."""
    with pytest.raises(NotFound) as error:
        scanned(tmp_path / "nothing")

    assert "nothing" in error.value.message


def test_small_files_are_read_in_order(tmp_path):
    """A big one is left to be streamed; one that changed since it was seen is read as it is."""
    big = 1 << 20
    make(tmp_path, {"a": b"1", "b": b"", "c": bytes(big), "grown": b"x" * 500, "shrunk": b"x", "now-big": bytes(big)})
    files = [
        *[LocalFile("a", 1), LocalFile("b", 0), LocalFile("c", big)],
        *[LocalFile("grown", 3), LocalFile("shrunk", 77), LocalFile("now-big", 5)],
    ]

    assert [b"1", b"", None, b"x" * 500, b"x", None] == read_small_files(tmp_path, files)


def test_a_file_that_is_gone_is_named(tmp_path):
    """Between scan and read it was removed."""
    with pytest.raises(NotFound) as error:
        read_small_files(tmp_path, [LocalFile("gone", 5)])

    assert "gone" in error.value.message


def test_files_are_written_where_they_belong(tmp_path):
    """Folders are made as needed; what was there is replaced."""
    make(tmp_path, {"d/a": b"old and longer"})

    size = LocalFolder(tmp_path).write([("d/a", b"1"), ("d/e/b", memoryview(b"23")), ("c", b"")])

    assert 3 == size
    assert [LocalFile("c", 0), LocalFile("d/a", 1), LocalFile("d/e/b", 2)] == scanned(tmp_path)


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/out", "a//b", "a/./b", "a/..", "", "a/"])
def test_no_path_leads_out_of_the_folder(tmp_path, path):
    """Whatever a fileset says."""
    folder = LocalFolder(tmp_path / "in")

    with pytest.raises(BadRequest) as error:
        folder.write([(path, b"x")])

    assert ErrorKind.BAD_PATH == error.value.kind
    assert [] == scanned(tmp_path)


def test_a_link_is_not_written_through(tmp_path):
    """A link with the name of a file cannot lead the bytes elsewhere."""
    make(tmp_path, {"elsewhere": b"mine"})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").symlink_to("../elsewhere")

    with pytest.raises(BadRequest):
        LocalFolder(tmp_path / "in").write([("a", b"x")])

    assert b"mine" == (tmp_path / "elsewhere").read_bytes()


def test_nothing_is_overwritten_unless_asked(tmp_path):
    """With `overwrite` off a file that is there is an error that names it."""
    make(tmp_path, {"a": b"mine"})

    with pytest.raises(AlreadyExists) as error:
        LocalFolder(tmp_path, overwrite=False).write([("a", b"x")])

    assert str(tmp_path / "a") in error.value.message
    assert b"mine" == (tmp_path / "a").read_bytes()


def test_a_file_where_a_folder_must_be_is_named(tmp_path):
    """A lake may hold both `a` and `a/b`; a disk cannot."""
    with pytest.raises(BadRequest) as error:
        LocalFolder(tmp_path).write([("a", b"1"), ("a/b", b"2")])

    assert str(tmp_path / "a") in error.value.message


@pytest.fixture
def stored():
    """Files of many kinds in a store: chunks, and for each path its bytes and extents."""
    noise = random.Random(1)
    chunks = Chunks(MemoryStore("tree"))
    small = {f"d{number // 100}/f{number:04}": noise.randbytes(noise.randrange(1, 3000)) for number in range(900)}
    extents = {"empty": Extents()}
    with Packer(chunks) as packer:
        packs = packer.add((path, data, hash_small(data)) for path, data in sorted(small.items()))
        for pack in packs + packer.flush():
            extents |= {path: Extents.one(pack.name, offset, length) for path, offset, length in pack.members}
    big = noise.randbytes(9 << 20)
    with ContentWriter(chunks) as writer:
        extents["d5/big"] = writer.put_file([big]).extents
        extents["log"] = writer.append(writer.put_small(b"one "), [b"two"], "log").extents
    return chunks, {**small, "empty": b"", "d5/big": big, "log": b"one two"}, extents


def test_a_tree_comes_back_as_it_was(stored, tmp_path):
    """Packed, big, appended and empty files, written and then read from the disk."""
    chunks, contents, extents = stored

    with ContentReader(chunks) as reader:
        size = write_tree(reader, LocalFolder(tmp_path), sorted(extents.items()))

    assert sum(map(len, contents.values())) == size
    assert contents == {file.path: (tmp_path / file.path).read_bytes() for file in scanned(tmp_path)}


def test_a_damaged_pack_writes_no_wrong_file(stored, tmp_path):
    """The error names the object and a file that needs it; what was written is right."""
    chunks, contents, extents = stored
    key = chunk_key(extents["d3/f0300"].names)
    whole = chunks.store.get(key)
    chunks.store.delete(key)
    chunks.store.put(key, whole[:-1] + bytes([whole[-1] ^ 1]))

    with ContentReader(chunks) as reader, pytest.raises(Damaged) as error:
        write_tree(reader, LocalFolder(tmp_path), sorted(extents.items()), lambda path: f"file {path} of commit 1")

    assert key in error.value.message
    assert "of commit 1" in error.value.message
    assert all(contents[file.path] == (tmp_path / file.path).read_bytes() for file in scanned(tmp_path))


def test_big_files_are_not_overwritten_either(stored, tmp_path):
    """`overwrite` off counts for files of every size."""
    chunks, _, extents = stored
    make(tmp_path, {"d5/big": b"mine"})

    with ContentReader(chunks) as reader, pytest.raises(AlreadyExists):
        write_tree(reader, LocalFolder(tmp_path, overwrite=False), [("d5/big", extents["d5/big"])])

    assert b"mine" == (tmp_path / "d5/big").read_bytes()

# SPDX-License-Identifier: Apache-2.0
"""The object stores: both pass the contract; what a directory must do to be durable; which lake is where."""

import errno
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from howdah.errors import Damaged, ErrorKind, NotFound, Refused, Unavailable, Unsupported
from howdah.kit import fail
from howdah.storage import lake
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.memory_store import MemoryStore
from howdah.storage.trash import RecoveringStore, throw_away
from howdah.testing import ManualClock, ObjectStoreContract


class TestMemoryStore(ObjectStoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore("contract")


class TestDirectoryStore(ObjectStoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return DirectoryStore(tmp_path / "lake")


class TestRecoveringStore(ObjectStoreContract):
    @pytest.fixture
    def store(self):
        return RecoveringStore(MemoryStore("contract"))


@pytest.mark.parametrize("read", ["get", "get_head", "get_range", "exists"])
def test_what_is_in_the_trash_comes_back_when_it_is_read(read):
    """And is then at its place; a writer that asks for its size stores it again instead."""
    inner = MemoryStore()
    store = RecoveringStore(inner)
    store.put("a/b", b"bytes")
    throw_away(inner, "a/b")

    size = store.size("a/b")
    found = getattr(store, read)("a/b", *{"get_head": (9,), "get_range": (0, 5)}.get(read, ()))

    assert size is None
    assert found in (b"bytes", True)
    assert ["a/b"] == [info.key for info in inner.list()]


def test_a_reader_never_empties_the_trash():
    """The object was stored again after the miss, and thrown away again while the reader looked."""
    inner = Crossing()
    store = RecoveringStore(inner)

    found = store.get("a/b")

    assert b"bytes" == found
    assert inner.exists("a/b") or inner.exists("trash/a/b")


class Crossing(MemoryStore):
    """Each time that somebody asks whether the object is there, it is; right after that it goes into the trash."""

    def __init__(self):
        super().__init__("crossing")
        super().put("trash/a/b", b"bytes")

    def exists(self, key):
        if key == "a/b":
            super().put(key, b"bytes")
            super().move(key, "trash/a/b")
            return True
        return super().exists(key)


def test_what_is_neither_here_nor_in_the_trash_is_missing():
    """The error is that of the store itself."""
    with pytest.raises(Damaged) as error:
        RecoveringStore(MemoryStore("gone")).get("a/b")

    assert ErrorKind.OBJECT_MISSING is error.value.kind
    assert "object a/b is missing from store memory://gone" in error.value.message


class Stopped(Exception):
    """What a failpoint raises in place of a power cut."""


def stop():
    raise Stopped


def stored(store):
    store.put("a/b", b"bytes")
    store.sync()


@pytest.mark.parametrize("failpoint", ["object_written_not_synced", "object_synced_not_renamed"])
def test_an_object_has_its_name_only_when_it_is_whole(tmp_path, failpoint):
    """A writer that stops before the rename leaves nothing under the key."""
    store = DirectoryStore(tmp_path)

    with fail.during(failpoint, stop), pytest.raises(Stopped):
        stored(store)

    assert not store.exists("a/b")
    assert [] == list(store.list())
    assert store.put("a/b", b"bytes")


def test_the_bytes_are_synced_before_the_name_and_the_name_by_sync(tmp_path, monkeypatch):
    """File, rename, then the directory and those above it: the order that a power cut cannot break."""
    seen = watched_syncs(monkeypatch)
    rename = os.rename
    monkeypatch.setattr(os, "rename", lambda old, new: seen.append(os.stat(old).st_ino) or rename(old, new))
    root = tmp_path / "lake"
    store = DirectoryStore(root)

    store.put("chunk/ab/x", b"1")
    store.sync()

    file = (root / "chunk/ab/x").stat().st_ino
    assert [file, file] == seen[:2]
    assert {path.stat().st_ino for path in (tmp_path, root, root / "chunk", root / "chunk/ab")} == set(seen[2:])


def test_objects_that_wait_for_each_other_are_read_at_once(tmp_path):
    """Bytes are synced and named some at a time; whoever asks for one of them before finds it."""
    store = DirectoryStore(tmp_path)
    for number in range(20):
        store.put(f"a/{number}", str(number).encode())

    assert [str(number).encode() for number in range(20)] == [store.get(f"a/{number}") for number in range(20)]
    assert 20 == len(list(store.list("a/")))


def test_after_a_failed_fsync_nothing_is_promised_any_more(tmp_path, monkeypatch):
    """What the kernel dropped it does not report twice, so the store refuses to go on."""
    store = DirectoryStore(tmp_path)

    def broken(file):
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        store.put("a/b", b"bytes")
        with pytest.raises(Unavailable):
            store.sync()

    store.put("a/c", b"bytes")
    with pytest.raises(Unavailable):
        store.sync()


def watched_syncs(monkeypatch):
    """The inodes of what is fsynced from now on."""
    seen, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: seen.append(os.fstat(file).st_ino) or fsync(file))
    return seen


@pytest.mark.parametrize("use", [lambda store: store.put("c/x", b"1"), lambda store: store.touch("c/x")])
def test_an_object_of_somebody_elses_is_synced_too(tmp_path, monkeypatch, use):
    """Whoever finds an object there makes its name durable, for its writer may not have come to that yet."""
    other = DirectoryStore(tmp_path)
    other.put("c/x", b"1")
    assert other.exists("c/x")
    store, synced = DirectoryStore(tmp_path), watched_syncs(monkeypatch)

    use(store)
    store.sync()

    assert (tmp_path / "c").stat().st_ino in synced


def test_a_sync_that_fails_is_done_again(tmp_path, monkeypatch):
    """Directories that could not be synced are not forgotten."""
    store = DirectoryStore(tmp_path)
    store.put("c/x", b"1")
    assert store.exists("c/x")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", failing(errno.EIO))
        with pytest.raises(Unavailable) as error:
            store.sync()
    synced = watched_syncs(monkeypatch)

    store.sync()

    assert ErrorKind.STORE_FAILED == error.value.kind
    assert (tmp_path / "c").stat().st_ino in synced


def failing(number):
    def call(*_):
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(
    ("number", "kind", "error_class"),
    [
        (errno.ENOSPC, ErrorKind.NO_SPACE, Unavailable),
        (errno.EDQUOT, ErrorKind.NO_SPACE, Unavailable),
        (errno.EROFS, ErrorKind.READ_ONLY, Refused),
        (errno.EACCES, ErrorKind.READ_ONLY, Refused),
        (errno.EIO, ErrorKind.STORE_FAILED, Unavailable),
    ],
)
def test_a_disk_that_refuses_is_named(tmp_path, monkeypatch, number, kind, error_class):
    """The error says which store, and nothing is left of the object."""
    store = DirectoryStore(tmp_path)
    monkeypatch.setattr(os, "writev", failing(number))

    with pytest.raises(error_class) as error:
        store.put("a/b", b"bytes")

    assert kind == error.value.kind
    assert store.url in error.value.message
    assert not store.exists("a/b")
    assert [] == list((tmp_path / "tmp").iterdir())


def test_what_dead_writers_left_is_removed(tmp_path):
    """Files in tmp/ go when they are older than a day, and not before."""
    store = DirectoryStore(tmp_path)
    store.put("a", b"x")
    store.sync()
    (tmp_path / "tmp" / "torn").write_bytes(b"half")
    now = datetime.now(UTC)

    removed = [store.remove_leftovers(now), store.remove_leftovers(now + timedelta(days=1, minutes=1))]

    assert [0, 1] == removed
    assert ["a"] == [info.key for info in store.list()]


def test_a_put_of_what_is_there_refreshes_it():
    """An object that is stored again counts as new: garbage collection leaves it."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    store.put("a", b"x")
    store.put("b", b"x")
    clock.advance(60)

    store.put("a", b"x")

    assert [60.0, 0.0] == [(info.modified - ManualClock().now()).total_seconds() for info in store.list()]


@pytest.mark.parametrize("use", [lambda store: store.put("a", b"x"), lambda store: store.touch("a")])
def test_a_directory_refreshes_the_files_time(tmp_path, use):
    """As in memory, so on a disk."""
    store = DirectoryStore(tmp_path)
    store.put("a", b"x")
    store.sync()
    os.utime(tmp_path / "a", (0, 0))
    [old] = store.list()

    use(store)

    [new] = store.list()
    assert datetime(1970, 1, 1, tzinfo=UTC) == old.modified
    assert new.modified > datetime(2020, 1, 1, tzinfo=UTC)


def test_a_lake_is_made_once():
    """The second maker gets the lake of the first."""
    store, clock = MemoryStore(), ManualClock()

    made = lake.create_lake(store, clock=clock, new_id=lambda: "a" * 32)
    found = lake.create_lake(store, clock=clock, new_id=lambda: "b" * 32)

    assert lake.Lake("a" * 32, lake.FORMAT) == made == found == lake.open_lake(store)


def test_a_store_without_a_lake_says_so():
    """Nothing is made by looking."""
    with pytest.raises(NotFound) as error:
        lake.open_lake(MemoryStore("nowhere"))

    assert ErrorKind.LAKE_NOT_FOUND == error.value.kind
    assert "memory://nowhere" in error.value.message


def test_a_newer_format_is_left_alone():
    """An older howdah does not touch what it does not understand."""
    store = MemoryStore()
    store.put(lake.LAKE_KEY, json.dumps({"lake": "a" * 32, "format": lake.FORMAT + 1}).encode())

    with pytest.raises(Unsupported) as error:
        lake.open_lake(store)

    assert ErrorKind.FORMAT_UNKNOWN == error.value.kind


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"lake": "a", "format": "x"}', b"\xff"])
def test_a_damaged_lake_file_is_named(content):
    """Bytes that are not a lake.json are damage, not a crash."""
    store = MemoryStore()
    store.put(lake.LAKE_KEY, content)

    with pytest.raises(Damaged) as error:
        lake.open_lake(store)

    assert "lake.json" in error.value.message


def test_a_store_is_opened_by_its_url(tmp_path):
    """A path, its file:// URL and what the store says of itself lead to the same place."""
    path = tmp_path / "with space"
    store = lake.open_store(str(path))
    store.put("a", b"x")
    store.sync()

    urls = [str(path), path.as_uri(), lake.open_store(str(path)).url]

    assert [b"x"] * 3 == [lake.open_store(url).get("a") for url in urls]


def test_a_memory_store_has_one_name():
    """Two who open the same memory store share it."""
    lake.open_store("memory://shared-by-two").put("a", b"x")

    assert b"x" == lake.open_store("memory://shared-by-two").get("a")
    assert not lake.open_store("memory://other").exists("a")


def test_a_store_of_an_unknown_kind_is_refused():
    """The error names the ways that work."""
    with pytest.raises(Unsupported) as error:
        lake.open_store("gopher://bucket/lake")

    assert "memory://name" in error.value.message

# SPDX-License-Identifier: Apache-2.0
"""Copies of objects on this machine's disk: they save requests, are never believed, and do not grow without bound."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from howdah.errors import BadRequest
from howdah.storage.cached_store import CachedStore, near
from howdah.storage.chunks import Chunks, chunk_key
from howdah.storage.disk_cache import CACHE_BYTES_MAX, CacheSettings, DiskCache, default_cache
from howdah.storage.memory_store import MemoryStore
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.testing import ObjectStoreContract


class CountingStore(MemoryStore):
    """Remembers which objects were really read, and takes as many calls at once as a store far away."""

    overlap = 4

    def __init__(self):
        super().__init__("far")
        self.reads = []

    def get(self, key):
        self.reads.append(key)
        return super().get(key)


@pytest.fixture
def far():
    return CountingStore()


@pytest.fixture
def settings(tmp_path):
    return CacheSettings(tmp_path / "cache", 10_000_000)


@pytest.fixture
def store(far, settings):
    return CachedStore(far, DiskCache(settings))


class TestCachedStore(ObjectStoreContract):
    @pytest.fixture
    def store(self, far, settings):
        return CachedStore(far, DiskCache(settings))


def files_in(settings):
    """All copies, by key."""
    objects = settings.folder / "objects"
    return {str(path.relative_to(objects)): path for path in objects.rglob("*") if path.is_file()}


def test_an_object_is_fetched_once(store, far, settings):
    """By this process, and by another one that has the same folder."""
    far.put("chunk/ab/x", b"bytes")

    read = [store.get("chunk/ab/x"), store.get("chunk/ab/x"), CachedStore(far, DiskCache(settings)).get("chunk/ab/x")]

    assert [b"bytes"] * 3 == read
    assert ["chunk/ab/x"] == far.reads


def test_what_may_change_is_not_copied(store, far, settings):
    """Only objects that are named by their content are."""
    far.put("lake.json", b"x")

    store.get("lake.json")
    store.get("lake.json")

    assert ["lake.json"] * 2 == far.reads
    assert {} == files_in(settings)


def test_whether_an_object_is_there_is_asked_of_the_store(store, far):
    """A copy proves nothing: a writer that counted on it would refer to what is gone."""
    far.put("chunk/ab/x", b"bytes")
    store.get("chunk/ab/x")
    far.delete("chunk/ab/x")

    assert not store.exists("chunk/ab/x")
    assert store.put("chunk/ab/x", b"bytes")


@pytest.mark.parametrize("damage", [b"", b"HWC1", b"short", b"x" * 5000])
def test_a_damaged_copy_is_fetched_again(store, far, settings, damage):
    """Whoever cannot prove the bytes drops the copy, and nobody is given wrong ones."""
    content = os.urandom(3000)
    name = Chunks(far).put(content)
    Chunks(store).read(name, "test")
    files_in(settings)[chunk_key(name)].write_bytes(damage)

    assert content == Chunks(store).read(name, "test")
    assert far.get(chunk_key(name)) == files_in(settings)[chunk_key(name)].read_bytes()


def test_a_damaged_copy_of_a_fileset_is_fetched_again(store, settings):
    """Ranges and nodes are proved in the same way."""
    with Storage(store) as storage, ChangeWriter(storage, storage.fileset(None, "nothing")) as writer:
        writer.put_small([(f"/{number}", b"content") for number in range(300)])
        root = storage.apply(None, writer.finish(), "test").root
    with Storage(store, cache_bytes=0) as storage:
        assert 300 == storage.fileset(root, "test").total.files
        assert 300 == sum(batch.num_rows for batch in storage.fileset(root, "test").batches())
    for path in files_in(settings).values():
        path.write_bytes(path.read_bytes()[:-1] + b"!")

    with Storage(store, cache_bytes=0) as storage:
        assert 300 == sum(batch.num_rows for batch in storage.fileset(root, "test").batches())


def test_a_small_file_of_a_damaged_copy_is_right(store, far, settings):
    """It is proved by its own hash; then the whole pack is, and fetched again."""
    with Storage(store) as storage:
        with ChangeWriter(storage, storage.fileset(None, "nothing")) as writer:
            writer.put_small([(f"/{number}", b"%d" % number * 100) for number in range(50)])
            root = storage.apply(None, writer.finish(), "test").root
        [entry] = storage.fileset(root, "test").find("/7")
        chunk = chunk_key(next(iter(entry.extents))[0])
        store.get(chunk)
        files_in(settings)[chunk].write_bytes(b"?" * len(far.get(chunk)))

    with Storage(store) as storage:
        assert b"7" * 100 == storage.reader.read_small(entry.extents, entry.size, entry.hash, "test")


def test_parts_are_copied_only_when_many_are_wanted(store, far, settings):
    """One small file does not bring the whole pack; the fourth does."""
    far.put("chunk/ab/x", b"0123456789")

    parts = [store.get_range("chunk/ab/x", at, 1) for at in range(6)]

    assert [b"%d" % at for at in range(6)] == parts
    assert 4 == len(far.reads)
    assert ["chunk/ab/x"] == list(files_in(settings))


def test_a_deleted_object_leaves_no_copy(store, far, settings):
    """Garbage collection frees the disk too."""
    far.put("chunk/ab/x", b"bytes")
    store.get("chunk/ab/x")

    store.delete("chunk/ab/x")

    assert {} == files_in(settings)


def test_what_was_read_longest_ago_makes_room(tmp_path):
    """The folder stays below its bound, and what is in use stays in it."""
    settings = CacheSettings(tmp_path / "cache", 1_000_000)
    cache = DiskCache(settings)
    cache.add("chunk/old", b"o" * 10_000)
    cache.add("chunk/used", b"u" * 10_000)
    for number in range(300):
        cache.add(f"chunk/{number}", b"x" * 10_000)
        os.utime(settings.folder / "objects/chunk" / str(number), (number, number))
        if number % 20 == 0:
            assert b"u" * 10_000 == cache.get("chunk/used")

    kept = files_in(settings)
    assert sum(path.stat().st_size for path in kept.values()) <= 1_000_000
    assert "chunk/used" in kept
    assert "chunk/299" in kept
    assert "chunk/0" not in kept


def test_what_would_push_out_everything_is_not_copied(tmp_path):
    """Nor does a cache without room do harm."""
    settings = CacheSettings(tmp_path / "cache", 1000)

    DiskCache(settings).add("chunk/x", b"x" * 500)

    assert {} == files_in(settings)


def test_a_disk_that_refuses_is_a_cache_without_the_object(far, tmp_path):
    """Reading goes on without it."""
    (tmp_path / "cache").write_text("a file where a folder should be")
    far.put("chunk/ab/x", b"bytes")

    read = CachedStore(far, DiskCache(CacheSettings(tmp_path / "cache"))).get("chunk/ab/x")

    assert b"bytes" == read


def test_many_threads_share_a_cache(far, settings):
    """While they read, copies come and go; every answer is right."""
    keys = {f"chunk/{number}": os.urandom(5000) for number in range(60)}
    for key, data in keys.items():
        far.put(key, data)
    stores = [CachedStore(far, DiskCache(CacheSettings(settings.folder, 100_000))) for _ in range(4)]

    def read(number):
        key = f"chunk/{number * 7 % 60}"
        return stores[number % 4].get(key) == keys[key]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, range(1_000)))


PROGRAM = """
import os, sys
from pathlib import Path
from howdah.storage.disk_cache import CacheSettings, DiskCache
cache = DiskCache(CacheSettings(Path(sys.argv[1]), 5_000_000))
data = bytes(200_000)
print("at work", flush=True)
while True:
    cache.add(f"chunk/{os.urandom(1).hex()}", data)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_only_whole_copies(tmp_path):
    """Wherever SIGKILL meets it; and the next one clears away what it was writing."""
    folder = tmp_path / "cache"
    for delay in range(3):
        words = [sys.executable, "-c", PROGRAM, str(folder)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while len(files_in(CacheSettings(folder))) <= 5 * (delay + 1):
                pass
            os.killpg(process.pid, signal.SIGKILL)
    torn = folder / "tmp" / "torn"
    torn.write_bytes(b"half")
    os.utime(torn, (0, 0))

    DiskCache(CacheSettings(folder, 5_000_000)).add("chunk/next", b"x")

    assert {200_000, 1} == {path.stat().st_size for path in files_in(CacheSettings(folder)).values()}
    assert not torn.exists()


def test_a_store_nearby_needs_no_cache(far, settings):
    """Only what is far away is copied, and only if a cache is wanted."""
    assert isinstance(near(far, settings), CachedStore)
    assert near(far, None) is far
    assert isinstance(near(MemoryStore("here"), settings), MemoryStore)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"HOWDAH_CACHE": "off"}, None),
        ({"HOWDAH_CACHE_SIZE": "0", "HOWDAH_CACHE": "/c"}, None),
        ({"HOWDAH_CACHE": "/c", "HOWDAH_CACHE_SIZE": "2GiB"}, CacheSettings(Path("/c"), 2 << 30)),
        ({"XDG_CACHE_HOME": "/x"}, CacheSettings(Path("/x/howdah"), CACHE_BYTES_MAX)),
    ],
)
def test_the_environment_says_where_copies_are(environment, expected):
    """Else they are where programs of this user keep theirs."""
    assert expected == default_cache(environment)


def test_a_size_that_cannot_be_read_is_refused():
    """It is not taken for some other one."""
    with pytest.raises(BadRequest):
        default_cache({"HOWDAH_CACHE_SIZE": "much"})

# SPDX-License-Identifier: Apache-2.0
"""The suite that every `howdah.storage.objects.ObjectStore` passes: `MemoryStore` says what is right.

A new store costs a class and a fixture:

    class TestBucketStore(ObjectStoreContract):
        @pytest.fixture
        def store(self, bucket):
            return BucketStore(bucket)
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from howdah.errors import BadRequest, Damaged, ErrorKind
from howdah.storage.objects import ObjectStore

__all__ = ["ObjectStoreContract"]


class ObjectStoreContract:
    """Subclass it with a fixture `store` that gives an empty store."""

    def test_what_was_put_is_read(self, store: ObjectStore) -> None:
        """The parts of an object come back as one run of bytes."""
        stored = store.put("chunk/ab/abcd", b"one ", memoryview(b"two "), bytearray(b"three"))

        assert stored
        assert b"one two three" == store.get("chunk/ab/abcd")
        assert 13 == store.size("chunk/ab/abcd")
        assert store.exists("chunk/ab/abcd")

    def test_an_object_of_many_parts_is_whole(self, store: ObjectStore) -> None:
        """More parts than one system call takes, empty ones among them, are all written in order."""
        parts = [b"%d," % number if number % 3 else b"" for number in range(5000)]

        store.put("many", *parts)

        assert b"".join(parts) == store.get("many")

    def test_an_empty_object_is_an_object(self, store: ObjectStore) -> None:
        """No bytes are still an object."""
        store.put("empty")

        assert b"" == store.get("empty")
        assert 0 == store.size("empty")

    def test_a_second_put_stores_nothing(self, store: ObjectStore) -> None:
        """The same key with as many bytes is there already."""
        store.put("a", b"first")

        again = store.put("a", b"other")

        assert not again
        assert b"first" == store.get("a")

    def test_an_object_of_another_size_is_replaced(self, store: ObjectStore) -> None:
        """What a fault left behind does not stay."""
        store.put("a", b"torn")

        stored = store.put("a", b"whole")

        assert stored
        assert b"whole" == store.get("a")

    def test_create_leaves_what_is_there(self, store: ObjectStore) -> None:
        """Only the first create of a key stores, whatever the sizes."""
        answers = [store.create("lake.json", b"a"), store.create("lake.json", b"longer")]

        assert [True, False] == answers
        assert b"a" == store.get("lake.json")

    def test_of_many_creators_one_wins(self, store: ObjectStore) -> None:
        """Exactly one of several threads is told that it made the object, and its bytes are there."""
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda number: store.create("one", b"%d" % number), range(16)))

        assert 1 == sum(answers)
        assert b"%d" % answers.index(True) == store.get("one")

    def test_many_threads_put_the_same_objects(self, store: ObjectStore) -> None:
        """Putting is safe from many threads, also of one key."""
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda number: store.put(f"o/{number % 8}", b"%d" % (number % 8) * 100), range(64)))
            store.sync()

        assert [f"o/{number}" for number in range(8)] == [info.key for info in store.list("o/")]
        assert all(b"%d" % number * 100 == store.get(f"o/{number}") for number in range(8))

    def test_a_part_is_read(self, store: ObjectStore) -> None:
        """A range gives exactly the bytes asked for; a head as many as there are."""
        store.put("a", b"0123456789")

        assert b"345" == store.get_range("a", 3, 3)
        assert b"" == store.get_range("a", 10, 0)
        assert b"01" == store.get_head("a", 2)
        assert b"0123456789" == store.get_head("a", 100)

    def test_a_range_past_the_end_is_damage(self, store: ObjectStore) -> None:
        """Fewer bytes than asked for are never given out as if they were all."""
        store.put("a", b"0123456789")

        with pytest.raises(Damaged) as error:
            store.get_range("a", 8, 3)

        assert ErrorKind.OBJECT_CORRUPT == error.value.kind
        assert "a of store" in error.value.message

    @pytest.mark.parametrize("read", ["get", "get_head", "get_range"])
    def test_a_missing_object_is_named(self, store: ObjectStore, read: str) -> None:
        """Whoever reads what is not there is told key and store."""
        arguments = {"get": (), "get_head": (5,), "get_range": (0, 1)}[read]

        with pytest.raises(Damaged) as error:
            getattr(store, read)("chunk/ab/abcd", *arguments)

        assert ErrorKind.OBJECT_MISSING == error.value.kind
        assert f"object chunk/ab/abcd is missing from store {store.url}" in error.value.message

    def test_asking_for_what_is_not_there_is_no_error(self, store: ObjectStore) -> None:
        """Size, existence, touch and delete of a missing object just say so."""
        store.put("a/b", b"")
        store.delete("a/c")

        assert store.size("a/c") is None
        assert store.size("a/b/c") is None
        assert not store.exists("a/c")
        assert not store.touch("a/c")

    def test_a_deleted_object_is_gone(self, store: ObjectStore) -> None:
        """After delete it is as if it had never been stored, and it can be stored again."""
        store.put("a/b", b"x")
        store.delete("a/b")

        assert not store.exists("a/b")
        assert [] == list(store.list())
        assert store.put("a/b", b"x")

    def test_a_listing_is_in_order_of_keys(self, store: ObjectStore) -> None:
        """Keys sort by their bytes: `a-b` before `a/x` before `a0`."""
        keys = ["a/x", "a-b", "a0", "b/1/2", "a/x-y/z", "a/x.y", "lake.json"]
        for key in keys:
            store.put(key, key.encode())

        found = list(store.list())

        assert sorted(keys) == [info.key for info in found]
        assert [len(key) for key in sorted(keys)] == [info.size for info in found]

    @pytest.mark.parametrize("prefix", ["", "a", "a/", "a/x", "a/x/", "ab", "c/d", "a/x1", "z", "a/x/1"])
    def test_a_prefix_is_a_prefix_of_the_key(self, store: ObjectStore, prefix: str) -> None:
        """A prefix may end within a component."""
        keys = ["a/x/1", "a/x1", "ab", "b", "c/d", "c/de/f"]
        for key in keys:
            store.put(key, b"")

        assert [key for key in keys if key.startswith(prefix)] == [info.key for info in store.list(prefix)]

    @pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.b", "a b", "ä", "tmp/a", "a\n"])
    def test_a_key_that_not_every_store_can_hold_is_refused(self, store: ObjectStore, key: str) -> None:
        """No key leads out of the store or into its own corners."""
        with pytest.raises(BadRequest) as error:
            store.put(key, b"x")

        assert ErrorKind.BAD_ARGUMENT == error.value.kind
        assert [] == list(store.list())

    def test_sync_may_be_called_at_any_time(self, store: ObjectStore) -> None:
        """Before the first object, twice, and after a delete."""
        store.sync()
        store.put("a/b", b"x")
        store.sync()
        store.delete("a/b")
        store.sync()

        assert not store.exists("a/b")

    def test_a_moved_object_is_under_its_new_key_alone(self, store: ObjectStore) -> None:
        """With all its bytes, and in the place of what was there."""
        store.put("a/b", b"bytes")
        store.put("trash/a/b", b"older")

        moved = store.move("a/b", "trash/a/b")

        assert moved
        assert b"bytes" == store.get("trash/a/b")
        assert ["trash/a/b"] == [info.key for info in store.list()]

    def test_what_is_not_there_is_not_moved(self, store: ObjectStore) -> None:
        """Nothing happens, also to what has the other key."""
        store.put("b", b"bytes")

        assert not store.move("a", "b")
        assert not store.move("b/c", "d")
        assert b"bytes" == store.get("b")

    def test_a_moved_object_counts_as_stored_now(self, store: ObjectStore) -> None:
        """So the time of what is in the trash says since when it is there."""
        store.put("a", b"bytes")
        before = next(store.list("a")).modified

        store.move("a", "b")

        assert before <= next(store.list("b")).modified

    def test_many_movers_leave_one_whole_object(self, store: ObjectStore) -> None:
        """At least one of them is told that it moved it; a bucket, which copies, may tell several."""
        store.put("a", b"bytes")

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: store.move("a", "b"), range(8)))

        assert any(answers)
        assert b"bytes" == store.get("b")
        assert not store.exists("a")

    def test_a_moved_object_can_be_stored_again(self, store: ObjectStore) -> None:
        """A put finds that it is not at its key any more; both stay."""
        store.put("a", b"bytes")
        store.move("a", "trash/a")

        assert store.put("a", b"bytes")
        assert not store.touch("b")
        assert [b"bytes", b"bytes"] == [store.get("a"), store.get("trash/a")]

    def test_what_is_put_again_counts_as_stored_now(self, store: ObjectStore) -> None:
        """A writer that finds its object there may rely on it: garbage collection goes by this time."""
        store.put("a", b"bytes")
        before = next(store.list("a")).modified

        store.put("a", b"bytes")
        again = next(store.list("a")).modified
        store.touch("a")

        assert before <= again <= next(store.list("a")).modified

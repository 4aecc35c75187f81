# SPDX-License-Identifier: Apache-2.0
"""What networks and busy servers do to a store in a bucket: nothing wrong is read, nothing that was stored is lost."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from howdah.errors import BadRequest, Damaged, ErrorKind, NotFound, Refused, Unavailable
from howdah.storage.chunks import Chunks
from howdah.storage.content import ContentWriter
from howdah.storage.patience import Patience
from howdah.storage.remote_client import Bucket
from howdah.storage.remote_store import RemoteStore
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from tests.storage.faulty_proxy import faulty_proxy

QUICK = Patience(tries=5, first_wait=0.001, longest_wait=0.002)
HURRIED = replace(QUICK, call_seconds=1.5)  # long for an answer on this machine, short for a test


@pytest.fixture
def proxy(moto_s3, moto_keys):
    with faulty_proxy(moto_s3.endpoint) as made:
        yield made


@pytest.fixture
def url(moto_s3):
    """A new bucket."""
    return moto_s3.bucket()


@pytest.fixture
def store(proxy, url):
    """The bucket, seen through the proxy."""
    return RemoteStore(Bucket.parse(url.partition("?")[0] + f"?endpoint={proxy.endpoint}"), QUICK)


@pytest.fixture
def truth(url, moto_keys):
    """The same bucket, seen as it is."""
    return RemoteStore(Bucket.parse(url))


OPERATIONS = {
    "put": lambda store: store.put("a/new", b"new"),
    "create": lambda store: store.create("a/new", b"new"),
    "get": lambda store: store.get("a/x") == b"0123456789",
    "get_head": lambda store: store.get_head("a/x", 4) == b"0123",
    "get_range": lambda store: store.get_range("a/x", 3, 4) == b"3456",
    "size": lambda store: store.size("a/x") == 10,
    "touch": lambda store: store.touch("a/x"),
    "list": lambda store: [info.key for info in store.list("a/")] == ["a/x"],
    "delete": lambda store: store.delete("a/x") is None and not store.exists("a/x"),
}


@pytest.mark.parametrize("fault", ["503", "reset"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_that_passes_is_waited_out(proxy, store, truth, operation, fault):
    """Three refusals or broken connections in a row, and the fourth try is right."""
    truth.put("a/x", b"0123456789")
    proxy.fail(fault, fault, fault)

    assert OPERATIONS[operation](store)


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["get", "get_range", "put", "list"])
def test_an_answer_that_does_not_come_is_asked_for_again(proxy, url, truth, operation):
    """A call that hangs is given up after its time, and made once more."""
    store = RemoteStore(Bucket.parse(url.partition("?")[0] + f"?endpoint={proxy.endpoint}"), HURRIED)
    truth.put("a/x", b"0123456789")
    proxy.fail("silence")

    assert OPERATIONS[operation](store)


@pytest.mark.parametrize("operation", ["get", "get_head", "get_range", "list"])
def test_an_answer_that_is_cut_short_is_never_taken_for_whole(proxy, store, truth, operation):
    """Half of the bytes come, twice; what is answered are all of them."""
    truth.put("a/x", b"0123456789")
    proxy.fail("truncated", "truncated")

    assert OPERATIONS[operation](store)


def test_a_put_whose_answer_was_lost_is_done(proxy, store, truth):
    """The bucket has it: the repeated put finds it there, and it is there once."""
    proxy.fail("lost", method="PUT")

    store.put("chunk/ab/abcd", b"bytes")

    assert b"bytes" == truth.get("chunk/ab/abcd")
    assert ["chunk/ab/abcd"] == [info.key for info in truth.list()]


def test_a_create_whose_answer_was_lost_was_ours(proxy, store, truth):
    """Whoever finds its own bytes after a fault has made the object."""
    proxy.fail("lost", method="PUT")

    created = store.create("lake.json", b"mine")

    assert created
    assert b"mine" == truth.get("lake.json")


def test_a_create_that_came_too_late_does_not_take_anothers_object_for_its_own(proxy, store, truth):
    """The first try broke off, and by the second somebody else was there."""
    truth.create("lake.json", b"theirs")
    proxy.fail("reset", method="PUT")

    created = store.create("lake.json", b"mine")

    assert not created
    assert b"theirs" == truth.get("lake.json")


def test_a_touch_whose_answer_was_lost_is_done(proxy, store, truth):
    """A mark is written over a mark."""
    truth.put("a", b"x")
    proxy.fail("lost", method="PUT")

    assert store.touch("a")
    assert ["a"] == [info.key for info in truth.list()]


def test_a_delete_whose_answer_was_lost_is_done(proxy, store, truth):
    """What is gone may be deleted again."""
    truth.put("a", b"x")
    proxy.fail("lost", "lost")

    store.delete("a")

    assert not truth.exists("a")


def test_a_storm_that_does_not_end_is_an_error_that_names_the_store(proxy, store):
    """After so many tries the caller is told, and may repeat the call."""
    proxy.always("503")

    with pytest.raises(Unavailable) as error:
        store.put("a", b"x")

    assert ErrorKind.STORE_FAILED == error.value.kind
    assert store.url in error.value.message
    assert "503" in error.value.message
    assert "\n" not in error.value.message
    assert QUICK.tries == proxy.count("PUT")


def test_a_storm_over_many_writers_loses_nothing(proxy, store, truth):
    """The first three requests for each object are refused while eight threads write; all of them are there."""
    seen = Counter()
    proxy.plan = lambda method, path: seen.update([path]) or ("503" if seen[path] <= 3 else None)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: store.put(f"o/{n:03}", b"%d" % n), range(60)))

    assert [f"o/{n:03}" for n in range(60)] == [info.key for info in truth.list("o/")]
    assert all(b"%d" % n == truth.get(f"o/{n:03}") for n in range(60))


def test_a_request_that_is_wrong_is_not_repeated(proxy, moto_s3, monkeypatch):
    """A bucket that cannot be is an error at once."""
    store = RemoteStore(Bucket.parse(f"s3://no-such-bucket/x?endpoint={proxy.endpoint}"), QUICK)

    with pytest.raises(NotFound) as error:
        store.put("a", b"x")

    assert "no-such-bucket" in error.value.message
    assert 1 == proxy.count("PUT")


@pytest.mark.slow
def test_a_listing_of_many_pages_survives_faults_between_them(proxy, store, truth):
    """Each object is listed once, in order, though every other page breaks off."""
    keys = [f"p/{number:04}" for number in range(2_100)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: truth.put(key, b""), keys))
    requests = iter(range(1_000_000))
    proxy.plan = lambda method, path: ("503", None, "truncated")[next(requests) % 3]

    found = [info.key for info in store.list("p/")]

    assert keys == found


def test_a_slow_store_has_many_objects_on_their_way_at_once(proxy, store):
    """Chunks do not wait for each other."""
    proxy.always("slow")

    with ContentWriter(Chunks(store)) as content:
        content.put_file(os.urandom(1 << 20) for _ in range(64))

    assert proxy.most_at_once > 4


@pytest.mark.slow
def test_the_ranges_of_a_fileset_do_not_wait_for_each_other(proxy, store, truth):
    """Nor does a fileset that is read back lack one of them."""
    proxy.always("slow")
    with Storage(store) as storage, ChangeWriter(storage, storage.fileset(None, "nothing")) as writer:
        writer.put_small([(f"/{number:06}", b"") for number in range(40_000)])
        change = writer.finish()
        root = storage.apply(None, change, "test").root

    with Storage(truth) as storage:
        assert 40_000 == storage.fileset(root, "test").total.files
        assert 40_000 == sum(batch.num_rows for batch in storage.fileset(root, "test").batches())
    assert proxy.most_at_once > 4


def test_bytes_that_are_not_the_right_ones_are_damage(store, truth):
    """What a store gives is proved, wherever it comes from."""
    name = Chunks(truth).put(b"right")
    key = next(truth.list("chunk/")).key
    wrong = truth.get(key).replace(b"right", b"wrong")
    truth.delete(key)
    truth.put(key, wrong)

    with pytest.raises(Damaged) as error:
        Chunks(store).read(name, "file /a")

    assert ErrorKind.OBJECT_CORRUPT == error.value.kind


def test_a_big_object_is_sent_in_parts_and_read_whole(proxy, store, truth):
    """More than a request should hold; a part that is refused is sent again with all others."""
    data = os.urandom(1 << 20) * 20
    proxy.fail("503", method="POST")

    stored = store.put("big", data)
    again = store.put("big", data)

    assert (True, False) == (stored, again)
    assert data == truth.get("big")


def test_a_touched_object_is_listed_with_its_new_time(truth):
    """A mark beside the object tells it, and no listing shows the mark."""
    truth.put("a/x", b"x")
    [before] = truth.list()
    truth.touch("a/x")
    truth.put("a/y", b"y")

    after = list(truth.list())

    assert ["a/x", "a/y"] == [info.key for info in after]
    assert after[0].modified >= before.modified
    assert [1, 1] == [info.size for info in after]


def test_without_rights_the_store_says_so(proxy, store):
    """Credentials that are not accepted are not tried again and again."""
    proxy.always("403")

    with pytest.raises(Refused) as error:
        store.put("a", b"x")

    assert ErrorKind.READ_ONLY == error.value.kind
    assert "credentials" in error.value.message
    assert 1 == proxy.count("PUT")


@pytest.mark.parametrize(
    "url",
    [
        "s3:///x",
        "s3://key:secret@bucket/x",
        "s3://bucket/../x",
        "s3://b/x?speed=fast",
        "gs://b/x?region=r",
        "s3://b/a b",
    ],
)
def test_an_address_that_cannot_be_is_refused(url):
    """The text says how one looks."""
    with pytest.raises(BadRequest) as error:
        Bucket.parse(url)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


@pytest.mark.parametrize(
    "url", ["s3://b", "s3://b/a/b", "s3://b/x?endpoint=http://host:1&region=r", "gs://b/x", "az://c/x"]
)
def test_an_address_is_written_as_it_is_read(url):
    """What a server tells of its store leads others to the same place."""
    assert url == Bucket.parse(url).url
    assert url == Bucket.parse(Bucket.parse(url).url).url

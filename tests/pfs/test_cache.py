# SPDX-License-Identifier: Apache-2.0
"""The cache for callers: what is put is got, is bounded, and keeps its file sets alive."""

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.names import FILESETS_REPO
from howdah.model.refs import Commit, Repo
from howdah.pfs.cache import VALUE_BYTES_MAX, Cache
from howdah.pfs.file_sets import DEFAULT_SECONDS, MAX_SECONDS
from howdah.pfs.writes import Put
from howdah.testing.manual_clock import ManualClock
from tests.pfs.lakes import OpenLake


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def lake(tmp_path, clock):
    opened = OpenLake(tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def cache(lake):
    return lake.pfs.cache


@pytest.fixture
def file_set(lake):
    return lake.pfs.file_sets.create([Put("/a", [b"1"])])


def of(file_set):
    return Commit(Repo("default", FILESETS_REPO), file_set)


def is_there(cache, key):
    try:
        cache.get(key)
    except NotFound:
        return False
    return True


def test_what_is_put_is_got(lake, cache):
    """The last value counts; a restart changes nothing."""
    cache.put("key", b"old")
    cache.put("key", b"new")
    cache.put("", b"")
    lake.reopen()

    assert (b"new", b"") == (lake.pfs.cache.get("key"), lake.pfs.cache.get(""))
    with pytest.raises(NotFound) as caught:
        lake.pfs.cache.get("other")
    assert ErrorKind.CACHE_ENTRY_NOT_FOUND is caught.value.kind


def test_entries_are_forgotten_by_the_beginning_of_their_tag(cache):
    """By its letters: a pattern's signs mean nothing."""
    for key, tag in {"a": "jobs/1", "b": "jobs/2", "c": "JOBS/1", "d": "%", "e": ""}.items():
        cache.put(key, b"x", tag=tag)

    assert 1 == cache.clear("%")
    assert 2 == cache.clear("jobs/")
    assert [False, False, True, False, True] == [is_there(cache, key) for key in "abcde"]
    assert 2 == cache.clear()


def test_a_file_set_lives_as_long_as_an_entry_names_it(lake, cache, clock, file_set):
    """Whatever its time; then it is gone at once, for its time is over."""
    cache.put("one", b"x", [file_set, file_set])
    cache.put("two", b"x", [file_set])
    clock.advance(MAX_SECONDS + 1)
    lake.pfs.file_sets.expire()

    assert {"/a": b"1"} == lake.read(of(file_set))
    cache.put("one", b"x")
    assert {"/a": b"1"} == lake.read(of(file_set))
    cache.clear()
    with pytest.raises(NotFound):
        lake.read(of(file_set))
    assert 1 == lake.pfs.file_sets.expire()


def test_a_file_set_with_time_left_outlives_its_entry(lake, cache, file_set):
    """The entry only adds to its life."""
    cache.put("key", b"x", [file_set])

    cache.clear()

    assert {"/a": b"1"} == lake.read(of(file_set))


def test_an_entry_of_a_file_set_that_is_gone_is_not_kept(lake, cache, clock, file_set):
    """What was under the key stays."""
    cache.put("key", b"old")
    clock.advance(DEFAULT_SECONDS + 1)

    with pytest.raises(NotFound) as caught:
        cache.put("key", b"new", [file_set])

    assert ErrorKind.FILESET_NOT_FOUND is caught.value.kind
    assert b"old" == cache.get("key")


def test_of_many_entries_those_go_that_nobody_used(lake, clock):
    """To get one is to use it."""
    cache = Cache(lake.db, entries_max=2)
    for key in ("a", "b"):
        cache.put(key, b"x")
        clock.advance(1)
    cache.get("a")
    clock.advance(1)

    cache.put("c", b"x")

    assert [True, False, True] == [is_there(cache, key) for key in "abc"]


def test_a_value_has_a_bound(cache):
    """What is bigger belongs into a file set."""
    cache.put("key", bytes(VALUE_BYTES_MAX))

    with pytest.raises(BadRequest):
        cache.put("key", bytes(VALUE_BYTES_MAX + 1))

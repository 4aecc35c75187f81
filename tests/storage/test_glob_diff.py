# SPDX-License-Identifier: Apache-2.0
"""What a pattern matches, compared between two filesets, is what two listings would say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.model.globs import Glob
from howdah.storage import listing
from howdah.storage.extents import Extents
from howdah.storage.filesets import Builder
from howdah.storage.glob_diff import DIRECTORIES_MAX, TooManyError, glob_diff
from howdah.storage.memory_store import MemoryStore
from howdah.storage.rows import Entry, from_entries
from howdah.storage.storage import Storage

PATTERNS = ["/", "/a", "/a/b", "/*", "/*/*", "/**", "/a*", "/*/b", "/a/**", "/{a,b}", "/{a,a/b}/*", "/a?(/b)", "/**/b*"]
NAMES = st.sampled_from(["a", "b", "ab", "a-b"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
TREES = st.dictionaries(PATHS, st.binary(min_size=1, max_size=1), max_size=8)


@pytest.fixture(scope="module")
def storage():
    with Storage(MemoryStore("globs")) as made:
        yield made


def fileset(storage, files):
    """Without paths that are directories too: no finished commit has any."""
    kept = {path: data for path, data in files.items() if not any(each.startswith(path + "/") for each in files)}
    builder = Builder(storage.filesets, "a test")
    entries = [Entry(path, "", 1, data * 32, b"", Extents()) for path, data in sorted(kept.items())]
    if entries:
        builder.add_rows(from_entries(entries))
    return storage.fileset(builder.finish(), "a test")


def matches(found, pattern):
    return {info.path: info for batch in listing.glob(found, pattern) for info in listing.infos(batch)}


@settings(max_examples=60, deadline=None)
@given(TREES, TREES, st.sampled_from(PATTERNS))
def test_the_difference_is_that_of_two_listings(storage, before, after, text):
    """For each pattern: what is gone or otherwise, and what is new or otherwise."""
    old, new, pattern = fileset(storage, before), fileset(storage, after), Glob.parse(text)
    was, now = matches(old, pattern), matches(new, pattern)

    pairs = list(glob_diff(old, new, pattern))

    gone, come = ({info.path: info for pair in pairs for info in listing.infos(pair[at])} for at in (0, 1))
    assert {path: info for path, info in was.items() if now.get(path) != info} == gone
    assert {path: info for path, info in now.items() if was.get(path) != info} == come


def test_too_many_directories_are_left_to_a_listing(storage):
    """One pass over everything is less than to sum up each."""
    many = fileset(storage, {f"/{n}/x": b"1" for n in range(DIRECTORIES_MAX + 1)})

    with pytest.raises(TooManyError):
        list(glob_diff(fileset(storage, {}), many, Glob.parse("/*")))

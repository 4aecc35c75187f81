# SPDX-License-Identifier: Apache-2.0
"""Rows of a fileset by their number."""

import pytest

from howdah.storage.extents import Extents
from howdah.storage.filesets import Builder
from howdah.storage.memory_store import MemoryStore
from howdah.storage.rows import Entry, from_entries
from howdah.storage.slices import index_of, slice_rows
from howdah.storage.storage import Storage

COUNT = 70_000  # more than one level of nodes
PATHS = [f"/{n:06}" for n in range(COUNT)]


@pytest.fixture(scope="module")
def fileset():
    with Storage(MemoryStore("slices")) as storage:
        builder = Builder(storage.filesets, "a test")
        builder.add_rows(from_entries([Entry(path, "", 0, b"h" * 32, b"", Extents()) for path in PATHS]))
        yield storage.fileset(builder.finish(), "a test")


@pytest.mark.parametrize(
    ("first", "count"), [(0, 1), (0, 2000), (511, 3), (65_000, 5_000), (COUNT - 1, 5), (COUNT, 5), (7, 0)]
)
def test_a_slice_has_the_rows_with_these_numbers(fileset, first, count):
    """Across ranges and nodes, and cut off at the end."""
    found = [path for batch in slice_rows(fileset, first, count) for path in batch.column(0).to_pylist()]

    assert PATHS[first : first + count] == found


@pytest.mark.parametrize("number", [0, 1, 511, 512, 33_333, COUNT - 1])
def test_a_paths_number_is_that_of_its_row(fileset, number):
    """Also of a path that is not there: that of the next one."""
    assert number == index_of(fileset, PATHS[number])
    assert number + 1 == index_of(fileset, PATHS[number] + "!")


def test_an_empty_fileset_has_no_rows():
    """And every path would be its first."""
    with Storage(MemoryStore("empty")) as storage:
        empty = storage.fileset(None, "a test")

        assert [] == list(slice_rows(empty, 0, 10))
        assert 0 == index_of(empty, "/a")


def test_negative_numbers_are_a_mistake(fileset):
    """Nothing counts from the end."""
    with pytest.raises(ValueError, match="do not exist"):
        list(slice_rows(fileset, -1, 2))

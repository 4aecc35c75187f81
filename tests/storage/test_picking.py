# SPDX-License-Identifier: Apache-2.0
"""Rows that a sorted list names, few or many, whole paths or beginnings of paths."""

import pyarrow as pa
import pytest

from howdah.storage.extents import Extents
from howdah.storage.filesets import Builder
from howdah.storage.memory_store import MemoryStore
from howdah.storage.picking import rows_of, span
from howdah.storage.rows import Entry, from_entries
from howdah.storage.storage import Storage

COUNT = 30_000
PATHS = [f"/{n:06}/{part}" for n in range(COUNT // 3) for part in "abc"]


@pytest.fixture(scope="module")
def fileset():
    with Storage(MemoryStore("picking")) as storage:
        builder = Builder(storage.filesets, "a test")
        builder.add_rows(from_entries([Entry(path, "", 0, b"h" * 32, b"", Extents()) for path in PATHS]))
        yield storage.fileset(builder.finish(), "a test")


def picked(fileset, names, length=None):
    """Pairs of a path and the name that it was found by."""
    array = pa.array(names, pa.string())
    return [
        (path, names[number])
        for batch, at in rows_of(fileset, array, length)
        for path, number in zip(batch.column(0).to_pylist(), at.to_pylist(), strict=True)
    ]


@pytest.mark.parametrize("step", [1, 2, 997, 29_999])
def test_named_paths_are_found(fileset, step):
    """Each with the number of its name; a name without a row is left out."""
    names = sorted([*PATHS[::step], "/", "/000001/aa", "/9"])

    assert [(path, path) for path in PATHS[::step]] == picked(fileset, names)


@pytest.mark.parametrize("step", [1, 333, 9_999])
def test_beginnings_find_all_that_begins_so(fileset, step):
    """Three rows for each, across the ends of ranges."""
    names = [f"/{n:06}" for n in range(0, COUNT // 3, step)]

    assert [(f"{name}/{part}", name) for name in names for part in "abc"] == picked(fileset, names, 7)


def test_no_names_and_no_rows_find_nothing(fileset):
    """Neither is an error."""
    assert [] == picked(fileset, [])
    assert [] == picked(Storage(MemoryStore("none")).fileset(None, "a test"), ["/a"])


def test_only_ranges_with_a_name_are_read(fileset):
    """One path of thirty thousand costs one range."""
    read = []
    filesets = fileset.filesets
    load = filesets.rows
    filesets.rows = lambda name, referrer: read.append(name) or load(name, referrer)
    try:
        found = picked(fileset, [PATHS[12_345]])
    finally:
        del filesets.rows

    assert (1, [(PATHS[12_345], PATHS[12_345])]) == (len(read), found)


def test_a_span_of_sorted_names():
    """Both ends are in it."""
    names = pa.array(["a", "b", "b0", "c"], pa.string())

    assert [(0, 4), (1, 3), (2, 2), (4, 4)] == [
        span(names, *ends) for ends in (("a", "c"), ("b", "b0"), ("b/", "b/"), ("d", "e"))
    ]

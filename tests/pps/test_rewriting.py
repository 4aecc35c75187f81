# SPDX-License-Identifier: Apache-2.0
"""Rows sorted outside of memory, and filesets rewritten from sorted rows."""

import random
from itertools import pairwise

import pyarrow as pa
import pytest

from howdah.pps import rewriting
from howdah.pps.rewriting import SortedRows, distinct, grouped, rewrite
from howdah.storage.extents import Extents
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.memory_store import MemoryStore
from howdah.storage.rows import Entry, from_entries
from howdah.storage.storage import Storage

NONE = pa.array([], pa.string())


def batch(*pairs):
    return from_entries([Entry(path, datum, 1, b"h" * 32, b"", Extents()) for path, datum in pairs])


def pairs_of(batches):
    return [pair for each in batches for pair in zip(*(each.column(n).to_pylist() for n in (0, 1)), strict=True)]


@pytest.mark.parametrize("run_rows", [7, 50, 10_000])
def test_rows_come_back_in_order_however_many_runs_they_were(run_rows, monkeypatch):
    """In memory, as a few runs, and as so many that runs are merged to runs first."""
    monkeypatch.setattr(rewriting, "_PIECE_ROWS", 3)
    monkeypatch.setattr(rewriting, "_RUNS_MAX", 4)
    rng = random.Random(run_rows)
    pairs = [(f"/{rng.randrange(40)}", f"{n:03}") for n in range(500)]
    found = SortedRows(run_rows=run_rows)
    for begin in range(0, len(pairs), 5):
        found.add(batch(*pairs[begin : begin + 5]))

    batches = list(found.finish())

    assert sorted(pairs) == pairs_of(batches)
    ends = [(each.column(0)[0].as_py(), each.column(0)[len(each) - 1].as_py()) for each in batches]
    assert all(last < first for (_, last), (first, _) in pairwise(ends))


def test_what_is_held_is_bounded(monkeypatch):
    """Whatever was added, no more than a run is in memory; also of few rows that are large."""
    monkeypatch.setattr(rewriting, "_RUN_BYTES", 10_000)
    schema = pa.schema([pa.field("path", pa.string()), pa.field("datum", pa.string()), pa.field("data", pa.binary())])
    found = SortedRows()
    for number in range(100):
        row = [pa.array([f"/{number:02}"]), pa.array([""]), pa.array([b"x" * 1_000])]
        found.add(pa.RecordBatch.from_arrays(row, schema=schema))

        assert found._held_bytes < 12_000

    assert [(f"/{number:02}", "") for number in range(100)] == pairs_of(found.finish())


def test_no_rows_are_nothing():
    """An empty batch does not count."""
    found = SortedRows()
    found.add(batch())

    assert found.finish() is None


def test_equal_paths_can_be_made_one():
    """The first stays, also where all are equal."""
    found = distinct([batch(("/a", "1"), ("/a", "2"), ("/b", "1")), batch(("/c", "1"), ("/c", "1"))])

    assert [("/a", "1"), ("/b", "1"), ("/c", "1")] == pairs_of(found)


def test_batches_can_be_made_fewer():
    """None of them empty."""
    found = list(grouped([batch(("/a", "")), batch(), batch(("/b", "")), batch(("/c", "")), batch()], 2))

    assert ([2, 1], ["/a", "/b", "/c"]) == ([len(each) for each in found], [path for path, _ in pairs_of(found)])


@pytest.mark.parametrize("dropped", [1, 700, 4_000])
def test_paths_are_taken_out_and_put_in_at_once(dropped):
    """One or most of them; the same root as of a fileset that was made from nothing."""
    with Storage(MemoryStore("rewriting")) as storage:
        filesets = storage.filesets
        before = [(f"/{n:04}", "") for n in range(5_000)]
        base = rewrite(filesets, EMPTY_ROOT, NONE, [batch(*before)], "a test", replace=True).root
        drop = [path for path, _ in random.Random(1).sample(before, dropped)]
        put = [(f"/{n:04}x", "new") for n in range(0, 5_000, 1_000)]

        root = rewrite(filesets, base, pa.array(sorted(drop)), [batch(*put)], "a test", replace=True).root

        wanted = sorted([pair for pair in before if pair[0] not in set(drop)] + put)
        assert rewrite(filesets, EMPTY_ROOT, NONE, [batch(*wanted)], "a test", replace=True).root == root


def test_what_is_not_touched_is_neither_read_nor_stored_again():
    """One path of thousands: a few objects."""
    store = MemoryStore("touched")
    with Storage(store) as storage:
        before = [(f"/{n:05}", "") for n in range(20_000)]
        base = rewrite(storage.filesets, EMPTY_ROOT, NONE, [batch(*before)], "a test", replace=True).root
        count = len(list(store.list("")))

        rewrite(storage.filesets, base, pa.array(["/00007", "/15000"]), None, "a test", replace=True)

        assert len(list(store.list(""))) - count <= 4

# SPDX-License-Identifier: Apache-2.0
"""What a pipeline ever did with success: one fileset, by datum key.

    /meta/<key>         a record: datum, job, pipeline version, code, inputs, times
    /out/<key>/<path>   the entries of its output files; their bytes lie where the worker stored them

The keys stand together, apart from the outputs, so that "which of these succeeded before?" reads nothing
else. Failed and killed jobs add what succeeded in them too. What a key has is never changed, unless the
pipeline runs every datum in every job. It is empty for a new pipeline and goes with it.
"""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.pps.plan import KEY_DIGITS
from howdah.pps.rewriting import SortedRows, rewrite
from howdah.storage import rows
from howdah.storage.diff import fresh, unequal
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.merge import Source
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = [
    "META",
    "OUT",
    "DoneKeys",
    "add_done",
    "candidates",
    "find_todo",
    "meta_rows",
    "output_rows",
    "raw_outputs",
    "retagged",
]

META: Final = "/meta/"
OUT: Final = "/out/"
# Up to so many keys are looked up one by one; for more, one pass over all of them is quicker.
_LOOKUPS_MAX: Final = 64
# Rows of a batch of candidates: some 50 MB.
_CANDIDATES: Final = 250_000
_NONE: Final = pa.array([], pa.string())
_OUT_END: Final = len(OUT) + KEY_DIGITS


class DoneKeys:
    """Which keys succeeded before. Reads all keys at the first question about many, and keeps them."""

    def __init__(self, done: Fileset) -> None:
        self._done = done
        self._all: pa.Array | None = None

    def known(self, keys: pa.Array) -> pa.BooleanArray:
        """For each key, whether it succeeded."""
        if self._all is None and len(keys) <= _LOOKUPS_MAX:
            return pa.array([bool(self._done.find(META + key)) for key in keys.to_pylist()], pa.bool_())
        if self._all is None:
            columns = [pc.utf8_slice_codeunits(b.column(0), len(META)) for b in self._done.batches(META, _after(META))]
            self._all = pa.concat_arrays(columns) if columns else pa.array([], pa.string())
        return pc.is_in(keys, value_set=self._all)


def find_todo(storage: Storage, plan: Fileset, sure: Fileset | None, done: Fileset) -> bytes:
    """The rows of a plan whose keys never succeeded, as a fileset; durable when this returns.

    `sure` is an earlier plan all of whose datums succeeded: what it shares with this one is not looked at.
    """
    keys = DoneKeys(done)
    todo = SortedRows(storage.filesets, plan.referrer)
    for batch in plan.batches() if sure is None else candidates(sure, plan):
        todo.add(batch.filter(pc.invert(keys.known(batch.column(1)))))
    if todo.count == plan.total.files:
        return plan.root
    return rewrite(storage.filesets, EMPTY_ROOT, _NONE, todo.finish(), plan.referrer, replace=True).root


def candidates(old: Fileset, new: Fileset) -> Iterator[pa.RecordBatch]:
    """The rows of `new` whose path is not in `old` or has other content there, in order; reads only what differs.

    They come in few, large batches, since each may be looked for in one pass over all that was done.
    """
    held: list[pa.RecordBatch] = []
    for left, right in unequal(old, new):
        held.append(fresh(right, left))
        if sum(batch.num_rows for batch in held) >= _CANDIDATES:
            yield rows.join(held)
            held = []
    if (last := rows.join(held)).num_rows:
        yield last


def add_done(
    storage: Storage, done: bytes, redone: pa.Array, metas: Source | None, outs: Source | None, referrer: str
) -> bytes:
    """`done` with more rows of `/meta/` and of `/out/`; durable when this returns. Repeating it changes nothing.

    `redone` are the paths below `/out/`, sorted, of what was done before and was done again.
    """
    root = rewrite(storage.filesets, done, redone, outs, referrer, replace=True).root
    return rewrite(storage.filesets, root, _NONE, metas, referrer, replace=True).root


def output_rows(done: Fileset, planned: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The output files of planned datums, each at its own path and tagged with its datum; in no order.

    A datum that is not in `done` has none. `planned` are rows of a plan.
    """
    for batch, ids in raw_outputs(done, planned):
        yield retagged(batch, pc.utf8_slice_codeunits(batch.column(0), _OUT_END), ids)


def raw_outputs(done: Fileset, planned: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """The rows below `/out/` of planned datums, as they stand there, and for each row the id of its datum."""
    ids, keys = pc.utf8_slice_codeunits(planned.column(0), 1), planned.column(1)
    if planned.num_rows <= _LOOKUPS_MAX:
        for datum, key in zip(ids.to_pylist(), keys.to_pylist(), strict=True):
            lower = f"{OUT}{key}/"
            for batch in done.batches(lower, _after(lower)):
                yield batch, _repeated(datum, batch)
        return
    for batch in done.batches(OUT, _after(OUT)):
        at = pc.index_in(pc.utf8_slice_codeunits(batch.column(0), len(OUT), _OUT_END), value_set=keys)
        found = batch.filter(at.is_valid())
        if found.num_rows:
            yield found, ids.take(at.drop_null())


def meta_rows(done: Fileset, planned: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The records of planned datums, each at `/<datum id>`; in no order."""
    paths, keys = planned.column(0), planned.column(1)
    if planned.num_rows <= _LOOKUPS_MAX:
        for path, key in zip(paths.to_pylist(), keys.to_pylist(), strict=True):
            for batch in done.batches(META + key, META + key + "\0"):
                yield retagged(batch, _repeated(path, batch), _repeated(path[1:], batch))
        return
    for batch in done.batches(META, _after(META)):
        at = pc.index_in(pc.utf8_slice_codeunits(batch.column(0), len(META)), value_set=keys)
        found = batch.filter(at.is_valid())
        if found.num_rows:
            where = paths.take(at.drop_null())
            yield retagged(found, where, pc.utf8_slice_codeunits(where, 1))


def retagged(batch: pa.RecordBatch, paths: pa.Array, datums: pa.Array) -> pa.RecordBatch:
    """The same files under other paths and datums."""
    return pa.RecordBatch.from_arrays([paths, datums, *batch.columns[2:]], schema=rows.SCHEMA)


def _repeated(text: str, batch: pa.RecordBatch) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), batch.num_rows)


def _after(prefix: str) -> str:
    return prefix[:-1] + "0"

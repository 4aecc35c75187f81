# SPDX-License-Identifier: Apache-2.0
"""What a pipeline ever did with success: one fileset, by datum key.

    /meta/<key>         a record: datum, job, pipeline version, code, inputs, times
    /out/<key>/<path>   the entries of its output files; their bytes lie where the worker stored them

The keys stand together, apart from the outputs, so that "which of these succeeded before?" reads nothing
else. Failed and killed jobs add what succeeded in them too. What a key has is never changed, unless the
pipeline runs every datum in every job. It is empty for a new pipeline and goes with it.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.pps.plan import KEY_DIGITS
from howdah.pps.rewriting import grouped, rewrite, sorted_paths
from howdah.storage import rows
from howdah.storage.diff import fresh, unequal
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.picking import rows_of
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = [
    "META",
    "OUT",
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
# Rows of a batch of candidates: some 50 MB.
_CANDIDATES: Final = 250_000
_NONE: Final = pa.array([], pa.string())
_OUT_END: Final = len(OUT) + KEY_DIGITS


def find_todo(storage: Storage, plan: Fileset, sure: Fileset | None, done: Fileset) -> bytes:
    """The rows of a plan whose keys never succeeded, as a fileset; durable when this returns.

    `sure` is an earlier plan all of whose datums succeeded: what it shares with this one is not looked at.
    """
    if done.root == EMPTY_ROOT:
        return plan.root
    found = grouped(plan.batches(), _CANDIDATES) if sure is None else candidates(sure, plan)
    return rewrite(storage.filesets, EMPTY_ROOT, _NONE, _unknown(found, done), plan.referrer, replace=True).root


def _unknown(planned: Iterator[pa.RecordBatch], done: Fileset) -> Iterator[pa.RecordBatch]:
    """Those planned rows whose keys never succeeded."""
    for batch in planned:
        keys = batch.column(1)
        names = sorted_paths([pc.binary_join_element_wise(META, keys, "")])
        found = [pc.utf8_slice_codeunits(each.column(0), len(META)) for each, _ in rows_of(done, names)]
        left = batch.filter(pc.invert(pc.is_in(keys, value_set=pa.concat_arrays([*found, _NONE]))))
        if left.num_rows:
            yield left


def candidates(old: Fileset, new: Fileset) -> Iterator[pa.RecordBatch]:
    """The rows of `new` whose path is not in `old` or has other content there, in order; reads only what differs.

    They come in few, large batches, since each may be looked for in all that was done.
    """
    return grouped((fresh(right, left) for left, right in unequal(old, new)), _CANDIDATES)


def add_done(
    storage: Storage,
    done: bytes,
    redone: pa.Array,
    metas: Iterable[pa.RecordBatch] | None,
    outs: Iterable[pa.RecordBatch] | None,
    referrer: str,
) -> bytes:
    """`done` with more rows of `/meta/` and of `/out/`, each sorted; durable at the return. Again changes nothing.

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
    ids, names = _by_key(planned, OUT)
    for batch, at in rows_of(done, names, _OUT_END):
        yield batch, ids.take(at)


def meta_rows(done: Fileset, planned: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The records of planned datums, each at `/<datum id>`; in no order."""
    ids, names = _by_key(planned, META)
    for batch, at in rows_of(done, names):
        of = ids.take(at)
        yield retagged(batch, pc.binary_join_element_wise("/", of, ""), of)


def _by_key(planned: pa.RecordBatch, above: str) -> tuple[pa.Array, pa.Array]:
    """The ids of planned datums in the order of their keys, and what their keys are called in `done`."""
    order = pc.sort_indices(planned.column(1))
    ids = pc.utf8_slice_codeunits(planned.column(0), 1)
    return ids.take(order), pc.binary_join_element_wise(above, planned.column(1).take(order), "")


def retagged(batch: pa.RecordBatch, paths: pa.Array, datums: pa.Array) -> pa.RecordBatch:
    """The same files under other paths and datums."""
    return pa.RecordBatch.from_arrays([paths, datums, *batch.columns[2:]], schema=rows.SCHEMA)

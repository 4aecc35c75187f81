# SPDX-License-Identifier: Apache-2.0
"""The output and the meta commit of a job, out of those of an earlier job and of what was done since.

Only datums that differ between the two plans are touched: what they wrote then goes, what `pps.done` has for
them now comes. No bytes move. The result is the same, digest for digest, as one made from nothing, which is
what happens where there is no earlier job to build on.

    meta repo:  /meta/<datum>/meta                 the record of the datum
                /pfs/<datum>/<input>/…             what it read
                /pfs/<datum>/out/…                 what it wrote
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from howdah.model import paths
from howdah.pps.done import candidates, meta_rows, output_rows, retagged
from howdah.pps.plan import ID_DIGITS, paths_of
from howdah.pps.records import in_groups, read_bytes
from howdah.pps.rewriting import SortedRows, rewrite, sorted_paths
from howdah.storage import rows
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.picking import rows_of, span
from howdah.storage.reader import Fileset, interval
from howdah.storage.storage import Storage

__all__ = ["NO_BASE", "Base", "FilesOf", "Output", "compose_meta", "compose_output"]

FilesOf = Callable[[str, str], Fileset]
"""What a part of a datum reads, by the name of its input and by its branch if the record has one (`pps.parts`)."""

_META: Final = "/meta/"
_PFS: Final = "/pfs/"
# What a datum read has this schema on its way to the meta commit: the part's path, and the datum's id.
_PARTS: Final = pa.schema([pa.field("path", pa.string()), pa.field("datum", pa.string())])
# Rows that are made at a time of what several datums read in one directory.
_REPEATED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Base:
    """The earlier job that a job is built on: its plan, and the files of its two commits."""

    plan: bytes
    output: bytes
    meta: bytes


@dataclass(frozen=True, slots=True)
class Output:
    """The files of an output commit, or why two datums cannot both have written what they did."""

    root: bytes
    clash: str = ""


NO_BASE: Final = Base(EMPTY_ROOT, EMPTY_ROOT, EMPTY_ROOT)


def compose_output(storage: Storage, base: Base, plan: Fileset, done: Fileset) -> Output:
    """The output files of all datums of `plan` that are done; or a path that two of them wrote, with their ids.

    `base` is that of a job whose datums all succeeded. Durable when this returns.
    """
    before = storage.fileset(base.plan, plan.referrer)
    gone = [b.column(0) for old in candidates(plan, before) for b in output_rows(done, old)]
    come = SortedRows()
    for new in candidates(before, plan):
        for batch in output_rows(done, new):
            come.add(batch)
    added = come.finish()
    applied = rewrite(storage.filesets, base.output, sorted_paths(gone), added, plan.referrer, replace=False)
    if applied.duplicate is not None:
        path, first, second = applied.duplicate
        return Output(applied.root, f"file {path} was written by two datums, {first} and {second}")
    return Output(applied.root, _directory_clash(storage, base.output, applied.root, plan.referrer))


def _directory_clash(storage: Storage, old: bytes, new: bytes, referrer: str) -> str:
    """Say which path is a file and a directory at once, and which datums made it so; "" if none is."""
    if storage.fault(old, new, referrer) is None:
        return ""
    output = storage.fileset(new, referrer)
    for batch in candidates(storage.fileset(old, referrer), output):
        for path, datum in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            for directory in paths.parents(path)[1:]:
                for file in output.find(directory):
                    return _clash(directory, file.datum, datum)
            for below in output.batches(*interval(path + "/")):
                return _clash(path, datum, below.column(1)[0].as_py())
    raise AssertionError("a file that is a directory was seen and is not there")


def _clash(path: str, file: str, directory: str) -> str:
    return f"{path} was written as a file by datum {file} and as a directory by datum {directory}"


def compose_meta(storage: Storage, base: Base, plan: Fileset, done: Fileset, files_of: FilesOf, referrer: str) -> bytes:
    """The files of the meta commit: of all datums of `plan` that are done. Durable when this returns."""
    before = storage.fileset(base.plan, plan.referrer)
    old_meta = storage.fileset(base.meta, referrer)
    gone = [
        batch.column(0)
        for old in candidates(plan, before)
        for top in (_META, _PFS)
        for batch, _ in rows_of(old_meta, _joined(top[:-1], old.column(0)), len(top) + ID_DIGITS)
    ]
    come = SortedRows()
    parts: dict[tuple[str, str], SortedRows] = {}
    for new in candidates(before, plan):
        for batch in _meta_of(storage, new, done, parts):
            come.add(batch)
    for (name, branch), wanted in parts.items():
        for read in wanted.finish() or ():
            for batch in _input_rows(name, read, files_of(name, branch)):
                come.add(batch)
    return rewrite(storage.filesets, base.meta, sorted_paths(gone), come.finish(), referrer, replace=True).root


def _meta_of(
    storage: Storage, planned: pa.RecordBatch, done: Fileset, parts: dict[tuple[str, str], SortedRows]
) -> Iterator[pa.RecordBatch]:
    """The rows of the meta commit for some planned datums, but those of what they read: these go into `parts`."""
    finished: list[pa.Array] = []
    for batch in meta_rows(done, planned):
        finished.append(batch.column(1))
        yield retagged(batch, _joined(_META, batch.column(1), "/meta"), batch.column(1))
    for batch in output_rows(done, planned):
        yield retagged(batch, _joined(_PFS, batch.column(1), "/out", batch.column(0)), batch.column(1))
    if not finished:
        return
    ids = pc.utf8_slice_codeunits(planned.column(0), 1)
    mine = planned.filter(pc.is_in(ids, value_set=pa.concat_arrays(finished)))
    for group in in_groups([mine]):
        pairs: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
        records = read_bytes(storage, group, "planned datum")
        for path, record in zip(group.column(0).to_pylist(), records, strict=True):
            for name, part, branch in paths_of(record.decode()):
                names, datums = pairs.setdefault((name, branch), ([], []))
                names.append(part)
                datums.append(path[1:])
        for of, columns in pairs.items():
            arrays = [pa.array(column, pa.string()) for column in columns]
            parts.setdefault(of, SortedRows()).add(pa.RecordBatch.from_arrays(arrays, schema=_PARTS))


def _input_rows(name: str, wanted: pa.RecordBatch, fileset: Fileset) -> Iterator[pa.RecordBatch]:
    """What datums read under one name: sorted pairs of a path, which ends in a slash for a directory, and the datum."""
    is_directory = pc.ends_with(wanted.column(0), "/")
    files, directories = wanted.filter(pc.invert(is_directory)), wanted.filter(is_directory)
    names = files.column(0)
    for batch, _ in rows_of(fileset, names.unique()):
        # A path may be a part of many datums, so it is the datums that look for their row.
        begin, end = span(names, rows.path_at(batch, 0), rows.path_at(batch, -1))
        at = pc.index_in(names.slice(begin, end - begin), value_set=batch.column(0))
        ids = files.column(1).slice(begin, end - begin).filter(at.is_valid())
        yield _read(name, batch.take(at.drop_null()), ids)
    for directory in directories.column(0).unique().to_pylist():
        begin, end = span(directories.column(0), directory, directory)
        ids = directories.column(1).slice(begin, end - begin)
        for batch in fileset.batches(*interval(directory)):
            yield from _repeated(name, batch, ids)


def _repeated(name: str, batch: pa.RecordBatch, ids: pa.Array) -> Iterator[pa.RecordBatch]:
    """The same files as each of some datums read them."""
    count = max(1, _REPEATED // batch.num_rows)
    for begin in range(0, len(ids), count):
        part = ids.slice(begin, count)
        which = np.repeat(np.arange(len(part)), batch.num_rows)
        yield _read(
            name, batch.take(pa.array(np.tile(np.arange(batch.num_rows), len(part)))), part.take(pa.array(which))
        )


def _read(name: str, batch: pa.RecordBatch, ids: pa.Array) -> pa.RecordBatch:
    return retagged(batch, _joined(_PFS, ids, f"/{name}", batch.column(0)), ids)


def _joined(*parts: "str | pa.Array") -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")

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

import pyarrow as pa
import pyarrow.compute as pc

from howdah.model import paths
from howdah.pps.done import candidates, meta_rows, output_rows, retagged
from howdah.pps.plan import ID_DIGITS
from howdah.pps.records import read_records
from howdah.pps.rewriting import SortedRows, rewrite, rows_at, sorted_paths, within
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.reader import Fileset, interval
from howdah.storage.storage import Storage

__all__ = ["NO_BASE", "Base", "FilesOf", "Output", "compose_meta", "compose_output"]

FilesOf = Callable[[str, str], Fileset]
"""What a part of a datum reads, by the name of its input and by its branch if the record has one (`pps.parts`)."""

_META: Final = "/meta/"
_PFS: Final = "/pfs/"
# Datums whose inputs are looked up at a time.
_DATUMS: Final = 20_000


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
    come = SortedRows(storage.filesets, plan.referrer)
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
        for path in old.column(0).to_pylist()
        for top in (f"/meta{path}/", f"/pfs{path}/")
        for batch in old_meta.batches(*interval(top))
    ]
    come = SortedRows(storage.filesets, referrer)
    for new in candidates(before, plan):
        for batch in _meta_of(storage, new, done, files_of):
            come.add(batch)
    return rewrite(storage.filesets, base.meta, sorted_paths(gone), come.finish(), referrer, replace=True).root


def _meta_of(storage: Storage, planned: pa.RecordBatch, done: Fileset, files_of: FilesOf) -> Iterator[pa.RecordBatch]:
    """The rows of the meta commit for some planned datums."""
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
    for begin in range(0, mine.num_rows, _DATUMS):
        parts: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for path, _, record in read_records(storage, [mine.slice(begin, _DATUMS)], "planned datum"):
            for part in record["inputs"]:
                of = part["name"], part.get("branch", "")
                parts.setdefault(of, []).append((part["path"], path[1 : 1 + ID_DIGITS]))
        for (name, branch), wanted in parts.items():
            yield from _input_rows(name, wanted, files_of(name, branch))


def _input_rows(name: str, wanted: list[tuple[str, str]], fileset: Fileset) -> Iterator[pa.RecordBatch]:
    """What datums read under one name: pairs of a path, which ends in a slash for a directory, and the datum."""
    files = sorted(pair for pair in wanted if not pair[0].endswith("/"))
    names, ids = (pa.array([pair[index] for pair in files], pa.string()) for index in (0, 1))
    if files:
        for batch in rows_at(fileset, names.unique()):
            # A path may be a part of many datums, so it is the datums that look for their row.
            near = within(names, batch)
            at = pc.index_in(names.slice(near.start, len(near)), value_set=batch.column(0))
            yield _read(name, batch.take(at.drop_null()), ids.slice(near.start, len(near)).filter(at.is_valid()))
    for directory, datum in wanted:
        if directory.endswith("/"):
            for batch in fileset.batches(*interval(directory)):
                yield _read(name, batch, pa.repeat(pa.scalar(datum, pa.string()), batch.num_rows))


def _read(name: str, batch: pa.RecordBatch, ids: pa.Array) -> pa.RecordBatch:
    return retagged(batch, _joined(_PFS, ids, f"/{name}", batch.column(0)), ids)


def _joined(*parts: "str | pa.Array") -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")

# SPDX-License-Identifier: Apache-2.0
"""What workers hand in, as bytes, and how a job's hand-ins become `pps.done` and the job's results.

    body of a hand-in:   u32 length of a JSON header, the header (results, worker, containment), a change
    results of a job:    a fileset of records `/<datum id>`, tagged with the name of the datum's state

The change holds the output files of the datums, each tagged with its datum; it is put over nothing.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.model.refs import Commit
from howdah.model.states import DatumState
from howdah.pps.done import META, OUT, add_done, raw_outputs, retagged
from howdah.pps.infos import DatumResult, JobInput, ProcessStats
from howdah.pps.records import encode, read_records, store_records
from howdah.pps.rewriting import SortedRows, rewrite, rows_at, sorted_paths
from howdah.storage import changes
from howdah.storage.changes import Change, Layer
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = ["Collected", "HandIn", "Maker", "collect", "decode_hand_in", "encode_hand_in", "result_record", "stats_of"]

# Results whose datums are looked up at a time.
_GROUP: Final = 20_000
# Failed datums that a job's reason names.
_NAMED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class HandIn:
    """What a worker gave at once."""

    results: tuple[DatumResult, ...]
    worker: str
    containment: str
    change: bytes


@dataclass(frozen=True, slots=True)
class Maker:
    """Who did the work of a job: what a datum's record says besides its own result."""

    job: str
    version: int
    cmd: tuple[str, ...]
    image: str
    inputs: tuple[JobInput, ...]
    again: bool  # datums run in each job, so a key may have been done before


@dataclass(frozen=True, slots=True)
class Collected:
    """All hand-ins of a job, put together: the new record of what succeeded, and the job's results."""

    done: bytes
    results: bytes
    failed: tuple[DatumResult, ...]  # the first few
    failed_count: int
    containment: str


def encode_hand_in(hand_in: HandIn) -> bytes:
    """The bytes of a hand-in."""
    header = {
        "results": [{"id": result.id, **_outcome(result)} for result in hand_in.results],
        "worker": hand_in.worker,
        "containment": hand_in.containment,
    }
    data = encode(header)
    return len(data).to_bytes(4, "little") + data + hand_in.change


def decode_hand_in(body: bytes) -> HandIn:
    """What `encode_hand_in` was given."""
    end = 4 + int.from_bytes(body[:4], "little")
    header = json.loads(body[4:end])
    found = tuple(result_of(each["id"], each["state"], each) for each in header["results"])
    return HandIn(found, header["worker"], header["containment"], body[end:])


def result_of(datum: str, state: str, record: dict[str, Any]) -> DatumResult:
    """The result that a record of a hand-in or of a job's results holds."""
    return DatumResult(datum, DatumState[state], record["reason"], record["tries"], stats_of(record))


def stats_of(record: dict[str, Any]) -> ProcessStats:
    """The times and bytes that a record holds."""
    return ProcessStats(**record["stats"])


def result_record(result: DatumResult) -> tuple[str, str, bytes]:
    """The record of a datum's result in the results of its job."""
    return f"/{result.id}", result.state.name, encode(_outcome(result))


def collect(storage: Storage, done: bytes, todo: Fileset, bodies: Iterable[bytes], maker: Maker) -> Collected:
    """Add what succeeded in a job to `done`, and make its results. Durable when this returns; again adds nothing.

    Of a datum that was handed in twice the later result counts.
    """
    metas = SortedRows(storage.filesets, todo.referrer)
    outs = SortedRows(storage.filesets, todo.referrer)
    results = SortedRows(storage.filesets, todo.referrer)
    before = storage.fileset(done, todo.referrer)
    redone: list[pa.Array] = []
    failed: list[DatumResult] = []
    failed_count = 0
    containment = ""
    for group in _groups(bodies):
        containment = group[-1].containment or containment
        latest = {result.id: (result, hand_in) for hand_in in group for result in hand_in.results}
        bad = [result for result, _ in latest.values() if result.state is DatumState.FAILED]
        failed_count += len(bad)
        failed += bad[: _NAMED_MAX - len(failed)]
        results.add(store_records(storage, sorted(result_record(result) for result, _ in latest.values())))
        good = {datum: each for datum, each in latest.items() if each[0].state is DatumState.SUCCESS}
        lost = [datum for datum, (result, _) in latest.items() if result.state is DatumState.RECOVERED]
        if maker.again and lost:
            redone += _undone(before, _planned(todo, lost))
        if good:
            rows = _planned(todo, good)
            metas.add(_metas(storage, rows, good, maker))
            redone += [batch.column(0) for batch, _ in raw_outputs(before, rows)] if maker.again else []
            for batch in _outs(storage, rows, [each.change for each in group], todo.referrer):
                outs.add(batch)
    nothing = pa.array([], pa.string())
    made = rewrite(storage.filesets, EMPTY_ROOT, nothing, results.finish(), todo.referrer, replace=True).root
    new_done = add_done(storage, done, sorted_paths(redone), metas.finish(), outs.finish(), todo.referrer)
    return Collected(new_done, made, tuple(failed), failed_count, containment)


def _planned(todo: Fileset, datums: Iterable[str]) -> pa.RecordBatch:
    """The rows of the plan of these datums."""
    planned = pa.Table.from_batches(list(rows_at(todo, pa.array(sorted(f"/{datum}" for datum in datums)))))
    return planned.combine_chunks().to_batches()[0]


def _undone(done: Fileset, rows: pa.RecordBatch) -> list[pa.Array]:
    """The paths of all that is known of datums that succeeded once and were recovered now: they have no output."""
    known = pc.binary_join_element_wise(META, rows.column(1), "")
    metas = [key for key in known.to_pylist() if done.find(key)]
    return [pa.array(metas, pa.string()), *(batch.column(0) for batch, _ in raw_outputs(done, rows))]


def _groups(bodies: Iterable[bytes]) -> Iterator[list[HandIn]]:
    group: list[HandIn] = []
    held = 0
    for body in bodies:
        group.append(decode_hand_in(body))
        held += len(group[-1].results)
        if held >= _GROUP:
            yield group
            group, held = [], 0
    if group:
        yield group


def _metas(
    storage: Storage, planned: pa.RecordBatch, good: dict[str, tuple[DatumResult, HandIn]], maker: Maker
) -> pa.RecordBatch:
    """The records of what succeeded, for `/meta/` of done."""
    commits = {each.name: each.commit for each in maker.inputs}
    common = {"job": maker.job, "version": maker.version, "cmd": list(maker.cmd), "image": maker.image}
    records: list[tuple[str, str, bytes]] = []
    for path, key, record in read_records(storage, [planned], "planned datum"):
        result, hand_in = good[path[1:]]
        inputs = [{**part, **_commit_json(commits[part["name"]])} for part in record["inputs"]]
        value = {"datum": path[1:], "key": key, **common, "inputs": inputs, **_outcome(result)}
        value |= {"worker": hand_in.worker, "containment": hand_in.containment}
        records.append((META + key, "", encode(value)))
    records.sort()
    return store_records(storage, records)


def _outs(
    storage: Storage, planned: pa.RecordBatch, bodies: Sequence[bytes], referrer: str
) -> Iterator[pa.RecordBatch]:
    """The output files of datums that succeeded, for `/out/` of done."""
    ids, keys = pc.utf8_slice_codeunits(planned.column(0), 1), planned.column(1)
    for body in bodies:
        for batch in _rows_of(storage, changes.decode(body) if body else (), referrer):
            at = pc.index_in(batch.column(1), value_set=ids)
            found = batch.filter(at.is_valid())
            if found.num_rows:
                of = keys.take(at.drop_null())
                where = pc.binary_join_element_wise(OUT, of, found.column(0), "")
                yield retagged(found, where, pa.repeat(pa.scalar("", pa.string()), found.num_rows))


def _commit_json(commit: Commit) -> dict[str, Any]:
    return {"repo": [commit.repo.project, commit.repo.name, commit.repo.type], "commit": commit.id}


def _rows_of(storage: Storage, change: Change, referrer: str) -> Iterator[pa.RecordBatch]:
    """The files that a change makes of nothing."""
    if len(change) == 1 and _is_plain(change[0]):
        yield from changes.extents_of(storage.filesets, change, referrer)
    elif change:
        yield from storage.fileset(storage.apply(None, change, referrer).root, referrer).batches()


def _is_plain(layer: Layer) -> bool:
    """Whether the rows of a layer are the files themselves, when there is nothing below."""
    return layer.puts is None or layer.appends is None


def _outcome(result: DatumResult) -> dict[str, Any]:
    stats = result.stats
    return {
        "state": result.state.name,
        "reason": result.reason,
        "tries": result.tries,
        "stats": {
            "download_ms": stats.download_ms,
            "process_ms": stats.process_ms,
            "upload_ms": stats.upload_ms,
            "download_bytes": stats.download_bytes,
            "upload_bytes": stats.upload_bytes,
        },
    }

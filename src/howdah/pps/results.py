# SPDX-License-Identifier: Apache-2.0
"""How a job's hand-ins become `pps.done` and the job's results.

    results of a job:   a fileset of records `/<name of the state>/<datum id>`, one for each datum that ran
    older ones:         `/<datum id>`, tagged with the name of the state

So the datums in one state stand together. A hand-in itself is the matter of `pps.handed_in`. Its change holds the
output files of the datums, each tagged with its datum; it is put over nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.model.states import DatumState
from howdah.pps.done import META, OUT, add_done, raw_outputs, retagged
from howdah.pps.handed_in import HandIn, decode_hand_in
from howdah.pps.infos import DatumResult, JobInput
from howdah.pps.parts import InputsOfParts
from howdah.pps.plan import branch_in, parts_of
from howdah.pps.records import encode, in_groups, read_bytes, record_batch, stored
from howdah.pps.rewriting import SortedRows, distinct, rewrite, sorted_paths
from howdah.storage import changes, rows
from howdah.storage.changes import Change, Layer
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.picking import rows_of
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = ["ENDED", "Collected", "Maker", "collect", "result_path", "results_of"]

ENDED: Final = (DatumState.FAILED, DatumState.RECOVERED, DatumState.SUCCESS)
"""The states of datums that ran, in the order in which results have them."""

# Results whose datums are looked up at a time.
_GROUP: Final = 20_000
# Failed datums that a job's reason names.
_NAMED_MAX: Final = 3


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


def collect(storage: Storage, done: bytes, todo: Fileset, bodies: Iterable[bytes], maker: Maker) -> Collected:
    """Add what succeeded in a job to `done`, and make its results. Durable when this returns; again adds nothing."""
    metas, outs, results = SortedRows(), SortedRows(), SortedRows()
    before = storage.fileset(done, todo.referrer)
    redone: list[pa.Array] = []
    failed: list[DatumResult] = []
    failed_count = 0
    containment = ""
    for group in _groups(bodies):
        containment = group[-1].containment or containment
        good: dict[str, tuple[str, str]] = {}
        for hand_in in group:
            bad = hand_in.outcomes.numbers(DatumState.FAILED)
            failed_count += len(bad)
            failed += [hand_in.outcomes.at(number) for number in bad[: _NAMED_MAX - len(failed)]]
            texts = hand_in.outcomes.texts()
            good |= _succeeded(hand_in, texts)
            results.add(_records(hand_in, texts))
        if maker.again and (lost := _lost(group)):
            redone += _undone(before, _planned(todo, lost))
        if good:
            planned = _planned(todo, good)
            for part in in_groups([planned]):
                metas.add(_metas(storage, part, good, maker))
            redone += [batch.column(0) for batch, _ in raw_outputs(before, planned)] if maker.again else []
            for batch in _outs(storage, planned, [each.change for each in group], todo.referrer):
                outs.add(batch)
    made = rewrite(storage.filesets, EMPTY_ROOT, _NONE, _stored(storage, results), todo.referrer, replace=True).root
    new_done = add_done(storage, done, sorted_paths(redone), _stored(storage, metas), outs.finish(), todo.referrer)
    return Collected(new_done, made, tuple(failed), failed_count, containment)


def _planned(todo: Fileset, datums: Iterable[str]) -> pa.RecordBatch:
    """The rows of the plan of these datums."""
    names = pa.array(sorted(f"/{datum}" for datum in datums), pa.string())
    return rows.join(batch for batch, _ in rows_of(todo, names))


def _lost(group: Sequence[HandIn]) -> list[str]:
    """The datums that were recovered."""
    return [each.outcomes.id(n) for each in group for n in each.outcomes.numbers(DatumState.RECOVERED)]


def _undone(done: Fileset, planned: pa.RecordBatch) -> list[pa.Array]:
    """The paths of all that is known of datums that succeeded once and were recovered now: they have no output."""
    known = pc.binary_join_element_wise(META, planned.column(1), "")
    metas = [key for key in known.to_pylist() if done.find(key)]
    return [pa.array(metas, pa.string()), *(batch.column(0) for batch, _ in raw_outputs(done, planned))]


def results_of(results: Fileset, state: DatumState, lower: str, upper: str | None) -> Iterator[pa.RecordBatch]:
    """The results of datums that ended in a state, as rows `/<datum id>` with `lower <= path < upper`, in order."""
    if _is_older(results):
        for batch in results.batches(lower, upper):
            found = batch.filter(pc.equal(batch.column(1), state.name))
            if found.num_rows:
                yield found
        return
    top = "/" + state.name
    for batch in results.batches(top + (lower or "/"), top + ("0" if upper is None else upper)):
        yield retagged(batch, pc.utf8_slice_codeunits(batch.column(0), len(top)), batch.column(1))


def result_path(results: Fileset, state: DatumState, path: str) -> str:
    """Where the result of a planned datum that ended in that state stands."""
    return path if _is_older(results) else f"/{state.name}{path}"


def _is_older(results: Fileset) -> bool:
    """Whether the results were made before the states stood apart."""
    if results.root == EMPTY_ROOT:
        return False
    first = results.filesets.node(results.root, results.referrer).children[0].first
    return not any(first.startswith(f"/{state.name}/") for state in ENDED)


def _groups(bodies: Iterable[bytes]) -> Iterator[list[HandIn]]:
    group: list[HandIn] = []
    held = 0
    for body in bodies:
        group.append(decode_hand_in(body))
        held += len(group[-1].outcomes)
        if held >= _GROUP:
            yield group
            group, held = [], 0
    if group:
        yield group


def _stored(storage: Storage, records: SortedRows) -> Iterator[pa.RecordBatch] | None:
    found = records.finish()
    return None if found is None else stored(storage, distinct(found))


def _records(hand_in: HandIn, texts: Sequence[str]) -> pa.RecordBatch:
    """The records of a hand-in, for the results of its job, from the texts of its outcomes."""
    outcomes = hand_in.outcomes
    names = [DatumState(state).name for state in outcomes.states.tolist()]
    paths = [f"/{name}/{datum}" for name, datum in zip(names, outcomes.ids, strict=True)]
    return record_batch(paths, names, [f"{{{text}}}".encode() for text in texts])


def _succeeded(hand_in: HandIn, texts: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What the records of datums that succeeded end with, by id: the outcome, and who made it."""
    outcomes = hand_in.outcomes
    maker = encode({"worker": hand_in.worker, "containment": hand_in.containment})[1:-1].decode()
    return {outcomes.id(at): (texts[at], maker) for at in outcomes.numbers(DatumState.SUCCESS)}


def _metas(
    storage: Storage, planned: pa.RecordBatch, good: Mapping[str, tuple[str, str]], maker: Maker
) -> pa.RecordBatch:
    """The records of what succeeded, for `/meta/` of done."""
    ends = _Ends(maker.inputs)
    common = encode({"job": maker.job, "version": maker.version, "cmd": list(maker.cmd), "image": maker.image})
    middle = common[1:-1].decode()
    paths, keys = (planned.column(index).to_pylist() for index in (0, 1))
    data: list[bytes] = []
    for path, key, record in zip(paths, keys, read_bytes(storage, planned, "planned datum"), strict=True):
        inputs = ",".join([text + ends.of(name, text) for name, text in parts_of(record.decode())])
        outcome, worker = good[path[1:]]
        text = f'{{"datum":"{path[1:]}","key":"{key}",{middle},"inputs":[{inputs}],{outcome},{worker}}}'
        data.append(text.encode())
    return record_batch([META + key for key in keys], [""] * len(keys), data)


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


class _Ends:
    """What the records of parts say besides what the plan says: the commit that each is of."""

    def __init__(self, inputs: Iterable[JobInput]) -> None:
        self._inputs = InputsOfParts(inputs)
        self._known: dict[tuple[str, str], str] = {}

    def of(self, name: str, text: str) -> str:
        """The end of the record of a part, given its quoted name and its text (`pps.plan.parts_of`)."""
        label = branch_in(text)
        if (found := self._known.get((name, label))) is None:
            read = self._inputs.of({"name": json.loads(name), "branch": label})
            assert read is not None, "a job was planned with an input that it has not"
            repo = read.commit.repo
            value = {"repo": [repo.project, repo.name, repo.type], "commit": read.commit.id}
            found = self._known[name, label] = "," + encode(value)[1:].decode()
        return found


def _rows_of(storage: Storage, change: Change, referrer: str) -> Iterator[pa.RecordBatch]:
    """The files that a change makes of nothing."""
    if len(change) == 1 and _is_plain(change[0]):
        yield from changes.extents_of(storage.filesets, change, referrer)
    elif change:
        yield from storage.fileset(storage.apply(None, change, referrer).root, referrer).batches()


def _is_plain(layer: Layer) -> bool:
    """Whether the rows of a layer are the files themselves, when there is nothing below."""
    return layer.puts is None or layer.appends is None


_NONE: Final = pa.array([], pa.string())

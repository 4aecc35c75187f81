# SPDX-License-Identifier: Apache-2.0
"""The plan of a job from that of an earlier one and what changed between what they read.

A datum of a single pfs input is one path that matches, so only paths that differ between the two commits are looked
at; in a cross of such inputs, the datums that have one of these as a part. Whatever the input, nothing is looked at
when what it reads is the same. Else, or if much has changed, all datums are found again (`pps.plan`), which always
gives the same plan.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from blake3 import blake3

from howdah.errors import Damaged
from howdah.model.globs import Glob
from howdah.model.refs import Branch
from howdah.model.spec import CronInput, CrossInput, Input, PfsInput, as_pfs
from howdah.pps.input_keys import Filesets, branch_of, source_of
from howdah.pps.input_pages import Page, Slot, Source
from howdah.pps.inputs import pages, pages_with
from howdah.pps.plan import build_plan, planned
from howdah.pps.records import stored
from howdah.pps.rewriting import SortedRows, distinct, rewrite, sorted_paths
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.glob_diff import TooManyError, glob_diff
from howdah.storage.storage import Storage

__all__ = ["Earlier", "fingerprint", "replan"]

# Grows with a change of how datums are found: an older plan is then no base for a part of a new one.
_VERSION: Final = 1
# Of a cross: changes of more datums, and of more than this part of the earlier plan, are found quicker with all others.
_CHANGED_MIN: Final = 10_000
_CHANGED_PART: Final = 4


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier job planned: its plan, of what (`fingerprint`; "" if that is not known), and what it read."""

    plan: bytes = EMPTY_ROOT
    fingerprint: str = ""
    roots: Mapping[Branch, bytes] | None = None  # by what `Filesets` have


def fingerprint(node: Input, salt: str) -> str:
    """What a plan depends on besides the files that are read: equal ones, and equal files, give equal plans."""
    return blake3(f"{_VERSION}\n{salt}\n{node!r}".encode()).hexdigest(length=16)


def replan(storage: Storage, earlier: Earlier, node: Input, filesets: Filesets, salt: str, referrer: str) -> bytes:
    """The plan of all datums of an input, over that of an earlier job; durable when this returns.

    Equal, digest for digest, to `build_plan` of all datums.

    Raises:
        Damaged: what is read cannot be.
    """
    if earlier.roots is not None and earlier.fingerprint == fingerprint(node, salt):
        if {branch: fileset.root for branch, fileset in filesets.items()} == dict(earlier.roots):
            return earlier.plan
        if members := _members(node):
            try:
                before = f"what was planned before {referrer}"
                old = {branch_of(each): storage.fileset(earlier.roots[branch_of(each)], before) for each in members}
                return _updated(storage, earlier.plan, members, old, filesets, salt, referrer)
            except TooManyError:
                pass
            except Damaged:
                pass  # the earlier commit may be gone by now; what is wrong with the new one is seen below
    return build_plan(storage, earlier.plan, pages(node, filesets), salt, referrer)


def _members(node: Input) -> Sequence[PfsInput]:
    """The pfs inputs that an input is, or that it is a cross of; none if it is something else."""
    found = [as_pfs(each) if isinstance(each, CronInput) else each for each in _inputs(node)]
    members = [each for each in found if isinstance(each, PfsInput)]
    return members if len(members) == len(found) else ()


def _inputs(node: Input) -> Sequence[Input]:
    return node.inputs if isinstance(node, CrossInput) else (node,)


def _updated(
    storage: Storage,
    base: bytes,
    members: Sequence[PfsInput],
    old: Filesets,
    new: Filesets,
    salt: str,
    referrer: str,
) -> bytes:
    """The plan `base` of the files in `old`, brought to those in `new`."""
    most = max(_CHANGED_MIN, storage.fileset(base, referrer).total.files // _CHANGED_PART)
    gone: list[pa.Array] = []
    come = SortedRows()
    seen = 0
    for before, after in _changes(members, old, new):
        for batch in planned(before, salt):
            gone.append(batch.column(0))
            seen += batch.num_rows
            _check(members, seen, most)
        for batch in planned(after, salt):
            come.add(batch)
            seen += batch.num_rows
            _check(members, seen, most)
    added = come.finish()
    put = None if added is None else stored(storage, distinct(added))
    return rewrite(storage.filesets, base, sorted_paths(gone), put, referrer, replace=True).root


def _check(members: Sequence[PfsInput], seen: int, most: int) -> None:
    if len(members) > 1 and seen > most:
        raise TooManyError


def _changes(
    members: Sequence[PfsInput], old: Filesets, new: Filesets
) -> Iterator[tuple[Iterable[Page], Iterable[Page]]]:
    """Pairs of pages: datums of `old` that are not in `new` or are otherwise there, and those of `new`.

    What has several parts that changed comes several times.
    """
    for at, member in enumerate(members):
        source, branch = source_of(member), branch_of(member)
        found = glob_diff(old[branch], new[branch], Glob.parse(member.glob))
        if len(members) == 1:
            yield from ((_pages(source, before), _pages(source, after)) for before, after in found)
            continue
        pairs = list(found)
        gone, come = ([page for pair in pairs for page in _pages(source, pair[side])] for side in (0, 1))
        yield pages_with(members, old, at, gone), pages_with(members, new, at, come)


def _pages(source: Source, columns: pa.RecordBatch) -> Iterator[Page]:
    if columns.num_rows:
        paths, sizes, hashes = (column.to_pylist() for column in columns.columns)
        yield Page((Slot(source, paths, hashes, sizes),))

# SPDX-License-Identifier: Apache-2.0
"""The plan of a job from that of an earlier one and what changed between what they read.

A datum of a single pfs input is one path that matches, so only paths that differ between the two commits are looked
at. Whatever the input, nothing is looked at when what it reads is the same. Else all datums are found again
(`pps.plan`), which always gives the same plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from blake3 import blake3

from howdah.errors import Damaged
from howdah.model.globs import Glob
from howdah.model.refs import Branch
from howdah.model.spec import Input, PfsInput
from howdah.pps.input_keys import Filesets, branch_of, source_of
from howdah.pps.input_pages import Page, Slot, Source
from howdah.pps.inputs import pages
from howdah.pps.plan import build_plan, planned
from howdah.pps.records import stored
from howdah.pps.rewriting import SortedRows, distinct, rewrite, sorted_paths
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.glob_diff import TooManyError, glob_diff
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = ["Earlier", "fingerprint", "replan"]

# Grows with a change of how datums are found: an older plan is then no base for a part of a new one.
_VERSION: Final = 1


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
        if isinstance(node, PfsInput):
            try:
                old = storage.fileset(earlier.roots[branch_of(node)], f"what was planned before {referrer}")
                return _updated(storage, earlier.plan, node, old, filesets[branch_of(node)], salt, referrer)
            except TooManyError:
                pass
            except Damaged:
                pass  # the earlier commit may be gone by now; what is wrong with the new one is seen below
    return build_plan(storage, earlier.plan, pages(node, filesets), salt, referrer)


def _updated(
    storage: Storage, base: bytes, node: PfsInput, old: Fileset, new: Fileset, salt: str, referrer: str
) -> bytes:
    """The plan `base` of the files in `old`, brought to those in `new`."""
    source = source_of(node)
    gone: list[pa.Array] = []
    come = SortedRows()
    for before, after in glob_diff(old, new, Glob.parse(node.glob)):
        gone += [batch.column(0) for batch in planned(_pages(source, before), salt)]
        for batch in planned(_pages(source, after), salt):
            come.add(batch)
    added = come.finish()
    put = None if added is None else stored(storage, distinct(added))
    return rewrite(storage.filesets, base, sorted_paths(gone), put, referrer, replace=True).root


def _pages(source: Source, columns: pa.RecordBatch) -> Iterator[Page]:
    if columns.num_rows:
        paths, sizes, hashes = (column.to_pylist() for column in columns.columns)
        yield Page((Slot(source, paths, hashes, sizes),))

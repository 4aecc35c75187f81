# SPDX-License-Identifier: Apache-2.0
"""Zombies: files in an output commit whose datum is not in the meta commit of the same job. There should be none."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from howdah.db import tables
from howdah.db.engine import Database
from howdah.model.refs import Commitish
from howdah.model.upkeep import Fault
from howdah.pfs import commit_rows
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.resolve import resolve
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.storage import Storage

__all__ = ["find_zombies"]

_ADVICE = "let the pipeline run again: howdah update pipeline --reprocess"


def find_zombies(db: Database, storage: Storage, target: Commitish | None = None) -> Iterator[Fault]:
    """The zombies of one output commit, or of the head of each output branch; nothing for other commits.

    Raises:
        NotFound: there is no such commit.
        Damaged: a fileset cannot be read.
    """
    job, branch = tables.job.c, tables.branch.c
    wanted = select(job.output_commit_id, job.meta_commit_id).where(job.meta_commit_id.is_not(None))
    with db.read() as tx:
        if target is None:
            wanted = wanted.where(job.output_commit_id.in_(select(branch.head_id).where(branch.head_id.is_not(None))))
        else:
            wanted = wanted.where(job.output_commit_id == resolve(tx, target).id)
        pairs = [(output, meta) for output, meta in tx.execute(wanted)]
        rows = commit_rows.by_ids(tx, {key for pair in pairs for key in pair})
    for output, meta in pairs:
        yield from _of(storage, rows[output], rows[meta])


def _of(storage: Storage, output: CommitRow, meta: CommitRow) -> Iterator[Fault]:
    if output.root is None or meta.root is None or output.error:
        return
    alive = _datums(storage, meta)
    found = _datums(storage, output)
    for datum in found.filter(pc.invert(pc.is_in(found, value_set=alive))).to_pylist():
        text = f"commit {output.commit} contains output from datum {datum} which should have been deleted"
        yield Fault(text, f"commit {output.commit}", _ADVICE)


def _datums(storage: Storage, row: CommitRow) -> pa.Array:
    """The datums that the files of a commit are tagged with, each once."""
    fileset = storage.fileset(row.root, f"commit {row.commit}")
    batches = [] if fileset.root == EMPTY_ROOT else fileset.batches()
    columns = [batch.column(1).unique() for batch in batches]
    found = pa.concat_arrays(columns).unique() if columns else pa.array([], pa.string())
    return found.filter(pc.not_equal(found, ""))

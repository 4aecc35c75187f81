# SPDX-License-Identifier: Apache-2.0
"""Open commits: a base plus the changes that were handed in, merged as they are needed.

Reading, finishing and every sixteenth change merge what there is; the merged fileset takes the place of
its changes, so that an open commit of a thousand small puts stays quick to read and to finish.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.kit import fail
from howdah.pfs import commit_changes
from howdah.pfs.closing import deleted, good_base
from howdah.pfs.commit_rows import CommitRow, by_ids
from howdah.pfs.held_leases import HeldLeases
from howdah.storage import changes
from howdah.storage.storage import Storage

__all__ = ["MERGE_EVERY", "Merged", "OpenCommits"]

# Changes that may wait to be merged: more make reading slow, fewer make every put pay for a merge.
MERGE_EVERY = 16

# Merged filesets that are remembered; each is one hash.
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Merged:
    """The fileset of an open commit after the change `seq` (0: none); `base` is what it started from."""

    base: bytes
    root: bytes
    seq: int


class OpenCommits:
    """What open commits hold. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage, held: HeldLeases) -> None:
        self._db = db
        self._storage = storage
        self._held = held
        self._lock = Lock()
        self._roots: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def root(self, commit_id: int) -> bytes:
        """The fileset that an open commit has now; that of a closed one stays what it was.

        Raises:
            Unavailable: BUSY: its base is still open.
            Conflict: DELETED_MEANWHILE.
        """
        return self.merged(commit_id).root

    def merged(self, commit_id: int) -> Merged:
        """As `root`, with what it was made from."""
        with self._db.read() as tx:
            if (row := by_ids(tx, [commit_id]).get(commit_id)) is None:
                raise deleted()
            base = good_base(tx, row)
            waiting = [] if row.root is not None else commit_changes.after_partial(tx, row)
        start = row.root or row.partial_root or base
        if not waiting:
            return Merged(base, start, row.partial_seq or 0)
        seq = waiting[-1][0]
        if (root := self._remembered(commit_id, seq)) is None:
            layers = [layer for _, body in waiting for layer in changes.decode(body)]
            # No row names what is made here before the commit is merged or finished; see `roots`.
            with self._held.hold():
                root = self._storage.apply(start, layers, f"commit {row.commit}").root
                self._remember(commit_id, seq, root)
        return Merged(base, root, seq)

    def merge(self, commit_id: int) -> None:
        """Put a merged fileset in the place of the changes so far; nothing happens if somebody else did so."""
        with self._db.read() as tx:
            row = by_ids(tx, [commit_id]).get(commit_id)
        if row is None or row.finishing_at is not None:
            return
        merged = self.merged(commit_id)
        if merged.seq > (row.partial_seq or 0):
            fail.here("pfs.merge.stored")
            with self._db.write() as tx:
                commit_changes.merge(tx, commit_id, merged.seq, merged.root, row.partial_seq)

    def roots(self, tx: Transaction) -> list[tuple[int, bytes]]:
        """The merged filesets that are remembered, with their commits that are still open; no row may name them."""
        with self._lock:
            remembered = [(commit_id, root) for (commit_id, _), root in self._roots.items()]
        rows = by_ids(tx, {commit_id for commit_id, _ in remembered})
        alive = {key for key, row in rows.items() if row.finishing_at is None}
        return [(commit_id, root) for commit_id, root in remembered if commit_id in alive]

    def unchanged(self, tx: Transaction, row: CommitRow, merged: Merged) -> bool:
        """Whether nothing was handed in since `merged` was made; `row` was read in this transaction."""
        waiting = commit_changes.after_partial(tx, row)
        return (waiting[-1][0] if waiting else row.partial_seq or 0) == merged.seq

    def _remembered(self, commit_id: int, seq: int) -> bytes | None:
        with self._lock:
            return self._roots.get((commit_id, seq))

    def _remember(self, commit_id: int, seq: int, root: bytes) -> None:
        with self._lock:
            self._roots[commit_id, seq] = root
            while len(self._roots) > _REMEMBERED:
                self._roots.popitem(last=False)

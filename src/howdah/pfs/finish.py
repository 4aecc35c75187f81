# SPDX-License-Identifier: Apache-2.0
"""Finish a commit: from now on its files never change.

The fileset is made and stored first; then one transaction closes the commit, unless something was handed
in meanwhile, and then all is done again. So a commit is open or finished, never in between, and a server
that dies on the way leaves it open. Output commits are closed by the jobs that write them (`pps`).

Where closing a commit is one step of a greater change, the caller keeps `Closings`: what its commits will hold, made
outside of the transaction as well. `finish` is that step.
"""

from collections.abc import Callable
from dataclasses import dataclass

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind, Refused
from howdah.kit import fail
from howdah.model.refs import Commitish
from howdah.pfs import commit_changes, commit_rows, provenance, touched
from howdah.pfs.closing import base_files, close_row, deleted
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.open_commits import Merged, OpenCommits
from howdah.pfs.resolve import resolve
from howdah.pfs.work import Work
from howdah.storage.storage import Storage

__all__ = ["Closing", "ClosingOf", "Closings", "Finisher", "finish"]


@dataclass(frozen=True, slots=True)
class Closing:
    """What an open commit holds once it is closed; `fault` is why it will be a bad one, "" if it is good.

    `touched` is what `pfs.touched` keeps of the paths that differ from its base, None if those are many.
    """

    root: bytes
    files: int
    size: int
    fault: str = ""
    touched: bytes | None = b""


ClosingOf = Callable[[Transaction, CommitRow], Closing]


def finish(
    work: Work,
    ref: Commitish,
    closing_of: ClosingOf,
    *,
    description: str | None = None,
    error: str = "",
    force: bool = False,
) -> None:
    """Close a commit in this work, with the files that `closing_of` says (`Closings.exact` or `Closings.guess`).

    Raises as `Finisher.finish`, and what `closing_of` raises.
    """
    row = _open_row(work.tx, ref, force)
    closing = closing_of(work.tx, row)
    _close_row(work.tx, row, closing, description, error)


class Closings:
    """What open commits will hold when one transaction closes them. Of one thread, for one change.

        while True:
            try:
                with works.open() as work:
                    finish(work, ref, closings.exact)
                break
            except Conflict:
                if not closings.make():
                    raise

    Which commits those are is known for sure only inside the transaction: an earlier step of it may move the branch
    by which one is named. So the transaction asks, and ends when the answer is not there; `make` works it out, and the
    change is tried again. A `guess` on a trial first (`Works.trial`) finds most of them at once.
    """

    def __init__(self, finisher: "Finisher") -> None:
        self._finisher = finisher
        self._made: dict[int, tuple[Merged, Closing]] = {}
        self._wanted: dict[int, None] = {}

    def guess(self, tx: Transaction, row: CommitRow) -> Closing:
        """For a trial: the files that the commit started from. What it really holds is wanted from now on."""
        if not _unwritten(tx, row):
            self._wanted[row.id] = None
        return Closing(*base_files(tx, row))

    def exact(self, tx: Transaction, row: CommitRow) -> Closing:
        """What the commit holds, at this moment of the transaction.

        Raises:
            Conflict: WRITE_CONFLICT: it was not made yet, or the commit was written to since; see `make`.
            Unavailable: BUSY: its base is still open.
        """
        if _unwritten(tx, row):
            return Closing(*base_files(tx, row))
        merged, closing = self._made.get(row.id, (None, None))
        if merged is None or closing is None or not self._finisher.open_commits.unchanged(tx, row, merged):
            self._wanted[row.id] = None
            text = f"commit {row.commit} was written to while it was finished; finish it again"
            raise Conflict(ErrorKind.WRITE_CONFLICT, text)
        return closing

    def make(self) -> bool:
        """Merge and store what is wanted, outside of any transaction; whether there was any. A deleted commit is none.

        Raises:
            Unavailable: BUSY: the base of one is still open.
        """
        if not self._wanted:
            return False
        for commit_id in self._wanted:
            if (made := self._finisher.prepare(commit_id)) is not None:
                self._made[commit_id] = made
        self._wanted.clear()
        fail.here("pfs.finish.stored")
        return True


class Finisher:
    """Closes commits that people opened. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage, open_commits: OpenCommits) -> None:
        self.open_commits = open_commits
        self._db = db
        self._storage = storage

    def finish(self, ref: Commitish, *, description: str | None = None, error: str = "", force: bool = False) -> None:
        """Close a commit; pipelines that read its branch may begin. When this returns it is finished.

        A commit with `error` keeps its files but starts nothing, as does one in which a path is both a file
        and a directory. `force` closes also the output commit of a pipeline.

        Raises:
            NotFound: there is no such commit.
            Refused: COMMIT_FINISHED: it was closed before; OUTPUT_BRANCH: a job has to close it.
            Unavailable: BUSY: its base is still open.
            Conflict: DELETED_MEANWHILE: it was dropped on the way.
        """
        with self._db.read() as tx:
            row = _open_row(tx, ref, force)
        while not self._close(row, description, error):
            pass

    def closings(self) -> Closings:
        """For a change that closes commits among other things."""
        return Closings(self)

    def prepare(self, commit_id: int) -> tuple[Merged, Closing] | None:
        """Merge and store what an open commit holds now; None if there is no such commit.

        Raises:
            Unavailable: BUSY: its base is still open.
        """
        with self._db.read() as tx:
            row = commit_rows.by_ids(tx, [commit_id]).get(commit_id)
        if row is None:
            return None
        merged = self.open_commits.merged(commit_id)
        referrer = f"commit {row.commit}"
        total = self._storage.fileset(merged.root, referrer).total
        fault = self._storage.fault(merged.base, merged.root, referrer)
        paths = touched.between(self._storage, merged.base, merged.root, referrer)
        return merged, Closing(merged.root, total.files, total.size, fault or "", paths)

    def _close(self, row: CommitRow, description: str | None, error: str) -> bool:
        if (prepared := self.prepare(row.id)) is None:
            raise deleted(row.commit)
        merged, closing = prepared
        fail.here("pfs.finish.stored")
        with self._db.write() as tx:
            now = commit_rows.by_ids(tx, [row.id]).get(row.id)
            if now is None:
                raise deleted(row.commit)
            if now.finishing_at is None and not self.open_commits.unchanged(tx, now, merged):
                return False
            _close_row(tx, now, closing, description, error)
        return True


def _close_row(tx: Transaction, row: CommitRow, closing: Closing, description: str | None, error: str) -> None:
    close_row(tx, row.id, closing.root, closing.files, closing.size, description, error or closing.fault)
    touched.remember(tx, row.id, row.parent_id, closing.touched)


def _open_row(tx: Transaction, ref: Commitish, force: bool) -> CommitRow:
    """The row of a commit that may be finished."""
    row = resolve(tx, ref)
    if row.finishing_at is not None:
        raise commit_changes.already_finished(row.commit)
    if not force and provenance.has_upstream(tx, row.id):
        text = "cannot finish a pipeline output or meta commit, use 'stop job' instead"
        raise Refused(ErrorKind.OUTPUT_BRANCH, f"{text}; commit {row.commit} is written by a job")
    return row


def _unwritten(tx: Transaction, row: CommitRow) -> bool:
    """Whether nothing was ever handed in for a commit, so that it holds what its base does."""
    return row.partial_seq is None and not commit_changes.after_partial(tx, row)

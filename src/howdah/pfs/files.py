# SPDX-License-Identifier: Apache-2.0
"""The files of a commit, to be read: what can be asked of them is in `storage.tree`.

A commit is first turned into a `View`, an immutable fileset; all answers come from that, so they fit
together however the commit changes meanwhile. An open commit is its base plus the changes so far. How
files are written is in `pfs.writes`.
"""

from datetime import datetime

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, Unavailable
from howdah.model.refs import Commit, Commitish
from howdah.pfs import commit_lines, file_set_rows
from howdah.pfs.closing import forgotten
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.file_set_rows import is_file_set
from howdah.pfs.open_commits import OpenCommits
from howdah.pfs.resolve import resolve
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage
from howdah.storage.tree import Tree

__all__ = ["Files", "View"]


class View(Tree):
    """The files of a commit at one moment.

    `committed` is when the commit was closed, None while it is open.
    """

    def __init__(self, commit: Commit, committed: datetime | None, fileset: Fileset, storage: Storage) -> None:
        place, look = f"repo {commit.repo} at commit {commit.id}", f"howdah list file {commit}"
        super().__init__(fileset, storage.reader, f"commit {commit}", place, look)
        self.commit = commit
        self.committed = committed
        self.storage = storage


class Files:
    """Makes views of commits. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage, open_commits: OpenCommits) -> None:
        self._db = db
        self._storage = storage
        self._open = open_commits

    def view(self, ref: Commitish, *, partial: bool = False) -> View:
        """The files that a commit has now.

        A file set is read as the finished commit of its id in the repo `__filesets__`.
        A commit with an error shows those of its nearest good ancestor or, with `partial`, its own.

        Raises:
            NotFound: there is no such repo, branch, commit or file set.
            Unavailable: COMMIT_OPEN: it is being finished, or its base is not finished yet; wait for it.
            Refused: COMMIT_FORGOTTEN.
        """
        if is_file_set(ref):
            return self._file_set(ref)
        with self._db.read() as tx:
            asked = resolve(tx, ref)
            row = asked if partial else _good(tx, asked)
        if row is None:
            return View(
                asked.commit, asked.finished_at, self._storage.fileset(None, f"commit {asked.commit}"), self._storage
            )
        if row.finishing_at is not None and row.finished_at is None:
            text = f"commit {row.commit} not finished; it is being closed: howdah wait commit {row.commit}"
            raise Unavailable(ErrorKind.COMMIT_OPEN, text)
        if row.forgotten:
            raise forgotten(row.commit)
        root = row.root if row.finished_at is not None else self._open.root(row.id)
        fileset = self._storage.fileset(root, f"commit {row.commit}")
        return View(asked.commit, asked.finishing_at, fileset, self._storage)

    def _file_set(self, ref: Commitish) -> View:
        with self._db.read() as tx:
            row = file_set_rows.row_of(tx, ref)
        fileset = self._storage.fileset(row.root, f"file set {row.id}")
        return View(Commit(ref.repo, row.id), row.created_at, fileset, self._storage)


def _good(tx: Transaction, row: CommitRow) -> CommitRow | None:
    return row if not row.error or row.finished_at is None else commit_lines.last_good(tx, row.id)

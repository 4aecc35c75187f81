# SPDX-License-Identifier: Apache-2.0
"""Finish a commit: from now on its files never change.

The fileset is made and stored first; then one transaction closes the commit, unless something was handed
in meanwhile, and then all is done again. So a commit is open or finished, never in between, and a server
that dies on the way leaves it open. Output commits are closed by the jobs that write them (`pps`).
"""

from howdah.db.engine import Database
from howdah.errors import ErrorKind, Refused
from howdah.kit import fail
from howdah.model.refs import Commitish
from howdah.pfs import commit_changes, commit_rows, provenance
from howdah.pfs.closing import close_row, deleted
from howdah.pfs.open_commits import OpenCommits
from howdah.pfs.resolve import resolve
from howdah.storage.storage import Storage

__all__ = ["Finisher"]


class Finisher:
    """Closes commits that people opened. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage, open_commits: OpenCommits) -> None:
        self._db = db
        self._storage = storage
        self._open = open_commits

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
            row = resolve(tx, ref)
            if row.finishing_at is not None:
                raise commit_changes.already_finished(row.commit)
            if not force and provenance.has_upstream(tx, row.id):
                text = "cannot finish a pipeline output or meta commit, use 'stop job' instead"
                raise Refused(ErrorKind.OUTPUT_BRANCH, f"{text}; commit {row.commit} is written by a job")
        while not self._close(row.id, description, error):
            pass

    def _close(self, commit_id: int, description: str | None, error: str) -> bool:
        merged = self._open.merged(commit_id)
        with self._db.read() as tx:
            row = commit_rows.by_ids(tx, [commit_id]).get(commit_id)
        if row is None:
            raise deleted()
        referrer = f"commit {row.commit}"
        total = self._storage.fileset(merged.root, referrer).total
        fault = error or self._storage.fault(merged.base, merged.root, referrer) or ""
        fail.here("pfs.finish.stored")
        with self._db.write() as tx:
            now = commit_rows.by_ids(tx, [commit_id]).get(commit_id)
            if now is not None and now.finishing_at is None and not self._open.unchanged(tx, now, merged):
                return False
            close_row(tx, commit_id, merged.root, total.files, total.size, description, fault)
        return True

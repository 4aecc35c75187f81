# SPDX-License-Identifier: Apache-2.0
"""File sets: files that are put together outside of any commit, and live for some minutes unless renewed.

A file set is a change (`storage.changes`) that is kept by an id: added to a commit it does there what its operations
would have done; read by itself, as the commit of that id in the repo `__filesets__` (`pfs.files`), it has what they
make of nothing. Rows are in `pfs.file_set_rows`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.db.engine import Database
from howdah.errors import BadRequest, ErrorKind
from howdah.kit.ids import NewId
from howdah.model.refs import Commit, Commitish
from howdah.pfs import file_set_rows
from howdah.pfs.closing import good_base
from howdah.pfs.file_set_rows import FileSetRow, is_file_set
from howdah.pfs.files import Files
from howdah.pfs.held_leases import Held
from howdah.pfs.resolve import resolve
from howdah.pfs.writes import LEASE_SECONDS, Operation, Writes
from howdah.storage import changes, sharding
from howdah.storage.changes import Layer
from howdah.storage.diff import fresh, unequal
from howdah.storage.edits import folded
from howdah.storage.filesets import EMPTY_ROOT, Builder
from howdah.storage.storage import Storage

__all__ = ["DEFAULT_SECONDS", "MAX_SECONDS", "FileSets"]

DEFAULT_SECONDS: Final = 600  # the protocol's ten minutes, and its thirty
MAX_SECONDS: Final = 1800


class FileSets:
    """Makes, keeps and uses file sets. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage, files: Files, writes: Writes, new_id: NewId) -> None:
        self._db = db
        self._storage = storage
        self._files = files
        self._writes = writes
        self._new_id = new_id

    def create(self, operations: Iterable[Operation], seconds: int = 0) -> str:
        """The id of a new file set that operations make, in their order; durable when this returns.

        It lives for `seconds`, 0 for the default. When this raises there is none.

        Raises:
            NotFound: what is to be copied.
            BadRequest: BAD_PATH, or BAD_ARGUMENT: the seconds.
        """
        lifetime = _checked(seconds)
        with self._writes.collected(operations) as (change, lease):
            return self._keep(change, lifetime, lease)

    def of_commit(self, ref: Commitish, *, difference: bool = False) -> str:
        """The id of a new file set with the files of a commit; with `difference`, only what it changed.

        The difference holds the files that the commit added or changed, whole, and takes away those that it removed:
        added to the parent it makes the commit's files.

        Raises:
            NotFound: there is no such commit.
            Unavailable: COMMIT_OPEN, as `Files.view`; BUSY: its base is still open.
        """
        with self._writes.leased() as lease:
            return self._keep(self._change_of(ref, difference), DEFAULT_SECONDS, lease)

    def add(self, target: Commitish, file_set_id: str) -> Commit:
        """Do to a commit what the file set says: remove what it removes, add to files what it adds to them.

        The target is an open commit, or a branch, on whose head it becomes a commit of its own. Adding a file set again
        adds its files' bytes again.

        Raises:
            NotFound: the target, or FILESET_NOT_FOUND.
            Refused, BadRequest: as `Writes.modify`.
        """
        row = self._kept(file_set_id)
        return self._writes.add(target, changes.decode(row.body))

    def renew(self, file_set_id: str, seconds: int) -> None:
        """Let a file set live for `seconds` from now, 0 for the default.

        Raises:
            NotFound: FILESET_NOT_FOUND: it has expired already.
            BadRequest: BAD_ARGUMENT: the seconds.
        """
        lifetime = _checked(seconds)
        with self._db.write() as tx:
            file_set_rows.renew(tx, file_set_id, lifetime)

    def compose(self, file_set_ids: Sequence[str], seconds: int = 0) -> str:
        """The id of a new file set that does what the others do, one after the other.

        Raises:
            NotFound: FILESET_NOT_FOUND.
            BadRequest: BAD_ARGUMENT: the seconds.
        """
        lifetime = _checked(seconds)
        layers = [layer for each in file_set_ids for layer in changes.decode(self._kept(each).body)]
        with self._writes.leased() as lease:
            fewer = folded(self._storage.filesets, layers, self._storage.append, "a file set")
            return self._keep(fewer, lifetime, lease)

    def shard(self, file_set_id: str, files: int = 0, size: int = 0) -> list[tuple[str, str]]:
        """Intervals of paths (lower bound included, upper not) that cut a file set into parts of about that many
        files or bytes, whichever comes first; 0 stands for a size that suits a worker.

        The first begins and the last ends with an empty bound, so together they are everything.

        Raises:
            NotFound: FILESET_NOT_FOUND.
            BadRequest: BAD_ARGUMENT: a negative number.
        """
        if files < 0 or size < 0:
            text = f"shards of {files} files or {size} bytes cannot be made; give a number above 0, or 0 for the usual"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        with self._db.read() as tx:
            row = file_set_rows.get(tx, file_set_id)
        return sharding.shards(self._storage.fileset(row.root, f"file set {file_set_id}"), files, size)

    def expire(self) -> int:
        """Forget the file sets that ran out; how many."""
        with self._db.write() as tx:
            return file_set_rows.expire(tx)

    def _change_of(self, ref: Commitish, difference: bool) -> Sequence[Layer]:
        view = self._files.view(ref)
        root = view.fileset.root
        with self._db.read() as tx:
            if is_file_set(ref):
                return changes.decode(file_set_rows.row_of(tx, ref).body)
            base = good_base(tx, resolve(tx, ref)) if difference else EMPTY_ROOT
        if difference:
            return self._difference(base, root, f"commit {view.commit}")
        return (Layer(appends=root),) if root != EMPTY_ROOT else ()

    def _keep(self, change: Sequence[Layer], seconds: int, lease: Held) -> str:
        """Store what the change makes of nothing and keep both; the lease protects its objects until there is a row."""
        file_set_id = self._new_id()
        referrer = f"file set {file_set_id}"
        root = self._storage.apply(None, change, referrer).root
        total = self._storage.fileset(root, referrer).total
        body = changes.encode(tuple(change))
        lease.keep()
        with self._db.write() as tx:
            file_set_rows.add(tx, file_set_id, root, body, total.files, total.size, seconds)
        return file_set_id

    def _kept(self, file_set_id: str) -> FileSetRow:
        """A file set that will not expire while it is worked with."""
        with self._db.write() as tx:
            return file_set_rows.keep(tx, file_set_id, LEASE_SECONDS)

    def _difference(self, base: bytes, root: bytes, referrer: str) -> list[Layer]:
        puts = Builder(self._storage.filesets, referrer)
        gone: list[tuple[str, str | None]] = []
        for old, new in unequal(self._storage.fileset(base, referrer), self._storage.fileset(root, referrer)):
            added = fresh(new, old)
            if added.num_rows:
                puts.add_rows(added)
            gone += [(path, None) for path in _only_in(old, new)]
        put_root = puts.finish()
        if put_root == EMPTY_ROOT and not gone:
            return []
        return [Layer(deletes=tuple(gone), puts=put_root if put_root != EMPTY_ROOT else None)]


def _only_in(old: pa.RecordBatch, new: pa.RecordBatch) -> list[str]:
    missing = pc.invert(pc.is_in(old.column(0), value_set=new.column(0)))
    paths: list[str] = pc.unique(pc.array_filter(old.column(0), missing)).to_pylist()
    return paths


def _checked(seconds: int) -> int:
    if not 0 <= seconds <= MAX_SECONDS:
        text = f"a file set cannot live for {seconds} seconds; use 1 to {MAX_SECONDS}, or 0 for {DEFAULT_SECONDS}"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
    return seconds or DEFAULT_SECONDS

# SPDX-License-Identifier: Apache-2.0
"""Writing files: into an open commit, or as a commit of its own.

A stream of operations is one change: all of it is seen, or nothing. The server runs the storage's writer
for callers that send bytes (`modify`); those that reach the object store run it themselves and hand in the
change (`start`, `hand_in`). Either way objects are stored and durable before a row refers to them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, Conflict, ErrorKind, Refused
from howdah.kit import fail
from howdah.model import paths
from howdah.model.names import branch_name
from howdah.model.refs import HEAD, Branch, Commit, Commitish, CommitRef, File
from howdah.pfs import commit_changes, commit_rows, provenance, repo_rows, starting, touched
from howdah.pfs.branch_rows import find as find_branch
from howdah.pfs.closing import good_base, good_root
from howdah.pfs.files import Files
from howdah.pfs.handing_in import checked
from howdah.pfs.held_leases import Held, HeldLeases
from howdah.pfs.leases import Leases
from howdah.pfs.open_commits import MERGE_EVERY, OpenCommits
from howdah.pfs.resolve import head_of, resolve
from howdah.pfs.work import Works
from howdah.storage import changes
from howdah.storage.changes import Change, Layer
from howdah.storage.filesets import EMPTY_ROOT
from howdah.storage.objects import Buffer
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter

__all__ = ["LEASE_SECONDS", "Copy", "Delete", "Operation", "Put", "Started", "Writes"]

LEASE_SECONDS = 600  # a writer renews each third of it: it may lose its network for minutes and go on

# Times that a write is made again because its branch moved meanwhile; each time somebody else went ahead.
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Put:
    """Write a file; `append` adds to what the path has. `pieces` are read once, before the next operation is."""

    path: str
    pieces: Iterable[Buffer]
    datum: str = ""
    append: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a file or, if the path ends in a slash, everything below a directory. What is not there is no error."""

    path: str
    datum: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Give `path` the file or directory `source`, of any readable commit; no bytes move."""

    source: File
    path: str
    datum: str = ""
    append: bool = False


Operation = Put | Delete | Copy


@dataclass(frozen=True, slots=True)
class Started:
    """A writer's lease, and a fileset that its target has or recently had: for what need not be stored again."""

    lease_id: str
    lease_seconds: int
    base_root: bytes


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a write goes: into an open commit, or on top of the head (None: there is none) of a branch.

    `base` is what is merged there by now, None for nothing.
    """

    commit_id: int | None
    commit: Commit | None
    branch: Branch | None
    head_id: int | None
    base: bytes | None


class Writes:
    """Changes files. Safe for many threads: changes of one commit apply in the order in which they end."""

    def __init__(
        self,
        db: Database,
        storage: Storage,
        works: Works,
        leases: Leases,
        held: HeldLeases,
        files: Files,
        open_commits: OpenCommits,
    ) -> None:
        self._db = db
        self._storage = storage
        self._works = works
        self._leases = leases
        self._held = held
        self._files = files
        self._open = open_commits
        self._lock = Lock()
        # One write at a time works on the head of a branch; the others would only have to begin anew.
        self._branches: defaultdict[Branch, Lock] = defaultdict(Lock)

    def modify(self, target: Commitish, operations: Iterable[Operation], description: str = "") -> Commit:
        """Apply operations, in their order, to an open commit, or to the head of a branch as a commit of its own.

        A branch that does not exist is made. When this returns, everything is durable and can be read; when it
        raises, nothing has changed.

        Raises:
            NotFound: the repo, the commit, or what is to be copied.
            Refused: COMMIT_FINISHED: the target is a closed commit; OUTPUT_BRANCH.
            BadRequest: BAD_PATH, or PATH_COLLISION: a path would be both a file and a directory.
        """
        with self._db.read() as tx:
            found = self._target(tx, target)
        with self.collected(operations, found.base, f"the target {target}") as (layers, lease):
            return self._apply(target, layers, lease.id, description)

    @contextmanager
    def collected(
        self, operations: Iterable[Operation], base: bytes | None = None, referrer: str = "a file set"
    ) -> Iterator[tuple[Change, Held]]:
        """What operations come to as a change, and the lease that protects its objects inside the block.

        `base` is the fileset that they will be applied to, None for nothing. Raises as `modify` about operations.
        """
        with self._held.hold() as lease:
            with ChangeWriter(self._storage, self._storage.fileset(base, referrer)) as writer:
                for operation in lease.during(operations):
                    self._do(writer, operation, lease)
                change = writer.finish()
            fail.here("pfs.modify.stored")
            lease.keep()
            yield change, lease

    @contextmanager
    def leased(self) -> Iterator[Held]:
        """A living lease for what is stored inside the block without operations; keep it alive."""
        with self._held.hold() as lease:
            yield lease

    def add(self, target: Commitish, layers: Sequence[Layer], description: str = "") -> Commit:
        """Apply a change whose objects are protected by others than the caller. Otherwise as `modify`."""
        with self._held.hold() as lease:
            return self._apply(target, layers, lease.id, description)

    def start(self, target: Commitish) -> Started:
        """Take a lease for what is about to be stored for `target`. Raises as `modify`, before any byte is sent."""
        with self._db.read() as tx:
            found = self._target(tx, target)
        lease_id = self._leases.create(f"writer of {target}", LEASE_SECONDS)
        return Started(lease_id, LEASE_SECONDS, found.base or EMPTY_ROOT)

    def renew(self, lease_id: str) -> None:
        """Keep a lease alive. Raises Conflict(LEASE_EXPIRED) if it is not."""
        self._leases.renew(lease_id, LEASE_SECONDS)

    def hand_in(self, target: Commitish, change: bytes, lease_id: str, description: str = "") -> Commit:
        """Apply a change whose objects the caller stored under its lease. Otherwise as `modify`.

        Raises:
            Conflict: LEASE_EXPIRED.
            BadRequest: the change is malformed, or names an object that is not in the store.
        """
        layers = changes.decode(change)
        with self._db.read() as tx:  # what a dead lease no longer protects may be gone: its end is what matters then
            self._leases.check(tx, lease_id)
        checked(self._storage, layers, f"the change for {target}")
        fail.here("pfs.hand_in.checked")
        commit = self._apply(target, layers, lease_id, description)
        self._leases.release(lease_id)
        return commit

    def _do(self, writer: ChangeWriter, operation: Operation, lease: Held) -> None:
        if isinstance(operation, Put):
            path = _file_path(operation.path)
            writer.put(path, lease.during(operation.pieces), datum=operation.datum, append=operation.append)
        elif isinstance(operation, Copy):
            writer.put_entries(self._copied(operation), append=operation.append)
        elif operation.path.endswith("/"):
            clean = paths.clean(operation.path)
            writer.delete_directory(clean if clean == "/" else clean + "/")
        else:
            writer.delete(_file_path(operation.path), operation.datum or None)

    def _copied(self, copy: Copy) -> Iterable[Entry]:
        view = self._files.view(copy.source.commit)
        source = view.inspect(copy.source.path)
        target = paths.clean(copy.path)
        base = source.path.rstrip("/")
        for entry in view.files(source.path):
            path = paths.clean(target + entry.path[len(base) :])
            yield Entry(path, copy.datum, entry.size, entry.hash, entry.peaks, entry.extents)

    def _apply(self, ref: Commitish, layers: Sequence[Layer], lease_id: str, description: str) -> Commit:
        for _ in range(_ATTEMPTS):
            with self._db.read() as tx:
                target = self._target(tx, ref)
            try:
                if target.commit_id is not None:
                    return self._into_open(target, layers, lease_id)
                return self._as_commit(target, layers, lease_id, description)
            except Conflict as error:
                if error.kind is not ErrorKind.WRITE_CONFLICT:
                    raise
        text = f"{ref} moved {_ATTEMPTS} times while it was written to; write into an open commit instead"
        raise Conflict(ErrorKind.WRITE_CONFLICT, text)

    def _into_open(self, target: _Target, layers: Sequence[Layer], lease_id: str) -> Commit:
        assert target.commit_id is not None
        assert target.commit is not None
        body = changes.encode(tuple(layers))
        with self._db.write() as tx:
            row = commit_rows.by_ids(tx, [target.commit_id]).get(target.commit_id)
            if row is None:
                raise Conflict(ErrorKind.DELETED_MEANWHILE, f"commit {target.commit} was deleted; start another one")
            seq = commit_changes.add(tx, row, body, lease_id)
        if seq - (row.partial_seq or 0) >= MERGE_EVERY:
            self._open.merge(row.id)
        return target.commit

    def _as_commit(self, target: _Target, layers: Sequence[Layer], lease_id: str, description: str) -> Commit:
        assert target.branch is not None
        with self._lock:
            lock = self._branches[target.branch]
        with lock:
            with self._db.read() as tx:
                head = head_of(tx, target.branch)
                base = None if head is None else good_root(tx, head)
            referrer = f"branch {target.branch}"
            root = self._storage.apply(base, layers, referrer).root
            if (fault := self._storage.fault(base, root, referrer)) is not None:
                text = f"{fault}; nothing was written to {target.branch}: delete or rename one of the two"
                raise BadRequest(ErrorKind.PATH_COLLISION, text)
            total = self._storage.fileset(root, referrer).total
            hashes = touched.between(self._storage, base, root, referrer)
            fail.here("pfs.one_off.stored")
            with self._works.open() as work:
                self._leases.check(work.tx, lease_id)
                expected = None if head is None else head.id
                files, size = total.files, total.size
                return starting.make_finished(
                    work, target.branch, root, files, size, description, expected_head=expected, hashes=hashes
                )

    def _target(self, tx: Transaction, ref: Commitish) -> _Target:
        if not isinstance(ref, CommitRef) or ref.id or ref.ancestry != HEAD:
            row = resolve(tx, ref)
            if row.finishing_at is not None:
                raise commit_changes.already_finished(row.commit)
            return _Target(row.id, row.commit, None, None, row.partial_root or good_base(tx, row))
        branch = Branch(ref.repo, ref.branch)
        _refuse_output(tx, branch)
        head = head_of(tx, branch)
        if head is None:
            branch_name(ref.branch)
            return _Target(None, None, branch, None, None)
        if head.finishing_at is None:
            return _Target(head.id, head.commit, None, None, head.partial_root or good_base(tx, head))
        return _Target(None, None, branch, head.id, good_root(tx, head))


def _refuse_output(tx: Transaction, branch: Branch) -> None:
    row = find_branch(tx, repo_rows.get(tx, branch.repo).id, branch.name)
    if row is not None and provenance.edges_of_branches(tx, [row.id]):
        text = f"cannot start a commit on an output branch: {branch} follows other branches; write to those instead"
        raise Refused(ErrorKind.OUTPUT_BRANCH, text)


def _file_path(path: str) -> str:
    clean = paths.clean(path)
    if clean == "/":
        raise BadRequest(ErrorKind.BAD_PATH, "path / is the root directory, not a file; name a file below it")
    return clean

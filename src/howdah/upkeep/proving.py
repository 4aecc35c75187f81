# SPDX-License-Identifier: Apache-2.0
"""Prove every byte that can be reached: nodes, ranges and chunks by their names, files by their hashes.

Nodes are few and read first: they say which ranges there are, and what their parents claim of each. Then the ranges
come in the order of their names, each with the files in it and the chunks of those; so the work can be cut
into parts, broken off and gone on with. What is damaged is named with the paths in it, and with the commits
that hold it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from blake3 import blake3
from sqlalchemy import select

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, Damaged, ErrorKind
from howdah.model.upkeep import Fault, Proved
from howdah.pfs import commit_rows
from howdah.storage import nodes, rows
from howdah.storage.chunks import Chunks, chunk_key
from howdah.storage.filehash import BLOCK, FileHasher
from howdah.storage.filesets import EMPTY_ROOT, Filesets
from howdah.storage.nodes import Child
from howdah.storage.objects import ObjectStore
from howdah.storage.rows import Entry
from howdah.upkeep.roots import Holder, Root, find_roots

__all__ = ["Part", "Proof"]

_CACHE_BYTES: Final = 64 << 20
_SHOWN_MAX: Final = 3  # commits and paths that a fault names
_EVERY: Final = 64  # ranges between two messages of progress
_PLACES: Final = 1 << 16
RESTORE: Final = (
    "restore the object from a copy of the store, or write these files again and squash or drop the commits"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of several parts of a proof, counted from 1."""

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            text = f"part {self.number}/{self.count} does not exist; give one from 1/{self.count} on"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)

    def has(self, name: bytes) -> bool:
        """Whether an object belongs to it: each to exactly one."""
        return int.from_bytes(name[:2]) * self.count // _PLACES == self.number - 1


@dataclass(slots=True)
class _Tree:
    """What the nodes said: which ranges there are, what is claimed of them, which nodes and roots hold each."""

    # Nodes that share a range should say the same of it; here stands all that any of them says.
    ranges: dict[bytes, list[Child]] = field(default_factory=dict)
    parents: defaultdict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    roots: defaultdict[bytes, list[Root]] = field(default_factory=lambda: defaultdict(list))
    nodes: dict[bytes, str] = field(default_factory=dict)

    def holders(self, name: bytes) -> list[Root]:
        """The roots from which an object can be reached."""
        seen, waiting, found = {name}, [name], []
        while waiting:
            each = waiting.pop()
            found += self.roots.get(each, [])
            fresh = self.parents.get(each, set()) - seen
            seen |= fresh
            waiting += fresh
        return found


class Proof:
    """One proof of a lake's bytes. For one thread."""

    def __init__(self, db: Database, store: ObjectStore, part: Part | None = None, after: str = "") -> None:
        """`after` is where another proof of the same part was broken off: the name of a range, in hex.

        Raises:
            BadRequest: `after` is no name.
        """
        self._db = db
        self._part = part or Part()
        self._after = _name_of(after)
        self._store = store
        self._filesets = Filesets(store, cache_bytes=_CACHE_BYTES // 4)
        self._chunks = Chunks(store, cache_bytes=_CACHE_BYTES)
        self._tree = _Tree()
        # Big files that were proved: they stand in every version of their range.
        self._proved: set[bytes] = set()
        self._bad: dict[bytes, str] = {}
        self._read_bytes = 0

    def run(self) -> Iterator[Fault | Proved]:
        """The faults as they are found, and in between and at the end how far it has come."""
        with self._db.read() as tx:
            found = list(find_roots(tx))
        yield from self._walk(found)
        wanted = sorted(name for name in self._tree.ranges if name > self._after and self._part.has(name))
        for number, name in enumerate(wanted):
            yield from self._prove_range(self._tree.ranges[name])
            if number % _EVERY == _EVERY - 1:
                yield Proved(number + 1, len(wanted), self._read_bytes, name.hex())
        yield from self._prove_loose(found)
        yield Proved(len(wanted), len(wanted), self._read_bytes, "")

    def _walk(self, roots: Sequence[Root]) -> Iterator[Fault]:
        """Read all nodes; the faults are told by the first part alone."""
        waiting: list[bytes] = []
        for root in roots:
            if root.name is not None and root.name != EMPTY_ROOT:
                self._tree.roots[root.name].append(root)
                waiting.append(root.name)
        while waiting:
            name = waiting.pop()
            if name in self._tree.nodes:
                continue
            self._tree.nodes[name] = ""
            try:
                children = self._filesets.node(name, "the proof").children
            except Damaged as error:
                self._tree.nodes[name] = error.message
                continue
            for child in children:
                self._tree.parents[child.name].add(name)
                if child.level:
                    waiting.append(child.name)
                else:
                    claims = self._tree.ranges.setdefault(child.name, [])
                    if child not in claims:
                        claims.append(child)
            if wrong := _wrong_below(self._filesets, children):
                self._tree.nodes[name] = wrong
        if self._part.number == 1 and not self._after:
            yield from self._totals()
            for name, text in self._tree.nodes.items():
                if text:
                    yield self._fault(text, name, "all files below it")

    def _totals(self) -> Iterator[Fault]:
        """Each finished commit says of itself how many files and bytes it has; so do the nodes."""
        commit = tables.commit.c
        wanted = select(commit.id, commit.root, commit.files, commit.size_bytes).where(commit.root.is_not(None))
        with self._db.read() as tx:
            rows_ = tx.execute(wanted.order_by(commit.id)).all()
        for row in rows_:
            if self._tree.nodes.get(row.root):
                continue  # damaged itself
            children = self._filesets.node(row.root, "the proof").children
            total = sum(child.files for child in children), sum(child.size for child in children)
            if total != (row.files, row.size_bytes):
                text = f"{row.files} files of {row.size_bytes} bytes are said to be where {total[0]} of {total[1]} are"
                yield self._fault(text, row.root, "what is shown of the size")

    def _prove_range(self, claims: Sequence[Child]) -> Iterator[Fault]:
        child = claims[0]
        try:
            batch = self._filesets.rows(child.name, "the proof")
        except Damaged as error:
            yield self._fault(error.message, child.name, f"files from {child.first} to {child.last}")
            return
        sums = rows.digests(batch)
        count = batch.num_rows
        truth = count, sums.size(0, count), sums.of(0, count)
        if any(truth != (each.files, each.size, each.digest) for each in claims):
            text = f"range {child.name.hex()} holds other files than the node above it says"
            yield self._fault(text, child.name, f"files from {child.first} to {child.last}")
        broken: defaultdict[str, list[str]] = defaultdict(list)
        for entry in rows.entries(batch):
            if (reason := self._prove_file(entry)) is not None:
                broken[reason].append(entry.path)
        for reason, paths in broken.items():
            yield self._fault(reason, child.name, _some("file", paths))

    def _prove_file(self, entry: Entry) -> str | None:
        """What is wrong with a file; None if all its bytes are those of its hash."""
        extents = entry.extents
        identity = b""
        if entry.size > BLOCK:
            identity = blake3(entry.hash + extents.names + extents.lengths + extents.offsets).digest()
            if identity in self._proved:
                return None
        if bad := next((self._bad[name] for name, _, _ in extents if name in self._bad), None):
            return bad
        hasher = FileHasher()
        try:
            for name, offset, length in extents:
                plain = self._chunk(name)
                if offset + length > len(plain):
                    return f"object {chunk_key(name)} ends before a file that lies in it"
                self._read_bytes += length
                hasher.update(plain[offset : offset + length])
        except Damaged as error:
            return error.message
        if (hasher.digest(), hasher.size) != (entry.hash, entry.size):
            return f"a file has other bytes than its hash {entry.hash.hex()} says"
        if identity:
            self._proved.add(identity)
        return None

    def _chunk(self, name: bytes) -> memoryview:
        """The proved bytes of a chunk; remembers what is wrong with it, so that it is not read for each file."""
        try:
            return self._chunks.read_cached(name, "the proof")
        except Damaged as error:
            self._bad[name] = error.message.removeprefix("the proof: ")
            raise Damaged(error.kind, self._bad[name]) from error

    def _prove_loose(self, roots: Sequence[Root]) -> Iterator[Fault]:
        """The chunks that changes name without a fileset."""
        for root in roots:
            for name in {bytes(each).ljust(32, b"\0") for each in root.chunks}:
                if not self._part.has(name):
                    continue
                try:
                    self._read_bytes += len(self._chunk(name))
                except Damaged as error:
                    with self._db.read() as tx:
                        hurt = _some("", _names(tx, [root]))
                    yield Fault(error.message, f"what was written into {hurt}", RESTORE)

    def _fault(self, what: str, name: bytes, paths: str) -> Fault:
        with self._db.read() as tx:
            held = _names(tx, self._tree.holders(name))
        return Fault(what.replace("; the proof refers to it", ""), f"{paths} in {_some('', held)}", RESTORE)


def _wrong_below(filesets: Filesets, children: Sequence[Child]) -> str:
    """What a node says of its own children that cannot be."""
    for left, right in pairwise(children):
        if left.last >= right.first:
            return f"{filesets.key(right)} does not come after {filesets.key(left)} in the node that holds both"
    for child in children:
        if child.first > child.last:
            return f"{filesets.key(child)} ends before it begins, says the node that holds it"
        if child.level:
            try:
                below = filesets.node(child.name, "the proof").children
            except Damaged:
                continue  # told where it is read itself
            if nodes.digest([each.digest for each in below]) != child.digest:
                return f"{filesets.key(child)} has another digest than the node above it says"
    return ""


def _names(tx: Transaction, roots: Sequence[Root]) -> list[str]:
    """What people call the rows that hold an object."""
    keys = {root.key for root in roots if root.holder is Holder.COMMIT}
    found = [f"commit {row.commit}" for _, row in sorted(commit_rows.by_ids(tx, keys).items())]
    return found + sorted({root.text for root in roots if root.holder not in (Holder.COMMIT, Holder.JOB_INPUT)})


def _some(what: str, names: Sequence[str]) -> str:
    """A few of the names, and how many more there are."""
    more = len(names) - _SHOWN_MAX
    shown = ", ".join(f"{what} {name}".strip() for name in names[:_SHOWN_MAX])
    return f"{shown} and {more} more" if more > 0 else shown


def _name_of(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT, f"{text!r} is not where a check was broken off; leave it out"
        ) from None

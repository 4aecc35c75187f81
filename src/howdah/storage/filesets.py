# SPDX-License-Identifier: Apache-2.0
"""Filesets as objects: storing and fetching ranges and nodes, and building a tree from rows in order.

A fileset is named by its root, the stored name of its top node. Objects never change, so what was
decoded once is kept in a bounded cache. `merge` makes one fileset out of others, `reader` answers
questions about one.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final, Generic, TypeVar

import pyarrow as pa
import zstandard
from blake3 import blake3

from howdah.errors import Damaged, ErrorKind
from howdah.storage import nodes, rows
from howdah.storage.nodes import Child, Node
from howdah.storage.objects import ObjectStore

__all__ = ["EMPTY_ROOT", "Builder", "Filesets", "Later", "top"]

_HEADER: Final = 16
_ZSTD: Final = 1
# Under this many bytes zstd saves less than its header costs.
_ZSTD_MIN: Final = 256
# Objects of a builder that may be on their way: some 10 MB.
_LATER_MAX: Final = 64
V = TypeVar("V")


def _name(magic: bytes, level: int, plain: bytes) -> bytes:
    return blake3(magic + bytes([level])).update(plain).digest()


_EMPTY_NODE: Final = Node(1, ())
EMPTY_ROOT: Final = _name(b"HWN1", 1, nodes.encode(_EMPTY_NODE))
"""The root of the fileset without files. It is known without being stored."""


class _Cache(Generic[V]):
    """The most recently used values, by weight in bytes."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = Lock()
        self._values: OrderedDict[bytes, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def get(self, name: bytes) -> V | None:
        with self._lock:
            if (found := self._values.get(name)) is None:
                return None
            self._values.move_to_end(name)
            return found[0]

    def add(self, name: bytes, value: V, weight: int) -> None:
        with self._lock:
            if name in self._values:
                return
            self._values[name] = (value, weight)
            self._bytes += weight
            while self._bytes > self._bytes_max:
                self._bytes -= self._values.popitem(last=False)[1][1]


class Later:
    """The objects of one builder that are still on their way to a store far away."""

    def __init__(self) -> None:
        self._pending: deque[Future[bool]] = deque()

    def add(self, stored: "Future[bool]") -> None:
        """Take one more; waits for the oldest when there are many. Raises what the store raised for that one."""
        self._pending.append(stored)
        if len(self._pending) > _LATER_MAX:
            self._pending.popleft().result()

    def wait(self) -> None:
        """Return when all have come. Raises what the store raised."""
        while self._pending:
            self._pending.popleft().result()


class Filesets:
    """The ranges and nodes of one object store. Safe for many threads."""

    def __init__(self, store: ObjectStore, *, cache_bytes: int) -> None:
        self.store = store
        # For a store far away; one on this machine answers sooner than a thread comes to its turn.
        self._threads = ThreadPoolExecutor(store.overlap, thread_name_prefix="store-range") if store.overlap else None
        self._ranges: _Cache[pa.RecordBatch] = _Cache(cache_bytes * 3 // 4)
        self._nodes: _Cache[Node] = _Cache(cache_bytes // 4)

    def close(self) -> None:
        """End the threads; closing again does nothing."""
        if self._threads is not None:
            self._threads.shutdown()

    def node(self, name: bytes, referrer: str) -> Node:
        """The node of that name.

        Raises:
            Damaged: it is missing or its bytes are not what its name says; the text names it and `referrer`.
        """
        if name == EMPTY_ROOT:
            return _EMPTY_NODE
        if (found := self._nodes.get(name)) is None:
            found = self._fetch("node", b"HWN1", name, referrer, nodes.decode)
            self._nodes.add(name, found, 400 * len(found.children) + 400)
        return found

    def rows(self, name: bytes, referrer: str) -> pa.RecordBatch:
        """The rows of the range of that name. Raises as `node`."""
        if (found := self._ranges.get(name)) is None:
            found = self._fetch("range", b"HWR1", name, referrer, lambda _, plain: rows.decode(plain))
            self._ranges.add(name, found, found.nbytes + 1000)
        return found

    def put_rows(self, batch: pa.RecordBatch, later: "Later") -> Child:
        """Store sorted rows as one range and describe it. Durable when `later` and the store's `sync` are done."""
        plain = rows.encode(batch)
        name, stored = self._put("range", b"HWR1", 0, plain, later)
        count = batch.num_rows
        sums = rows.digests(batch)
        first, last = rows.path_at(batch, 0), rows.path_at(batch, -1)
        return Child(0, first, last, count, sums.size(0, count), sums.of(0, count), name, stored)

    def put_node(self, level: int, children: tuple[Child, ...], later: "Later") -> Child:
        """Store a node and describe it. Durable as `put_rows`."""
        name, stored = self._put("node", b"HWN1", level, nodes.encode(Node(level, children)), later)
        return _described(level, children, name, stored)

    def key(self, child: Child) -> str:
        """The object key of a range or node."""
        return _key("node" if child.level else "range", child.name)

    def _put(self, kind: str, magic: bytes, level: int, plain: bytes, later: "Later") -> tuple[bytes, int]:
        name = _name(magic, level, plain)
        flags, payload = 0, plain
        if len(plain) >= _ZSTD_MIN:
            packed = zstandard.ZstdCompressor(level=1).compress(plain)
            if len(packed) * 20 < len(plain) * 19:
                flags, payload = _ZSTD, packed
        header = magic + bytes([flags, level, 0, 0]) + len(plain).to_bytes(8, "little")
        key = _key(kind, name)
        if self._threads is None:
            self.store.put(key, header, payload)
        else:
            later.add(self._threads.submit(self.store.put, key, header, payload))
        return name, _HEADER + len(payload)

    def _fetch(
        self, kind: str, magic: bytes, name: bytes, referrer: str, decode: Callable[[int, bytes | memoryview], V]
    ) -> V:
        try:
            return self._proved(kind, magic, name, referrer, decode)
        except Damaged:
            if not self.store.forget(_key(kind, name)):
                raise
            return self._proved(kind, magic, name, referrer, decode)

    def _proved(
        self, kind: str, magic: bytes, name: bytes, referrer: str, decode: Callable[[int, bytes | memoryview], V]
    ) -> V:
        key = _key(kind, name)
        try:
            data = self.store.get(key)
        except Damaged as error:
            raise Damaged(error.kind, f"{error.message}; {referrer} refers to it") from error
        try:
            level, plain = _unwrapped(magic, data)
            if _name(magic, level, bytes(plain)) != name:
                raise ValueError("its bytes are not those that it was named after")
            return decode(level, plain)
        except (ValueError, IndexError, zstandard.ZstdError) as error:
            text = f"object {key} is damaged ({error}); {referrer} refers to it; restore it from a copy of the store"
            raise Damaged(ErrorKind.OBJECT_CORRUPT, " ".join(text.split())) from error


def _key(kind: str, name: bytes) -> str:
    text = name.hex()
    return f"{kind}/{text[:2]}/{text}"


def _unwrapped(magic: bytes, data: bytes) -> tuple[int, bytes | memoryview]:
    if len(data) < _HEADER or data[:4] != magic:
        raise ValueError(f"it does not begin with {magic.decode()}")
    length = int.from_bytes(data[8:16], "little")
    plain: bytes | memoryview = memoryview(data)[_HEADER:]
    if data[4] & _ZSTD:
        plain = zstandard.ZstdDecompressor().decompress(plain, max_output_size=length)
    if len(plain) != length:
        raise ValueError(f"it holds {len(plain)} bytes of {length}")
    return data[5], plain


def _described(level: int, children: tuple[Child, ...], name: bytes, stored: int) -> Child:
    first, last = (children[0].first, children[-1].last) if children else ("", "")
    files, size = sum(c.files for c in children), sum(c.size for c in children)
    return Child(level, first, last, files, size, nodes.digest([c.digest for c in children]), name, stored)


def top(node: Node, root: bytes) -> Child:
    """The description of a fileset's root node, as a parent would have it."""
    return _described(node.level, node.children, root, 0)


class Builder:
    """Makes a fileset of rows, ranges and nodes that are added in order of path. For one thread.

    What fits is taken as it is: a range or node that begins where another ended is only referred to, never read.
    """

    def __init__(self, filesets: Filesets, referrer: str) -> None:
        self._filesets = filesets
        self._referrer = referrer
        self._rows: list[pa.RecordBatch] = []
        # Children of the node that is being filled, by level - 1.
        self._open: list[list[Child]] = []
        # A child that does not end at a cut: it stands only if nothing follows.
        self._tail: Child | None = None
        self._later = Later()
        self.duplicate: tuple[str, str, str] | None = None
        """The first path that two datums have among the rows that were added, with both datums."""

    def add_rows(self, batch: pa.RecordBatch) -> None:
        """Add sorted rows, all after what was added before."""
        self._expand_tail()
        begin = 0
        count = batch.num_rows
        for index, level in enumerate(map(rows.cut_level, batch.column(0).to_pylist())):
            if level and not (index + 1 < count and _same_path(batch, index)):
                self._rows.append(batch.slice(begin, index + 1 - begin))
                self._close_range(level)
                begin = index + 1
        if begin < count:
            self._rows.append(batch.slice(begin))

    def add(self, child: Child) -> None:
        """Add a whole range or node, after what was added before."""
        self._expand_tail()
        if not self._aligned(child.level):
            self._expand(child)
        elif child.closed:
            self._push(child, child.cut)
        else:
            self._tail = child

    def finish(self) -> bytes:
        """Store what is left and answer the root. All of it is durable when this returns."""
        tail, self._tail = self._tail, None
        if tail is not None:
            self._push(tail, 0)
        if self._rows:
            self._close_range(0)
        root = self._close_nodes()
        self._later.wait()
        self._filesets.store.sync()
        return root

    def _aligned(self, level: int) -> bool:
        return not self._rows and not any(self._open[:level])

    def _expand_tail(self) -> None:
        tail, self._tail = self._tail, None
        if tail is not None:
            self._expand(tail)

    def _expand(self, child: Child) -> None:
        if child.level == 0:
            self.add_rows(self._filesets.rows(child.name, self._referrer))
        else:
            for below in self._filesets.node(child.name, self._referrer).children:
                self.add(below)

    def _close_range(self, level: int) -> None:
        batch = rows.join(self._rows)
        self._rows = []
        if self.duplicate is None:
            self.duplicate = rows.duplicate(batch)
        self._push(self._filesets.put_rows(batch, self._later), level)

    def _push(self, child: Child, cut: int) -> None:
        """Put a finished child into its node; `cut` says how many levels end with it."""
        while len(self._open) <= child.level:
            self._open.append([])
        self._open[child.level].append(child)
        if cut > child.level + 1:
            self._push(self._close_node(child.level), cut)

    def _close_node(self, index: int) -> Child:
        children, self._open[index] = tuple(self._open[index]), []
        return self._filesets.put_node(index + 1, children, self._later)

    def _close_nodes(self) -> bytes:
        for index in range(len(self._open)):
            if any(self._open[index + 1 :]):
                if self._open[index]:
                    self._push(self._close_node(index), 0)
                continue
            if index and len(self._open[index]) == 1:
                return self._open[index][0].name
            if self._open[index]:
                return self._close_node(index).name
        return EMPTY_ROOT


def _same_path(batch: pa.RecordBatch, index: int) -> bool:
    return rows.path_at(batch, index) == rows.path_at(batch, index + 1)

# SPDX-License-Identifier: Apache-2.0
"""Nodes: the tree above the ranges of a fileset.

A `Child` says what lies below it (first and last path, count, size, digest) and under which name it is
stored. The children of a node of level 1 are ranges, those of level 2 nodes of level 1, and so on. The
root is the lowest node that holds everything, so one set of files has one root.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import pyarrow as pa
from blake3 import blake3

from howdah.storage import columnar
from howdah.storage.rows import cut_level

__all__ = ["Child", "Node", "decode", "digest", "encode"]

_SCHEMA: Final = pa.schema(
    [
        pa.field("first", pa.string(), nullable=False),
        pa.field("last", pa.string(), nullable=False),
        pa.field("files", pa.uint64(), nullable=False),
        pa.field("size", pa.uint64(), nullable=False),
        pa.field("digest", pa.binary(32), nullable=False),
        pa.field("name", pa.binary(32), nullable=False),
        pa.field("stored", pa.uint64(), nullable=False),
    ]
)

# Some 16 MB at most; the children of the nodes on the way to a few files of a repo of millions.
_cut_level = lru_cache(maxsize=1 << 16)(cut_level)


@dataclass(frozen=True, slots=True)
class Child:
    """One range (level 0) or node (level 1 and up), as its parent knows it.

    `digest` covers paths, sizes and hashes below; `name` is that of the stored object, `stored` its size.
    """

    level: int
    first: str
    last: str
    files: int
    size: int
    digest: bytes
    name: bytes
    stored: int

    @property
    def cut(self) -> int:
        """How many levels end with it; remembered, since a node's children are asked again in every commit."""
        return _cut_level(self.last)

    @property
    def closed(self) -> bool:
        """Whether it ends at a cut of its own level; only the very last child of a fileset may be open."""
        return self.cut > self.level


@dataclass(frozen=True, slots=True)
class Node:
    """The children of one node, in order. `level` is at least 1."""

    level: int
    children: tuple[Child, ...]


def digest(parts: list[bytes]) -> bytes:
    """The digest of a node: that of the digests below it, in order."""
    hasher = blake3(b"node")
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def encode(node: Node) -> bytes:
    """The children as bytes, see `columnar`; the level stands in the object's header."""
    names = _SCHEMA.names
    arrays = [
        pa.array([getattr(c, n) for c in node.children], type=f.type) for n, f in zip(names, _SCHEMA, strict=True)
    ]
    return columnar.encode(pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))


def decode(level: int, data: bytes | memoryview) -> Node:
    """What `encode` was given. Raises ValueError for anything else."""
    columns = [column.to_pylist() for column in columnar.decode(data, _SCHEMA).columns]
    return Node(level, tuple(Child(level - 1, *values) for values in zip(*columns, strict=True)))

# SPDX-License-Identifier: Apache-2.0
"""A reader of lakes, written from `docs/format.md` alone: nothing of howdah is imported here, and no database read.

It is what the document promises to whoever has a lake and no howdah. It believes nothing: each object is checked
against its name, each file against its hash, each tree against the rule that cuts it.
"""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import zstandard
from blake3 import blake3

MIB = 1 << 20
FRAME = 262_144
NODE_KEY = b"howdah file hash: inner node".ljust(32, b"\0")
ROOT_KEY = b"howdah file hash: root".ljust(32, b"\0")


@dataclass(frozen=True)
class Row:
    """A file of a fileset."""

    path: bytes
    datum: bytes
    size: int
    hash: bytes
    peaks: bytes
    names: bytes
    lengths: bytes
    offsets: bytes


@dataclass(frozen=True)
class Below:
    """What a node says of one range or node below it."""

    first: bytes
    last: bytes
    files: int
    size: int
    digest: bytes
    name: bytes
    stored: int


class Lake:
    """The objects of a lake in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        about = json.loads(self.get("lake.json"))
        self.id, self.format = about["lake"], about["format"]

    def get(self, key: str) -> bytes:
        """An object, from the trash if it is there."""
        place = self.folder / key
        return (place if place.exists() else self.folder / "trash" / key).read_bytes()

    def names(self, kind: str) -> set[bytes]:
        """The names of all objects of a kind."""
        return {
            bytes.fromhex(path.name) for path in self.folder.glob(f"{kind}/??/*") if path.parent.name == path.name[:2]
        }

    def chunk(self, name: bytes) -> bytes:
        """Section 2."""
        data = self.get(key("chunk", name))
        magic, flags, zeros, length = struct.unpack_from("<4sB3sQ", data)
        assert (b"HWC1", bytes(3)) == (magic, zeros)
        plain = data[16:] if flags == 0 else framed(data, length)
        assert (len(plain), name) == (length, blake3(plain).digest())
        return plain

    def table(self, kind: str, name: bytes) -> tuple[int, bytes]:
        """Section 5: the level and the bytes of a table."""
        data = self.get(key(kind, name))
        magic, flags, level, zeros, length = struct.unpack_from("<4sBB2sQ", data)
        plain = zstandard.ZstdDecompressor().decompress(data[16:]) if flags else data[16:]
        assert ({"range": b"HWR1", "node": b"HWN1"}[kind], bytes(2), length) == (magic, zeros, len(plain))
        assert name == blake3(magic + bytes([level]) + plain).digest()
        return level, plain

    def range(self, name: bytes) -> list[Row]:
        """Section 6: the rows of a range."""
        level, plain = self.table("range", name)
        assert level == 0
        return rows_of(plain)

    def node(self, name: bytes) -> tuple[int, list[Below]]:
        """Section 6: the level of a node, and what is below it."""
        level, plain = self.table("node", name)
        return level, [Below(*values) for values in columns(plain, "ttnnhhn")]

    def fileset(self, root: bytes) -> list[Row]:
        """All rows below a root; everything that its nodes say of them is checked."""
        found: list[Row] = []
        level, children = self.node(root)
        for child in children:
            below = self.range(child.name) if level == 1 else self.fileset(child.name)
            size_of_object = len(self.get(key("range" if level == 1 else "node", child.name)))
            assert child == Below(
                below[0].path,
                below[-1].path,
                len(below),
                sum(row.size for row in below),
                run_digest(below) if level == 1 else node_digest(each.digest for each in self.node(child.name)[1]),
                child.name,
                size_of_object,
            )
            found += below
        assert sorted(found, key=lambda row: (row.path, row.datum)) == found
        return found

    def content(self, row: Row) -> bytes:
        """Sections 3 and 4: the bytes of a file, checked against its hash."""
        count = len(row.names) // 32
        lengths = struct.unpack(f"<{count}I", row.lengths)
        offsets = struct.unpack(f"<{count}I", row.offsets) if row.offsets else (0,) * count
        chunks = [self.chunk(row.names[32 * n : 32 * n + 32]) for n in range(count)]
        data = b"".join(chunk[at : at + length] for chunk, at, length in zip(chunks, offsets, lengths, strict=True))
        assert (row.size, row.hash) == (len(data), file_hash(data))
        assert row.peaks == (b"".join(peaks_of(data)) if len(data) > MIB else row.peaks)
        return data


def key(kind: str, name: bytes) -> str:
    return f"{kind}/{name.hex()[:2]}/{name.hex()}"


def framed(data: bytes, length: int) -> bytes:
    """The plain bytes of a chunk in frames."""
    (count,) = struct.unpack_from("<I", data, 16)
    assert count == -(-length // FRAME)
    at, plain = 20 + 4 * count, b""
    for number, stored in enumerate(struct.unpack_from(f"<{count}I", data, 20)):
        size = min(FRAME, length - number * FRAME)
        frame = data[at : at + stored]
        plain += frame if stored == size else zstandard.ZstdDecompressor().decompress(frame)
        at += stored
    assert at == len(data)
    return plain


def columns(table: bytes, types: str) -> list[tuple]:
    """The rows of a table; `t` for text or bytes, `n` for a number, `h` for a hash."""
    (count,) = struct.unpack_from("<I", table)
    at, found = 4, []
    for kind in types:
        lengths: Sequence[int] = [{"n": 8, "h": 32}.get(kind, 0)] * count
        if kind == "t":
            lengths = struct.unpack_from(f"<{count}I", table, at)
            at += 4 * count
        values = []
        for length in lengths:
            values.append(table[at : at + length])
            at += length
        found.append([int.from_bytes(value, "little") for value in values] if kind == "n" else values)
    assert at == len(table)
    return list(zip(*found, strict=True))


def rows_of(table: bytes) -> list[Row]:
    return [Row(*values) for values in columns(table, "ttnhtttt")]


def peaks_of(data: bytes) -> list[bytes]:
    """Section 4: the peaks of the complete blocks."""
    leaves = [blake3(data[at : at + MIB]).digest() for at in range(0, len(data) // MIB * MIB, MIB)]
    peaks, count = [], len(leaves)
    for bit in reversed(range(count.bit_length())):
        if count & 1 << bit:
            tree, leaves = leaves[: 1 << bit], leaves[1 << bit :]
            while len(tree) > 1:
                tree = [blake3(tree[n] + tree[n + 1], key=NODE_KEY).digest() for n in range(0, len(tree), 2)]
            peaks += tree
    return peaks


def file_hash(data: bytes) -> bytes:
    """Section 4."""
    if len(data) <= MIB:
        return blake3(data).digest()
    rest = data[len(data) // MIB * MIB :]
    tail = blake3(rest).digest() if rest else b""
    return blake3(len(data).to_bytes(8, "little") + b"".join(peaks_of(data)) + tail, key=ROOT_KEY).digest()


def run_digest(rows: Sequence[Row]) -> bytes:
    """Section 6: the digest of a run of rows."""
    parts = [struct.pack("<Q", len(rows)), struct.pack(f"<{len(rows)}I", *(len(row.path) for row in rows))]
    parts += [row.path for row in rows]
    parts += [struct.pack(f"<{len(rows)}Q", *(row.size for row in rows)), *(row.hash for row in rows)]
    return blake3(b"".join(parts)).digest()


def node_digest(below: Iterator[bytes]) -> bytes:
    return blake3(b"node" + b"".join(below)).digest()


def zeros(path: bytes) -> int:
    """Section 6: what decides where ranges and nodes end."""
    value = int.from_bytes(blake3(path).digest()[:8], "little")
    return (value & -value).bit_length() - 1 if value else 64


def cut(items: Sequence, ends: Callable[[int], bool]) -> list[list]:
    """Items in groups, each of which ends where `ends` says of the item's index, the last one at the end."""
    groups: list[list] = [[]]
    for index, item in enumerate(items):
        groups[-1].append(item)
        if ends(index) and index + 1 < len(items):
            groups.append([])
    return groups


def tree_digest(rows: Sequence[Row]) -> tuple[bytes, list[int]]:
    """Section 6: the digest of the fileset of these rows, and how many of its rows each range has."""
    if not rows:
        return node_digest(iter(())), []
    paths = [row.path for row in rows]
    ranges = cut(rows, lambda n: zeros(paths[n]) >= 9 and paths[n : n + 2] != [paths[n]] * 2)
    level = [(group[-1].path, run_digest(group)) for group in ranges]
    least = 16
    while True:
        here, bound = level, least
        nodes = cut(here, lambda n: zeros(here[n][0]) >= bound)  # noqa: B023 - called at once
        level = [(group[-1][0], node_digest(digest for _, digest in group)) for group in nodes]
        least += 7
        if len(level) == 1:
            return level[0][1], [len(group) for group in ranges]


def change(data: bytes) -> list[dict]:
    """Section 7: the layers of a change, with rows in the place of tables."""
    assert data[:4] == b"HWX1"
    (length,) = struct.unpack_from("<I", data, 4)
    layers, at = json.loads(data[8 : 8 + length]), 8 + length
    for layer in layers:
        for kind in ("puts", "appends"):
            if layer[kind] and "rows" in layer[kind]:
                count = layer[kind]["rows"]
                layer[kind] = rows_of(data[at : at + count])
                at += count
    assert at == len(data)
    return layers

# SPDX-License-Identifier: Apache-2.0
"""Entries: single files of a fileset as values, and a few of them as the bytes of a change.

Millions of entries are columns (`storage.rows`), and changes of any size are made there (`storage.changes`). Who has
one file to hand in, or to read, needs neither: nothing here loads Arrow, which takes longer than a small file does.
"""

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from howdah.storage.extents import Extents

__all__ = ["CHANGE_MAGIC", "Entry", "encode_change", "encode_entries"]

CHANGE_MAGIC: Final = b"HWX1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a fileset: what it is (size, hash) and where its bytes lie (extents).

    `hash` and `peaks` are those of `filehash`; `datum` is the id of the datum that wrote it, "" for a user's file.
    """

    path: str
    datum: str
    size: int
    hash: bytes
    peaks: bytes
    extents: Extents


def encode_entries(entries: Sequence[Entry]) -> bytes:
    """The same bytes as `rows.encode(rows.from_entries(entries))`."""
    columns: list[list[bytes]] = [
        [e.path.encode() for e in entries],
        [e.datum.encode() for e in entries],
    ]
    more: list[list[bytes]] = [
        [e.peaks for e in entries],
        [e.extents.names for e in entries],
        [e.extents.lengths for e in entries],
        [e.extents.offsets for e in entries],
    ]
    count = len(entries)
    sizes = struct.pack(f"<{count}Q", *(e.size for e in entries))
    hashes = b"".join(e.hash for e in entries)
    return b"".join([count.to_bytes(4, "little"), *_texts(columns), sizes, hashes, *_texts(more)])


def encode_change(deletes: Iterable[str], puts: Iterable[Entry], appends: Iterable[Entry]) -> bytes:
    """The same bytes as `changes.encode` of one layer: the paths removed, the files put and appended to.

    No path may come twice; the order does not matter.
    """
    blobs: list[bytes] = []

    def source(entries: Iterable[Entry]) -> Any:
        some = sorted(entries, key=lambda e: e.path)
        if not some:
            return None
        blobs.append(encode_entries(some))
        return {"rows": len(blobs[-1])}

    layer = {
        "directories": [],
        "deletes": [[path, None] for path in sorted(deletes)],
        "puts": source(puts),
        "appends": source(appends),
    }
    layers = [layer] if blobs or layer["deletes"] else []
    header = json.dumps(layers, ensure_ascii=False, separators=(",", ":")).encode()
    return CHANGE_MAGIC + len(header).to_bytes(4, "little") + header + b"".join(blobs)


def _texts(columns: Iterable[list[bytes]]) -> Iterable[bytes]:
    for values in columns:
        yield struct.pack(f"<{len(values)}I", *map(len, values))
        yield from values

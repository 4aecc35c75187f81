# SPDX-License-Identifier: Apache-2.0
"""A lake: an object store with a `lake.json` that says which lake it is and in which format its bytes are.

Whoever goes to a store directly first finds the lake's id there (`open_lake`), so that no bytes go to a
place of the same address but another content. Who may serve a lake is the server's concern, not the store's.
"""

import json
import os
import re
import threading
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from howdah.errors import Damaged, ErrorKind, NotFound, Unsupported
from howdah.kit import fail
from howdah.kit.clock import Clock
from howdah.kit.ids import NewId
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.memory_store import MemoryStore
from howdah.storage.objects import ObjectStore
from howdah.storage.patience import PATIENT, Patience
from howdah.storage.remote_client import SCHEMES, Bucket
from howdah.storage.remote_store import RemoteStore

__all__ = ["FORMAT", "LAKE_KEY", "Lake", "create_lake", "open_lake", "open_store", "raise_format"]

LAKE_KEY: Final = "lake.json"
FORMAT: Final = 2
"""The newest format that this version reads, and the one it writes. docs/format.md is about this number."""

NEXT_KEY: Final = f"lake-{FORMAT}.json"
"""Where the next `lake.json` is while it takes the place of the old one."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C: is a drive

_memory_stores: dict[str, MemoryStore] = {}  # guarded by _memory_lock
_memory_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Lake:
    """Which lake a store holds: its id, 32 hex digits, and the number of its format."""

    id: str
    format: int


def open_store(url: str, patience: Patience = PATIENT) -> ObjectStore:
    """The store at a URL. Nothing is made or read yet.

    `s3://bucket/prefix`, `gs://` and `az://` with the usual variables of the environment (`storage.remote_client`);
    `file://` or the plain path of a directory; `memory://name`, where two calls give the same store. `patience` is
    for stores that are reached over a network.

    Raises:
        Unsupported: a scheme that this version has no store for.
        BadRequest: BAD_ARGUMENT: the address of a bucket that cannot be one.
    """
    if not _SCHEME.match(url):
        return DirectoryStore(os.path.expanduser(url))
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return DirectoryStore(unquote(parts.path))
    if parts.scheme in SCHEMES:
        return RemoteStore(Bucket.parse(url), patience)
    if parts.scheme == "memory":
        name = parts.netloc + parts.path
        with _memory_lock:
            return _memory_stores.setdefault(name, MemoryStore(name))
    text = f"there is no store for {url}; use a directory (/path or file:///path), s3://bucket/prefix, gs://, az://"
    raise Unsupported(ErrorKind.UNSUPPORTED, f"{text} or memory://name")


def create_lake(store: ObjectStore, *, clock: Clock, new_id: NewId) -> Lake:
    """The lake in `store`, which is made if there is none: of several callers at once one makes it.

    Raises:
        Unsupported, Damaged: as `open_lake`.
    """
    if not store.exists(LAKE_KEY):
        content = {"lake": new_id(), "format": FORMAT, "created": clock.now().isoformat()}
        store.create(LAKE_KEY, json.dumps(content, indent=1).encode() + b"\n")
        store.sync()
    return open_lake(store)


def open_lake(store: ObjectStore) -> Lake:
    """The lake that is in `store`.

    Raises:
        NotFound: there is none.
        Unsupported: its format is newer than this version knows.
        Damaged: its `lake.json` cannot be understood.
    """
    return _read(store)[0]


def raise_format(store: ObjectStore) -> Lake:
    """Let the lake in `store` have this version's format, if it has an older one; the lake as it is then.

    From then on an older howdah refuses it, so this comes before anything that an older one would not understand. The
    objects stay as they are: each format can be read by those who know a later one. For whoever serves the lake alone.
    Durable when this returns; a crash leaves the old number or the new one.

    Raises:
        NotFound, Unsupported, Damaged: as `open_lake`.
    """
    lake, content = _read(store)
    if lake.format == FORMAT:
        return lake
    store.put(NEXT_KEY, json.dumps({**content, "format": FORMAT}, indent=1).encode() + b"\n")
    store.sync()
    fail.here("format.stored")
    store.move(NEXT_KEY, LAKE_KEY)
    store.sync()
    return open_lake(store)


def _read(store: ObjectStore) -> tuple[Lake, dict[str, Any]]:
    """The lake, and all that its `lake.json` says."""
    try:
        found = store.get(LAKE_KEY)  # not asked before whether it is there: each question is a way to a bucket and back
    except Damaged as error:
        if error.kind is not ErrorKind.OBJECT_MISSING:
            raise
        text = f"there is no lake in {store.url}; check the address, or create one: howdah server"
        raise NotFound(ErrorKind.LAKE_NOT_FOUND, text) from error
    try:
        content = json.loads(found)
        lake = Lake(str(content["lake"]), int(content["format"]))
    except (ValueError, KeyError, TypeError) as error:
        text = f"{LAKE_KEY} in {store.url} cannot be understood; restore it from a copy of the store"
        raise Damaged(ErrorKind.OBJECT_CORRUPT, text) from error
    if lake.format > FORMAT:
        text = f"lake {lake.id} in {store.url} has format {lake.format} and this howdah knows {FORMAT}; use a newer one"
        raise Unsupported(ErrorKind.FORMAT_UNKNOWN, text)
    return lake, content

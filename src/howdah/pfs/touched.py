# SPDX-License-Identifier: Apache-2.0
"""Which paths a commit touched, in a few bytes: owner of the table `commit_touched`.

`pfs.histories` looks for the commits that changed a path. Where a commit changed few, their hashes are kept beside
it, so that most of a long history is passed without an object being read. It is a hint: a hash that is there means
"look", a commit without a row means "look" too. It holds for the parent that the commit had when it was closed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from blake3 import blake3
from sqlalchemy import insert, select

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.storage.diff import changed_paths
from howdah.storage.storage import Storage

__all__ = ["Touched", "between", "of_commits", "remember"]

_T: Final = tables.commit_touched.c
_FILES_MAX: Final = 128  # with the directories above them some kilobytes at most
_HASHES_MAX: Final = 512
_WIDTH: Final = 4  # bytes of a hash: of 512 of them, one in eight million answers "look" in vain


@dataclass(frozen=True, slots=True)
class Touched:
    """The hashes of the files that a commit changed against its parent `parent_id`, and of the directories above."""

    parent_id: int | None
    hashes: bytes

    def may_have(self, path: str) -> bool:
        """Whether the commit may have changed the file or directory of that clean path; False is certain."""
        return path == "/" or any(self._has(_hash(name)) for name in (path, path + "/"))

    def _has(self, wanted: bytes) -> bool:
        at = self.hashes.find(wanted)
        while at % _WIDTH and at >= 0:
            at = self.hashes.find(wanted, at + 1)
        return at >= 0


def between(storage: Storage, old: bytes | None, new: bytes, referrer: str) -> bytes | None:
    """The hashes of what differs between two filesets; None when that is much."""
    changed = changed_paths(storage.fileset(old, referrer), storage.fileset(new, referrer))
    files = list(islice(changed, _FILES_MAX + 1))
    if len(files) > _FILES_MAX:
        return None
    names = {path[: end + 1] for path in files for end, letter in enumerate(path) if letter == "/" and end}
    names.update(files)
    return b"".join(map(_hash, sorted(names))) if len(names) <= _HASHES_MAX else None


def remember(tx: Transaction, commit_id: int, parent_id: int | None, hashes: bytes | None) -> None:
    """Keep what a commit touched; nothing is kept for None. Once for each commit."""
    if hashes is not None:
        tx.execute(insert(tables.commit_touched), {"commit_id": commit_id, "parent_id": parent_id, "paths": hashes})


def of_commits(tx: Transaction, ids: Collection[int]) -> Mapping[int, Touched]:
    """What is known of these commits."""
    wanted = select(_T.commit_id, _T.parent_id, _T.paths).where(_T.commit_id.in_(ids))
    return {key: Touched(parent_id, hashes) for key, parent_id, hashes in tx.execute(wanted)}


def _hash(name: str) -> bytes:
    return blake3(name.encode()).digest(_WIDTH)

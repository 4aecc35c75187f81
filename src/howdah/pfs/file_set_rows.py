# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `file_set`: what callers put together outside of commits, until it expires.

A row protects what its root and its body name from garbage collection for as long as it lives (`living`). One that an
entry of the cache names (`pfs.cache`) lives as long as that. What is done with file sets is in `pfs.file_sets`.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, insert, not_, or_, select, update

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.infos import CommitInfo
from howdah.model.names import FILESETS_REPO
from howdah.model.refs import HEAD, Commit, Commitish
from howdah.model.states import OriginKind
from howdah.model.texts import one_line

__all__ = ["FileSetRow", "add", "expire", "get", "info_of", "is_file_set", "keep", "living", "renew", "row_of"]

_T: Final = tables.file_set.c
_CACHED: Final = _T.id.in_(select(tables.cache_file_set.c.file_set_id))


@dataclass(frozen=True, slots=True)
class FileSetRow:
    """A living file set: `root` is what is read in it, `body` the change that it makes of what it is added to."""

    id: str
    root: bytes
    body: bytes
    files: int
    size_bytes: int
    created_at: datetime
    expires_at: datetime


def is_file_set(ref: Commitish) -> bool:
    """Whether a reference to a commit means a file set instead: its repo is the reserved one."""
    return ref.repo.name == FILESETS_REPO


def add(
    tx: Transaction, file_set_id: str, root: bytes, body: bytes, files: int, size_bytes: int, seconds: float
) -> None:
    """Keep a new file set for so long; those that ran out are forgotten on the way."""
    expire(tx)
    row = FileSetRow(file_set_id, root, body, files, size_bytes, tx.now, tx.now + timedelta(seconds=seconds))
    tx.execute(insert(tables.file_set), asdict(row))


def get(tx: Transaction, file_set_id: str) -> FileSetRow:
    """A living file set.

    Raises:
        NotFound: FILESET_NOT_FOUND: there never was one, or it expired.
    """
    found = tx.execute(select(tables.file_set).where(_T.id == file_set_id, _alive(tx))).one_or_none()
    if found is None:
        raise _missing(file_set_id)
    return _row(found)


def row_of(tx: Transaction, ref: Commitish) -> FileSetRow:
    """The file set that a reference into the reserved repo means: by its id alone, without steps or a branch.

    Raises:
        NotFound: FILESET_NOT_FOUND.
    """
    if not ref.id or (not isinstance(ref, Commit) and ref.ancestry != HEAD):
        raise _missing(str(ref))
    return get(tx, ref.id)


def info_of(tx: Transaction, ref: Commitish) -> CommitInfo:
    """A file set as the finished commit that it looks like. Raises as `row_of`."""
    row = row_of(tx, ref)
    at = row.created_at
    return CommitInfo(
        commit=Commit(ref.repo, row.id),
        branch="",
        origin=OriginKind.USER,
        description="",
        parent=None,
        children=(),
        started_at=at,
        ready_at=at,
        finishing_at=at,
        finished_at=at,
        error="",
        size_bytes=row.size_bytes,
        files=row.files,
        direct_provenance=(),
        direct_subvenance=(),
        updated_at=at,
    )


def renew(tx: Transaction, file_set_id: str, seconds: float) -> None:
    """Let a living file set live for so long from now, be that more or less than it had. Raises as `get`."""
    alive = update(tables.file_set).where(_T.id == file_set_id, _alive(tx))
    if tx.execute(alive.values(expires_at=tx.now + timedelta(seconds=seconds))).rowcount == 0:
        raise _missing(file_set_id)


def keep(tx: Transaction, file_set_id: str, seconds: float) -> FileSetRow:
    """As `get`, and it lives for at least so long from now: for whoever works with it. Raises as `get`."""
    row = get(tx, file_set_id)
    until = tx.now + timedelta(seconds=seconds)
    if row.expires_at < until:
        tx.execute(update(tables.file_set).where(_T.id == file_set_id).values(expires_at=until))
    return row


def expire(tx: Transaction) -> int:
    """Forget the file sets that ran out; how many."""
    return tx.execute(delete(tables.file_set).where(not_(_alive(tx)))).rowcount


def living(tx: Transaction) -> Iterator[FileSetRow]:
    """All that has not run out at the time of the transaction; for whoever marks what is in use."""
    return map(_row, tx.execute(select(tables.file_set).where(_alive(tx)).order_by(_T.id)))


def _alive(tx: Transaction) -> ColumnElement[bool]:
    """Whether a file set has time left, or somebody remembers it."""
    return or_(_T.expires_at > tx.now, _CACHED)


def _row(found: Any) -> FileSetRow:
    return FileSetRow(*found)


def _missing(name: str) -> NotFound:
    text = f"file set {one_line(name)} not found; it never was or has expired: make it again, and renew it in time"
    return NotFound(ErrorKind.FILESET_NOT_FOUND, text)

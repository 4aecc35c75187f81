# SPDX-License-Identifier: Apache-2.0
"""Commits, as the rest of howdah sees them: starting, finding, listing and waiting, and the rows to write by.

The work is done by the neighbours: `starting`, `closing` and `commit_edits` change them, `resolve` finds them,
`waiting` is asked by waiting calls. The files of a commit are `pfs.files`; taking it out of history is `pfs.removal`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind
from howdah.model.infos import CommitInfo
from howdah.model.refs import Branch, Commit, Commitish, Repo
from howdah.model.states import CommitState, OriginKind
from howdah.pfs import (
    closing,
    commit_changes,
    commit_edits,
    commit_lines,
    commit_rows,
    file_set_rows,
    repo_rows,
    starting,
    waiting,
)
from howdah.pfs.commit_rows import CommitFilter, CommitRow
from howdah.pfs.infos import commit_infos
from howdah.pfs.resolve import exact, head_of, resolve, resolve_in
from howdah.pfs.work import Works

__all__ = ["Commits"]

_PAGE: Final = 200


class Commits:
    """The commits of a lake. Methods with a transaction or a work are steps of the caller's own."""

    def __init__(self, db: Database, works: Works) -> None:
        self._db = db
        self._works = works

    def start(self, branch: Branch, parent: Commitish | None = None, description: str = "") -> Commit:
        """As `pfs.starting.start`, in a transaction and a commit set of its own."""
        with self._works.open() as work:
            return starting.start(work, branch, parent, description)

    def inspect(self, ref: Commitish) -> CommitInfo:
        """What is known of the commit, or of the file set, that a reference means. Raises as `pfs.resolve.resolve`."""
        with self._db.read() as tx:
            if file_set_rows.is_file_set(ref):
                return file_set_rows.info_of(tx, ref)
            return commit_infos(tx, [resolve(tx, ref)])[0]

    def resolve(self, ref: Commitish) -> Commit:
        """The name of the commit that a reference means. Raises as `pfs.resolve.resolve`."""
        with self._db.read() as tx:
            return resolve(tx, ref).commit

    def list(
        self,
        repo: Repo | None,
        to: Commitish | None = None,
        from_: Commitish | None = None,
        number: int = 0,
        *,
        reverse: bool = False,
        origin: OriginKind | None = None,
        started_before: datetime | None = None,
    ) -> Iterator[CommitInfo]:
        """The commits of a repo, or of all repos, newest first; with `reverse` oldest first. `number` 0 is all.

        With `to`, that commit and its parents, and with `from_` too, only those after that one. `origin` and
        `started_before` leave out others; with `reverse` that time means "after" instead. Pages are read as
        they are reached, each as things are then.

        Raises:
            BadRequest: BAD_ARGUMENT: `from_` without `to`, `to` with `reverse` or without a repo, `number` below 0.
            NotFound: the repo, `to` or `from_`.
        """
        _check_listing(repo, to, from_, number, reverse)
        wanted = CommitFilter(
            origin=origin,
            started_before=None if reverse else started_before,
            started_after=started_before if reverse else None,
        )
        if repo is None:
            return _first(number, self._by_age(wanted, reverse))
        with self._db.read() as tx:
            repo_id = repo_rows.get(tx, repo).id
            start = None if to is None else resolve_in(tx, to, repo, "commit").id
            end = None if from_ is None else resolve_in(tx, from_, repo, "commit").id
        if start is not None:
            return _first(number, self._by_parents(start, end, wanted))
        by_age = CommitFilter(repo_id, None, wanted.origin, wanted.started_before, wanted.started_after)
        return _first(number, self._by_age(by_age, reverse))

    def describe(self, ref: Commitish, description: str) -> Commit:
        """As `pfs.commit_edits.describe`."""
        with self._db.write() as tx:
            return commit_edits.describe(tx, ref, description)

    def clear(self, ref: Commitish) -> Commit:
        """As `pfs.commit_edits.clear`."""
        with self._db.write() as tx:
            return commit_edits.clear(tx, ref)

    def forget(self, ref: Commitish, *, dry_run: bool = False) -> Commit:
        """As `pfs.commit_edits.forget`; with `dry_run` nothing is changed, and it raises as it would."""
        if dry_run:
            with self._db.read() as tx:
                return commit_edits.forgettable(tx, ref).commit
        with self._db.write() as tx:
            return commit_edits.forget(tx, ref)

    def reached(self, commit: Commit, state: CommitState) -> CommitInfo | None:
        """What is known of a resolved commit once it has come as far as `state`; None before.

        Raises:
            Conflict: DELETED_MEANWHILE.
        """
        with self._db.read() as tx:
            return waiting.reached(tx, commit, state)

    def subscribe_page(
        self,
        repo: Repo,
        after_row: int = 0,
        branch: str | None = None,
        origin: OriginKind | None = None,
        state: CommitState = CommitState.STARTED,
        limit: int = _PAGE,
    ) -> Sequence[tuple[int, CommitInfo]]:
        """The next commits made in a repo (on a branch, of an origin), oldest first, up to one not yet in `state`.

        Pass the last key as `after_row` for the next page; each commit is given once. See `position`.

        Raises:
            NotFound: REPO_NOT_FOUND.
        """
        with self._db.read() as tx:
            return waiting.subscription_page(tx, repo, after_row, limit, branch, origin, state)

    def position(self, ref: Commitish) -> int:
        """The key after which a subscription begins that leaves out this commit and all before it."""
        with self._db.read() as tx:
            return resolve(tx, ref).id

    def row(self, tx: Transaction, commit: Commit) -> CommitRow:
        """The row of a commit that the repo itself made (no alias). Raises as `pfs.resolve.exact`."""
        return exact(tx, commit)

    def head(self, tx: Transaction, branch: Branch) -> CommitRow | None:
        """The head of a branch; None if the branch is missing or empty. Raises as `pfs.resolve.head_of`."""
        return head_of(tx, branch)

    def good_base(self, tx: Transaction, row: CommitRow) -> bytes:
        """As `pfs.closing.good_base`."""
        return closing.good_base(tx, row)

    def good_root(self, tx: Transaction, row: CommitRow) -> bytes:
        """As `pfs.closing.good_root`."""
        return closing.good_root(tx, row)

    def changes(self, tx: Transaction, row: CommitRow) -> Sequence[tuple[int, bytes]]:
        """As `pfs.commit_changes.after_partial`."""
        return commit_changes.after_partial(tx, row)

    def set_partial(self, tx: Transaction, row_id: int, upto_seq: int, root: bytes, old_seq: int | None) -> bool:
        """As `pfs.commit_changes.merge`."""
        return commit_changes.merge(tx, row_id, upto_seq, root, old_seq)

    def _by_age(self, wanted: CommitFilter, oldest_first: bool) -> Iterator[CommitInfo]:
        past: int | None = None
        while True:
            with self._db.read() as tx:
                rows = commit_rows.page(tx, wanted, past, _PAGE, oldest_first=oldest_first)
                infos = commit_infos(tx, rows)
            yield from infos
            if len(rows) < _PAGE:
                return
            past = rows[-1].id

    def _by_parents(self, start: int, end: int | None, wanted: CommitFilter) -> Iterator[CommitInfo]:
        """From `start` up through the parents, until `end`, which is left out."""
        here: int | None = start
        while here is not None:
            with self._db.read() as tx:
                rows = commit_lines.ancestors(tx, here, _PAGE)
                here = rows[-1].parent_id if rows else None
                if (stop := next((place for place, row in enumerate(rows) if row.id == end), None)) is not None:
                    rows, here = rows[:stop], None
                infos = commit_infos(tx, [row for row in rows if _is_wanted(row, wanted)])
            yield from infos


def _first(number: int, infos: Iterator[CommitInfo]) -> Iterator[CommitInfo]:
    return islice(infos, number or None)


def _is_wanted(row: CommitRow, wanted: CommitFilter) -> bool:
    if wanted.origin is not None and row.origin != wanted.origin:
        return False
    return wanted.started_before is None or row.started_at < wanted.started_before


def _check_listing(
    repo: Repo | None, to: Commitish | None, from_: Commitish | None, number: int, reverse: bool
) -> None:
    if from_ is not None and to is None:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"cannot list from commit {from_} without an end; give `to` as well")
    if to is not None and reverse:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"cannot list the parents of commit {to} in reverse; leave out one")
    if to is not None and repo is None:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"cannot list up to commit {to} without a repo; name its repo")
    if number < 0:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"cannot list {number} commits; use 0 for all")

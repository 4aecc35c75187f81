# SPDX-License-Identifier: Apache-2.0
"""Commit sets: all commits that one change made, under one id.

A set as it is inspected holds more: the older commits, of other sets, that its commits were made from.
So it shows every repo that had a part in it, each with the commit that `repo@ID` means.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, NotFound
from howdah.model.infos import CommitInfo
from howdah.pfs import commit_rows, project_rows, provenance
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.infos import commit_infos

__all__ = ["CommitSetInfo", "CommitSets", "members", "set_missing"]

_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class CommitSetInfo:
    """A commit set with the commits that it made, each after those it depends on."""

    id: str
    commits: tuple[CommitInfo, ...]


class CommitSets:
    """The commit sets of a lake, to be read; whatever changes something makes one."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def inspect(self, set_id: str) -> list[CommitInfo]:
        """The commits of a set and those they were made from, each after those it depends on.

        Raises:
            NotFound: COMMIT_SET_NOT_FOUND.
        """
        with self._db.read() as tx:
            return commit_infos(tx, members(tx, set_id))

    def list(self, project: str | None = None) -> Iterator[CommitSetInfo]:
        """All commit sets, newest first; with `project`, those that made a commit in it.

        Pages are read as they are reached, each as things are then.

        Raises:
            NotFound: PROJECT_NOT_FOUND.
        """
        if project is not None:
            with self._db.read() as tx:
                project_rows.get_id(tx, project)
        return self._pages(project)

    def _pages(self, project: str | None) -> Iterator[CommitSetInfo]:
        before: int | None = None
        while True:
            with self._db.read() as tx:
                page = commit_rows.sets_page(tx, before, _PAGE, project)
                infos = _infos(tx, [set_id for _, set_id in page])
            yield from infos
            if len(page) < _PAGE:
                return
            before = page[-1][0]


def members(tx: Transaction, set_id: str) -> list[CommitRow]:
    """The rows of a set's commits and of those they were made from, each after those it depends on.

    Raises:
        NotFound: COMMIT_SET_NOT_FOUND.
    """
    own = {row.id: row for row in commit_rows.in_sets(tx, [set_id])}
    if not own:
        raise set_missing(set_id)
    above = commit_rows.by_ids(tx, provenance.commits_above(tx, set_id))
    everything = own | above
    # Keys grow from what a commit depends on to the commit, so their order is a topological one.
    return [everything[key] for key in sorted(everything)]


def set_missing(set_id: str) -> NotFound:
    """The error that says that no commit is in a set."""
    return NotFound(
        ErrorKind.COMMIT_SET_NOT_FOUND,
        f"no commits found for commitset {set_id}; see what there is: howdah list commit",
    )


def _infos(tx: Transaction, set_ids: Sequence[str]) -> list[CommitSetInfo]:
    found: dict[str, list[CommitInfo]] = {set_id: [] for set_id in set_ids}
    for info in commit_infos(tx, commit_rows.in_sets(tx, set_ids)):
        found[info.commit.id].append(info)
    return [CommitSetInfo(set_id, tuple(infos)) for set_id, infos in found.items()]

# SPDX-License-Identifier: Apache-2.0
"""Walks through the graph of what depends on what: from commits or branches up or down, the nearest first.

A walk leaves out what it starts from. Of one moment are its members; what is told of them is read page by page.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind
from howdah.model.infos import BranchInfo, CommitInfo
from howdah.model.refs import Branch, Commitish
from howdah.pfs import branch_rows, commit_rows, provenance
from howdah.pfs.infos import branch_infos, commit_infos
from howdah.pfs.resolve import resolve

__all__ = ["DEPTH", "LIMIT", "Walks"]

LIMIT: Final = 10_000
DEPTH: Final = 1_000
_PAGE: Final = 200
_PART: Final = 10_000  # keys that one statement is given

Step = Callable[[Transaction, Sequence[int]], list[int]]


class Walks:
    """Answers walks over one lake. For each: one walk after the other, each of `limit` members and `depth` steps.

    0 for `limit` or `depth` stands for `LIMIT` and `DEPTH`.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def commits(
        self, starts: Sequence[Commitish], *, above: bool, limit: int = 0, depth: int = 0
    ) -> Iterator[CommitInfo]:
        """The commits that each of `starts` depends on, or with `above` off those that depend on it.

        Raises:
            NotFound: as `pfs.resolve.resolve`.
            BadRequest: BAD_ARGUMENT: no start, or a negative number.
        """
        _check(starts, limit, depth)

        def step(tx: Transaction, keys: Sequence[int]) -> list[int]:
            return provenance.next_commits(tx, keys, above=above)

        with self._db.read() as tx:
            walks = [_walk(tx, resolve(tx, start).id, step, limit or LIMIT, depth or DEPTH) for start in starts]
        return self._commit_pages(walks)

    def branches(
        self, starts: Sequence[Branch], *, above: bool, limit: int = 0, depth: int = 0
    ) -> Iterator[BranchInfo]:
        """The branches that each of `starts` depends on, or with `above` off those that depend on it.

        Raises:
            NotFound: REPO_NOT_FOUND or BRANCH_NOT_FOUND.
            BadRequest: BAD_ARGUMENT: no start, or a negative number.
        """
        _check(starts, limit, depth)

        def step(tx: Transaction, keys: Sequence[int]) -> list[int]:
            return provenance.next_branches(tx, keys, above=above)

        with self._db.read() as tx:
            walks = [_walk(tx, branch_rows.get(tx, start).id, step, limit or LIMIT, depth or DEPTH) for start in starts]
        return self._branch_pages(walks)

    def _commit_pages(self, walks: Sequence[Sequence[int]]) -> Iterator[CommitInfo]:
        for page in _pages(walks):
            with self._db.read() as tx:
                rows = commit_rows.by_ids(tx, page)
                infos = commit_infos(tx, [rows[key] for key in page if key in rows])
            yield from infos

    def _branch_pages(self, walks: Sequence[Sequence[int]]) -> Iterator[BranchInfo]:
        for page in _pages(walks):
            with self._db.read() as tx:
                rows = branch_rows.by_ids(tx, page)
                infos = branch_infos(tx, [rows[key] for key in page if key in rows])
            yield from infos


def _check(starts: Sequence[object], limit: int, depth: int) -> None:
    if not starts:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "no start of the walk is given; name one or more")
    if limit < 0 or depth < 0:
        text = f"a walk of {limit} members and {depth} steps cannot be made; use 0 for the usual numbers"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)


def _walk(tx: Transaction, start: int, step: Step, limit: int, depth: int) -> list[int]:
    """The keys that are reached from `start`, by their distance from it."""
    seen, found = {start}, list[int]()
    edge = [start]
    while edge and depth and len(found) < limit:
        reached = dict.fromkeys(key for part in _parts(edge) for key in step(tx, part))
        edge = [key for key in reached if key not in seen]
        seen.update(edge)
        found += edge
        depth -= 1
    return found[:limit]


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[begin : begin + _PART] for begin in range(0, len(keys), _PART))


def _pages(walks: Sequence[Sequence[int]]) -> Iterator[Sequence[int]]:
    return (walk[begin : begin + _PAGE] for walk in walks for begin in range(0, len(walk), _PAGE))

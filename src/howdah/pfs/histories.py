# SPDX-License-Identifier: Apache-2.0
"""Search a history for the commits that changed a path.

Each commit is compared with the one before it: by its root, which is equal if all is; by the paths that it is known
to have touched (`pfs.touched`); and only then by what the two have at the path. A bad commit changes nothing, since
readers of it see its nearest good ancestor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from howdah.db.engine import Database
from howdah.errors import BadRequest, ErrorKind, Unavailable
from howdah.model import paths
from howdah.model.refs import Commit, Commitish, Repo
from howdah.pfs import commit_lines, touched
from howdah.pfs.commit_lines import Link
from howdah.pfs.resolve import resolve
from howdah.pfs.touched import Touched
from howdah.storage import listing
from howdah.storage.reader import Fileset
from howdah.storage.storage import Storage

__all__ = ["Sighting", "find_commits"]

_PAGE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """A commit that changed the path; or, with `found` off, the last one that was looked at, at the very end."""

    commit: Commit
    searched: int
    found: bool


def find_commits(
    db: Database,
    storage: Storage,
    start: Commitish,
    path: str,
    limit: int = 0,
    *,
    in_time: Callable[[], bool] = lambda: True,
) -> Iterator[Sighting]:
    """The commits from `start` up through the parents that changed the file or directory `path`, newest first.

    A commit that makes, changes or removes it counts. It ends after `limit` of them (0 for no limit), at the first
    commit, or when `in_time` says no more; then comes the last commit that was looked at, with whose parent another
    search may go on.

    Raises:
        NotFound: as `pfs.resolve.resolve`.
        BadRequest: BAD_PATH; BAD_ARGUMENT without a path.
        Unavailable: COMMIT_OPEN: `start` is not finished.
    """
    if not path:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "no path is named; give one, as in /images/a.png")
    clean = paths.clean(path)
    with db.read() as tx:
        row = resolve(tx, start)
    if row.finished_at is None:
        text = f"commit {row.commit} not finished; wait for it: howdah wait commit {row.commit}"
        raise Unavailable(ErrorKind.COMMIT_OPEN, text)
    search = _Search(db, storage, row.commit.repo, clean)
    return search.run(row.id, limit, in_time)


class _Search:
    def __init__(self, db: Database, storage: Storage, repo: Repo, path: str) -> None:
        self._db = db
        self._storage = storage
        self._repo = repo
        self._path = path

    def run(self, start: int, limit: int, in_time: Callable[[], bool]) -> Iterator[Sighting]:
        searched, found = 0, 0
        last = ""
        for link, before, known in self._pairs(start):
            searched += 1
            last = link.set_id
            if self._changed(link, before, known):
                found += 1
                yield Sighting(Commit(self._repo, link.set_id), searched, True)
            if found == limit > 0 or not in_time():
                break
        yield Sighting(Commit(self._repo, last), searched, False)

    def _pairs(self, start: int) -> Iterator[tuple[Link, Link | None, Touched | None]]:
        """Each commit with the good one before it, and what it is known to have touched against just that one."""
        held: list[tuple[Link, Touched | None]] = []
        for link, known in self._links(start):
            if not link.good:
                held.append((link, None))
                continue
            for place, (each, hint) in enumerate(held):
                follows = hint is not None and hint.parent_id == each.parent_id == link.id
                yield each, link, hint if place == len(held) - 1 and follows else None
            held = [(link, known)]
        for each, hint in held:
            first = hint is not None and hint.parent_id is None and each.parent_id is None
            yield each, None, hint if first else None

    def _links(self, start: int) -> Iterator[tuple[Link, Touched | None]]:
        here: int | None = start
        while here is not None:
            with self._db.read() as tx:
                links = commit_lines.line(tx, here, _PAGE)
                known = touched.of_commits(tx, [link.id for link in links])
            yield from ((link, known.get(link.id)) for link in links)
            here = links[-1].parent_id if links else None

    def _changed(self, link: Link, before: Link | None, known: Touched | None) -> bool:
        if not link.good or (before is not None and link.root == before.root):
            return False
        if known is not None and not known.may_have(self._path):
            return False
        referrer = f"commit {self._repo}@{link.set_id}"
        new = self._storage.fileset(link.root, referrer)
        old = self._storage.fileset(None if before is None else before.root, referrer)
        return _parts(new, self._path) != _parts(old, self._path) and _state(new, self._path) != _state(old, self._path)


def _parts(fileset: Fileset, path: str) -> list[bytes]:
    """The names of the parts of a fileset in which a path may lie: equal ones need not be opened."""
    node = fileset.filesets.node(fileset.root, fileset.referrer)
    return [child.name for child in node.children if child.last >= path and child.first < path.rstrip("/") + "0"]


def _state(fileset: Fileset, path: str) -> tuple[str, bytes] | None:
    """What is at a path: its name, with a slash for a directory, and its hash."""
    found = listing.inspect(fileset, path)
    return None if found is None else (found.path, found.hash)

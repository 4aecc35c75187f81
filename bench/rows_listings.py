# SPDX-License-Identifier: Apache-2.0
"""Rows about long histories and many repos: searching for what changed a path, and the pages of listings.

The lakes are made in this process, through the layers below the APIs, which takes less than making them by calls; what
is measured is asked of a server that was started on them, by our client.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.data import small_content
from bench.figures import Figure, Row
from bench.ground import Ground
from bench.lakes import Lake
from bench.pairs import timed
from howdah.client import Client
from howdah.model.refs import Branch, CommitRef, Repo
from howdah.pfs import repos, starting
from howdah.pfs.resolve import head_of
from howdah.pfs.writes import Put
from howdah.server.app import Opened, opened

__all__ = ["ROWS"]

REPO = Repo("default", "history")
MASTER = Branch(REPO, "master")
_PATHS = 5_000  # that the commits write in turn
_TOGETHER = 1_000  # commits that are made in one transaction
_PAGE = 100
_RUNS = 20
_FIRSTS = 3  # the same asked of servers that were just started


@contextmanager
def served(ground: Ground, fill: Callable[[Opened], None]) -> Iterator[Lake]:
    """A server on a lake that was filled before it started."""
    root = ground.place.fresh("histories")
    with opened(root, workers=1) as lake:
        fill(lake)
    with Lake.running(root) as running:
        yield running
    shutil.rmtree(root)


def find_commits(ground: Ground) -> list[Figure]:
    """Each commit writes one small file; those that wrote one of them are looked for."""
    count = ground.scale.searched

    def fill(lake: Opened) -> None:
        lake.pfs.catalog.repos.create(REPO)
        for number in range(count):
            lake.pfs.writes.modify(
                CommitRef(REPO, "master"), [Put(f"/{number % _PATHS:04d}", [small_content(number, number)])]
            )

    firsts, again = [], []
    with served(ground, fill) as lake:
        for _ in range(_FIRSTS):
            lake.restart()
            with lake.client() as client:
                client.inspect_repo(REPO)
                firsts.append(timed(lambda: search(client, count)))
                again += [timed(lambda: search(client, count)) for _ in range(_FIRSTS)]
    return [
        Figure.of(firsts, "s", label="the first of a server", at_most=1),
        Figure.of(again, "s", label="again", at_most=1),
    ]


def search(client: Client, count: int) -> None:
    """Look for one path through all commits; what comes must be right."""
    *found, last = client.find_commits("history@master", "/0007")
    assert (count, (count + _PATHS - 8) // _PATHS) == (last.searched, len(found)), (last.searched, len(found))


def list_commits(ground: Ground) -> list[Figure]:
    """Pages of one branch with a long history: the newest, the oldest, and from a commit in its middle."""
    count = ground.scale.history

    def fill(lake: Opened) -> None:
        catalog = lake.pfs.catalog
        catalog.repos.create(REPO)
        root = lake.pfs.storage.apply(None, [], "the bench").root
        for _ in range(0, count, _TOGETHER):
            with catalog.work() as work:
                for _ in range(_TOGETHER):
                    work.new_set()
                    head = head_of(work.tx, MASTER)
                    key = None if head is None else head.id
                    starting.make_finished(work, MASTER, root, 0, 0, expected_head=key)

    with served(ground, fill) as lake, lake.client() as client:
        middle = client.inspect_commit(f"history@master~{count // 2}").commit
        return [
            page("the newest", lambda: list(client.list_commits("history", number=_PAGE))),
            page("the oldest", lambda: list(client.list_commits("history", number=_PAGE, reverse=True))),
            page("up from the middle", lambda: list(client.list_commits("history", to=middle, number=_PAGE))),
        ]


def list_repos(ground: Ground) -> list[Figure]:
    """Pages of many repos, each with a branch: the first, the last, and the first of a listing without pages."""
    count = ground.scale.repos

    def fill(lake: Opened) -> None:
        catalog = lake.pfs.catalog
        for begin in range(0, count, _TOGETHER):
            with catalog.work() as work:
                for number in range(begin, min(count, begin + _TOGETHER)):
                    repos.create(work, repo := Repo("default", f"repo-{number:05d}"))
                    work.new_set()
                    root = lake.pfs.storage.apply(None, [], "the bench").root
                    starting.make_finished(work, Branch(repo, "master"), root, 0, 0, expected_head=None)

    last = count // _PAGE - 1
    with served(ground, fill) as lake, lake.client() as client:
        return [
            page("the first", lambda: list(client.list_repos(page_size=_PAGE))),
            page("the last", lambda: list(client.list_repos(page_size=_PAGE, page=last))),
        ]


def page(label: str, ask: Callable[[], list[object]]) -> Figure:
    """Ask for a page so often; it must be full."""

    def asked() -> None:
        assert len(ask()) == _PAGE

    asked()
    return Figure.of([timed(asked) * 1000 for _ in range(_RUNS)], "ms", label=label, at_most=100)


ROWS = [
    Row("find-commits", "FindCommits of one path over 10,000 commits of one small file each", "", find_commits),
    Row("list-commits", "a page of 100 commits of a branch with 100,000", "", list_commits),
    Row("list-repos", "a page of 100 repos of 10,000", "", list_repos),
]

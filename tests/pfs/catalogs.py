# SPDX-License-Identifier: Apache-2.0
"""What the tests of metadata share: a catalog with short words for what they do all the time."""

from datetime import UTC, datetime, timedelta

from howdah.db.engine import Database
from howdah.db.events import read_events
from howdah.model.refs import Branch, CommitRef, Repo
from howdah.pfs import closing
from howdah.pfs.catalog import Catalog

ROOT = b"r" * 32


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Desk:
    """A catalog in memory, and the words of the tests. `master` is the branch that is meant if none is named."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.db = Database.open(":memory:", clock=self.clock)
        self.catalog = Catalog.open(self.db)
        self.projects, self.repos, self.branches = self.catalog.projects, self.catalog.repos, self.catalog.branches
        self.commits, self.sets, self.removals = self.catalog.commits, self.catalog.sets, self.catalog.removals

    def repo(self, *names):
        for name in names:
            self.repos.create(repo(name))

    def start(self, name, **options):
        return self.commits.start(branch(name), **options)

    def finish(self, commit, root=ROOT, size=1, **options):
        with self.db.write() as tx:
            closing.close_row(tx, self.commits.row(tx, commit).id, root, 1, size, **options)
        return commit

    def commit(self, name, **options):
        """A commit that is started and finished."""
        return self.finish(self.start(name), **options)

    def follow(self, name, *upstreams, **options):
        """Let a branch depend on others."""
        self.branches.create(branch(name), provenance=[branch(each) for each in upstreams], **options)

    def pipeline(self, name, *upstreams, **options):
        """A repo whose branch depends on others."""
        self.repo(name)
        self.follow(name, *upstreams, **options)

    def head(self, name):
        return self.branches.inspect(branch(name)).head

    def info(self, name):
        """What is known of the head of a branch."""
        return self.commits.inspect(self.head(name))

    def row(self, commit):
        with self.db.read() as tx:
            return self.commits.row(tx, commit)

    def events(self, prefix=""):
        """Subject and kind of all events so far below a prefix."""
        with self.db.read() as tx:
            return [(each.subject, each.kind) for each in read_events(tx, 0) if each.subject.startswith(prefix)]


def repo(name):
    """`a`, `a.meta` or `project/a`."""
    project, slash, rest = name.partition("/")
    base, _, kind = (rest if slash else project).partition(".")
    return Repo(project if slash else "default", base, kind or "user")


def branch(name):
    """`a` (its master) or `a@dev`."""
    base, _, of = name.partition("@")
    return Branch(repo(base), of or "master")


def ref(name, commit="", ancestry=None):
    base, _, of = name.partition("@")
    options = {} if ancestry is None else {"ancestry": ancestry}
    return CommitRef(repo(base), of, commit, **options)

# SPDX-License-Identifier: Apache-2.0
"""Random schedules of writers, readers, deletions and collections on a clock moved by hand.

Nothing that is reachable, leased or being read is ever removed; when nothing is left, all of it goes. What the others
do in the middle of a collection is done at its failpoints.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from howdah.errors import Conflict, HowdahError, NotFound
from howdah.kit import fail
from howdah.model.refs import Commit, CommitRef, File, Repo
from howdah.pfs.writes import Copy, Delete, Put, Started
from howdah.storage import changes
from howdah.storage.memory_store import MemoryStore
from howdah.storage.objects import ObjectStore
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from tests.upkeep.lakes import DAY, HOUR, KeptLake

REPOS = st.sampled_from(["a", "b"])
PATHS = st.sampled_from(["/x", "/y", "/z"])
# Few contents, so that objects are garbage and then wanted again; one is a chunk by itself, the others share packs.
CONTENTS = [b"one", b"two" * 999, random.Random(7).randbytes(1_200_000)]
DATA = st.sampled_from(range(len(CONTENTS)))
STEPS = ("gc.thrown_away", "gc.swept", "gc.removed")
KEEP = st.sampled_from([DAY, DAY, 3 * DAY])
Files = dict[str, bytes]


@dataclass
class Writer:
    """Somebody who stored objects under a lease and has not handed them in."""

    started: Started
    repo: str
    body: bytes
    files: Files


@dataclass
class Reader:
    """Somebody who took the root of a commit; `gone` is when its repo was deleted."""

    root: bytes
    files: Files
    repo: str
    gone: datetime | None = field(default=None)


class Schedules(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.lake = self.make_lake()
        self.commits: dict[Commit, Files] = {}
        self.heads: dict[str, Files] = {}
        self.open: dict[str, Commit] = {}
        self.writers: list[Writer] = []
        self.readers: list[Reader] = []
        self.collecting = False

    def make_lake(self) -> KeptLake:
        return KeptLake()

    def teardown(self) -> None:
        self._nothing_stays()
        self.lake.close()

    @rule(name=REPOS, path=PATHS, number=DATA)
    def put(self, name: str, path: str, number: int) -> None:
        self._modify(name, [Put(path, [CONTENTS[number]])], {**self.heads.get(name, {}), path: CONTENTS[number]})

    @rule(name=REPOS, path=PATHS)
    def remove(self, name: str, path: str) -> None:
        files = {key: data for key, data in self.heads.get(name, {}).items() if key != path}
        self._modify(name, [Delete(path)], files)

    @rule(source=REPOS, name=REPOS, path=PATHS, to=PATHS)
    def copy(self, source: str, name: str, path: str, to: str) -> None:
        if path in self.heads.get(source, {}):
            operation = Copy(File(head(source), path), to)
            self._modify(name, [operation], {**self.heads.get(name, {}), to: self.heads[source][path]})

    @rule(name=REPOS)
    def start(self, name: str) -> None:
        if name not in self.open:
            self._exists(name)
            self.open[name] = self.lake.start(name)

    @rule(name=REPOS)
    def finish(self, name: str) -> None:
        if name in self.open:
            commit = self.open.pop(name)
            self.lake.pfs.finisher.finish(commit)
            self.commits[commit] = dict(self.heads.get(name, {}))

    @rule(name=REPOS, path=PATHS, number=DATA)
    def begin_to_write(self, name: str, path: str, number: int) -> None:
        self._exists(name)
        started = self.lake.pfs.writes.start(head(name))
        with ChangeWriter(self.lake.storage, self.lake.storage.fileset(started.base_root, "a test")) as writer:
            writer.put(path, [CONTENTS[number]])
            self.writers.append(Writer(started, name, changes.encode(tuple(writer.finish())), {path: CONTENTS[number]}))

    @rule()
    def hand_in(self) -> None:
        if not self.writers:
            return
        writer = self.writers.pop(0)
        try:
            commit = self.lake.pfs.writes.hand_in(head(writer.repo), writer.body, writer.started.lease_id)
        except (Conflict, NotFound):
            return  # its repo is gone, or its lease
        self._now(writer.repo, commit, {**self.heads.get(writer.repo, {}), **writer.files})

    @rule()
    def renew(self) -> None:
        for writer in list(self.writers):
            try:
                self.lake.pfs.writes.renew(writer.started.lease_id)
            except Conflict:
                self.writers.remove(writer)

    @rule(name=REPOS)
    def begin_to_read(self, name: str) -> None:
        if name in self.open or any(commit.repo.name == name for commit in self.commits):
            view = self.lake.pfs.files.view(head(name))
            self.readers.append(Reader(view.fileset.root, dict(self.heads[name]), name))

    @rule(name=REPOS)
    def delete(self, name: str) -> None:
        if name in self.heads or name in self.open:
            self.lake.delete(name)
            self.heads.pop(name, None)
            self.open.pop(name, None)
            self.commits = {key: files for key, files in self.commits.items() if key.repo.name != name}
            for reader in self.readers:
                if reader.repo == name and reader.gone is None:
                    reader.gone = self.lake.clock.now()

    @rule()
    def restart(self) -> None:
        if not self.collecting:
            self.lake.restart()

    @rule(minutes=st.sampled_from([1, 7, 61, 600, 1441, 5000]))
    def wait(self, minutes: int) -> None:
        self.lake.clock.advance(60 * minutes)
        # Who reads what was deleted has as long as the trash is kept, and no longer.
        limit = self.lake.clock.now() - timedelta(seconds=DAY)
        self.readers = [each for each in self.readers if each.gone is None or each.gone > limit]

    @rule(keep=KEEP, at=st.sampled_from(STEPS), nth=st.integers(0, 3), data=st.data())
    def collect(self, keep: float, at: str, nth: int, data: st.DataObject) -> None:
        """Collect, and in the middle of it let somebody else do something."""
        if self.collecting:
            return
        self.collecting = True
        left = [nth]

        def meanwhile() -> None:
            left[0] -= 1
            if left[0] == -1:
                name, path, number = data.draw(REPOS), data.draw(PATHS), data.draw(DATA)
                data.draw(
                    st.sampled_from(
                        [
                            lambda: self.put(name, path, number),
                            lambda: self.begin_to_write(name, path, number),
                            lambda: self.hand_in(),
                            lambda: self.delete(name),
                            lambda: self.begin_to_read(name),
                            lambda: self.finish(name),
                        ]
                    )
                )()

        try:
            with fail.during(at, meanwhile):
                assert self.lake.collect(keep_seconds=keep).missing == 0
        finally:
            self.collecting = False

    @rule()
    def collect_at_once(self) -> None:
        """Without keeping: no reader is promised anything, but every writer is."""
        if not self.collecting:
            self.readers = [reader for reader in self.readers if reader.gone is None]
            self.lake.collect(keep_seconds=0)

    @invariant()
    def every_commit_is_whole(self) -> None:
        wanted = [(commit, files) for commit, files in self.commits.items()]
        wanted += [(commit, self.heads.get(name, {})) for name, commit in self.open.items()]
        # Looking at an open commit may store what it was merged to, so the roots come first.
        roots = [(self.lake.pfs.files.view(commit).fileset.root, files) for commit, files in wanted]
        with Storage(untouched(self.lake.store)) as storage:
            for root, files in roots:
                assert files == read(storage, root)

    @invariant()
    def every_reader_goes_on(self) -> None:
        with Storage(untouched(self.lake.store)) as storage:
            for reader in self.readers:
                assert reader.files == read(storage, reader.root)

    def _nothing_stays(self) -> None:
        for name in ("a", "b"):
            self.delete(name)
        self.lake.clock.advance(2 * HOUR)
        self.lake.collect()
        self.lake.clock.advance(DAY + HOUR)
        self.lake.collect()
        assert set() == self.lake.keys() | self.lake.trash()

    def _exists(self, name: str) -> None:
        if name not in self.heads:
            self.lake.pfs.catalog.repos.create(Repo("default", name), update=True)
            self.heads[name] = {}

    def _modify(self, name: str, operations: list[Put | Delete | Copy], files: Files) -> None:
        self._exists(name)
        try:
            commit = self.lake.pfs.writes.modify(head(name), operations)
        except HowdahError as error:
            raise AssertionError(error.message) from error
        self._now(name, commit, files)

    def _now(self, name: str, commit: Commit, files: Files) -> None:
        self.heads[name] = files
        if name not in self.open:
            self.commits[commit] = dict(files)


def head(name: str) -> CommitRef:
    return CommitRef(Repo("default", name), "master")


def untouched(store: ObjectStore) -> MemoryStore:
    """What can be read of a store, the trash included, in a copy: looking shall not bring anything back."""
    copied = MemoryStore("looked at")
    for info in sorted(store.list(), key=lambda each: each.key.startswith("trash/")):
        copied.put(info.key.removeprefix("trash/"), store.get(info.key))
    return copied


def read(storage: Storage, root: bytes) -> Files:
    fileset = storage.fileset(root, "a test")
    entries = [entry for path in ("/x", "/y", "/z") for entry in fileset.find(path)]
    return {
        each.path: b"".join(map(bytes, storage.reader.read(each.extents, 0, each.size, each.path))) for each in entries
    }


TestSchedules = Schedules.TestCase
TestSchedules.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)

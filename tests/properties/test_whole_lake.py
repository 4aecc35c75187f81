# SPDX-License-Identifier: Apache-2.0
"""The machine of versioned files, and beside it all that may happen to them at the same time.

Transactions that stay open while others go on, a branch that follows by a trigger, file sets that expire by the clock,
writers that hold leases, garbage collection at any step with undelete, and threads that write to one commit. What is
expected is still plain dictionaries; where the order of threads is open, any order is right.
"""

import pickle
import threading
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from howdah.db.engine import Database
from howdah.errors import ErrorKind, HowdahError, NotFound, Refused
from howdah.kit import fail
from howdah.model import operations as ops
from howdah.model.infos import Trigger
from howdah.model.names import FILESETS_REPO
from howdah.model.refs import Branch, Commit, CommitRef, File, Repo
from howdah.pfs.file_sets import DEFAULT_SECONDS
from howdah.pfs.lake import Pfs
from howdah.pfs.writes import LEASE_SECONDS, Copy, Delete, Operation, Put, Started
from howdah.pps.pps import Pps
from howdah.storage import changes
from howdah.storage.memory_store import MemoryStore
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.testing import ManualClock
from howdah.transactions.running import Runner
from howdah.transactions.transactions import Transactions
from howdah.upkeep import Upkeep
from tests.pfs.lakes import IMAGES, OpenLake
from tests.pfs.test_state_machine import BRANCHES, CONTENT, DIRECTORIES, PATHS, Files, VersionedFiles

T = TypeVar("T")

FOLLOWER = "follower"
HOUR, DAY = 3600, 24 * 3600
STEPS = ("gc.thrown_away", "gc.swept", "gc.removed")
THREADS = st.integers(2, 4)
OPEN_TRANSACTIONS_MAX = 2


class ClockedLake(OpenLake):
    """A lake whose database and store go by one clock, with what runs over versioned files in a server."""

    def __init__(self, folder, clock: ManualClock) -> None:
        self.objects = MemoryStore("whole lake", clock)
        # In memory, and open over all restarts: the machine that this one extends opens a database again.
        self.kept = Database.open(":memory:", clock=clock)
        super().__init__(folder, clock)

    def _open(self) -> None:
        self.db = self.kept
        self.storage = Storage(self.objects)
        self.pfs = Pfs.open(self.db, self.storage)
        self.pfs.catalog.leases.expire()
        self.pfs.held.begin()
        self.pfs.file_sets.expire()
        pps = Pps.open(self.pfs.catalog, self.db, self.storage, clock=self.clock)
        self.transactions = Transactions(self.db, Runner(self.pfs, pps), pickle.loads)
        self.upkeep = Upkeep.open(self.pfs)
        self.pfs.triggers.listen()
        self.pfs.triggers.step()

    def reopen(self) -> None:
        self._stop()
        self._open()

    def close(self) -> None:
        self._stop()
        self.kept.close()

    def _stop(self) -> None:
        self.pfs.triggers.stop()
        self.storage.close()


@dataclass
class State:
    """What the lake holds, as far as a transaction can change it."""

    finished: dict[Commit, Files]
    open: dict[str, tuple[Commit, Files]]
    heads: dict[str, Commit]
    parents: dict[Commit, Commit | None]

    def children(self, commit: Commit) -> list[Commit]:
        return [child for child, parent in self.parents.items() if parent == commit]

    def make(self, operation: ops.Operation, id: str) -> bool:
        """Follow an operation; False, and nothing, where it must be refused."""
        match operation:
            case ops.StartCommit(branch):
                return self._start(branch.name, Commit(IMAGES, id))
            case ops.FinishCommit(commit):
                found = [name for name, (each, _) in self.open.items() if each == commit]
                if not found:
                    return False
                made, files = self.open.pop(found[0])
                self.finished[made], self.heads[found[0]] = files, made
            case ops.CreateBranch(branch, head):
                if head not in self.finished:
                    return False
                assert isinstance(head, Commit)
                self.heads[branch.name] = head
            case ops.SquashCommitSet(id=squashed):
                return self._squash(Commit(IMAGES, squashed))
        return True

    def _start(self, name: str, commit: Commit) -> bool:
        if name in self.open or commit in self.parents:
            return False
        head = self.heads.get(name)
        self.open[name] = commit, dict(self.finished[head]) if head else {}
        self.parents[commit] = head
        return True

    def _squash(self, commit: Commit) -> bool:
        children = self.children(commit)
        if commit not in self.finished or not children or any(each not in self.finished for each in children):
            return False
        parent = self.parents.pop(commit)
        for child in children:
            self.parents[child] = parent
        del self.finished[commit]
        for name in [name for name, head in self.heads.items() if head == commit]:
            if parent is None:
                return False  # a branch would be left without a commit: not followed here
            self.heads[name] = parent
        return True


@dataclass
class FileSet:
    """What a file set does to files, and until when it lives."""

    operations: list[Operation]
    until: datetime

    def onto(self, files: Files) -> Files:
        after = dict(files)
        for each in self.operations:
            if isinstance(each, Put):
                data = b"".join(bytes(piece) for piece in each.pieces)
                after[each.path] = (after.get(each.path, b"") if each.append else b"") + data
            elif isinstance(each, Delete):
                for path in [path for path in after if path == each.path or path.startswith(below(each.path))]:
                    del after[path]
        return after


def below(path: str) -> str:
    return path if path.endswith("/") else path + "//"  # no path has that: only the file itself is meant


@dataclass
class Writer:
    """Somebody who stored objects under a lease, and has not handed them in."""

    started: Started
    commit: Commit
    body: bytes
    path: str
    data: bytes
    until: datetime


class WholeLake(VersionedFiles):
    def __init__(self) -> None:
        self.clock = ManualClock()
        super().__init__()
        self.ages: dict[Commit, int] = {}
        self.seen = -1
        self.following = False
        self.pending: dict[str, list[ops.Operation]] = {}
        self.file_sets: dict[str, FileSet] = {}
        self.writers: list[Writer] = []
        self.collecting = False

    def open_lake(self) -> OpenLake:
        return ClockedLake(self.folder, self.clock)

    def teardown(self) -> None:
        try:
            self.collect_at_once()
            self._all_reads_back()
        finally:
            super().teardown()

    # The branch that follows.

    @precondition(lambda self: not self.following and "master" in self.heads)
    @rule()
    def follow(self) -> None:
        self._settle()
        newest = self.heads["master"]
        self.lake.pfs.catalog.branches.create(Branch(IMAGES, FOLLOWER), newest, trigger=Trigger("master", commits=1))
        self.following, self.heads[FOLLOWER], self.seen = True, newest, self.ages[newest]

    @precondition(lambda self: self.following)
    @rule()
    def unfollow(self) -> None:
        self._settle()
        self.lake.pfs.catalog.branches.delete(Branch(IMAGES, FOLLOWER))
        self.following = False
        del self.heads[FOLLOWER]

    def _settle(self) -> None:
        """What the trigger makes of the last change."""
        for commit in self.parents:
            self.ages.setdefault(commit, len(self.ages))
        newest = self.heads.get("master")
        if self.following and newest is not None and newest != self.heads[FOLLOWER] and self.ages[newest] > self.seen:
            self.heads[FOLLOWER], self.seen = newest, self.ages[newest]

    @invariant()
    def every_head_reads_back(self) -> None:
        self._settle()
        super().every_head_reads_back()
        if self.following:
            info = self.lake.pfs.catalog.branches.inspect(Branch(IMAGES, FOLLOWER))
            assert self.heads[FOLLOWER] == info.head

    # Transactions, tried and left open while others go on.

    def _state(self) -> State:
        opened = {name: (commit, dict(files)) for name, (commit, files) in self.open.items()}
        return State(dict(self.finished), opened, dict(self.heads), dict(self.parents))

    def _after(self, id: str, operations: list[ops.Operation]) -> State | None:
        """The lake after a transaction; None if it must be refused."""
        state = self._state()
        return state if all(state.make(each, id) for each in operations) else None

    @precondition(lambda self: len(self.pending) < OPEN_TRANSACTIONS_MAX)
    @rule()
    def begin_transaction(self) -> None:
        self.pending[self.lake.transactions.start().id] = []

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def add_a_request(self, data: st.DataObject) -> None:
        id = one_of(data, list(self.pending))
        if (before := self._after(id, self.pending[id])) is None:
            return  # what was fine does not hold any more; finishing says so
        operation = one_of(data, self._requests(before))
        following = copy(before)
        self._settle()
        heads = self._lake_heads()
        if self._after(id, [*self.pending[id], operation]) is None:
            with pytest.raises(HowdahError):
                self.lake.transactions.append(id, pickle.dumps(operation))
        else:
            answer = self.lake.transactions.append(id, pickle.dumps(operation))
            assert answer == (Commit(IMAGES, id) if isinstance(operation, ops.StartCommit) else None)
            self.pending[id].append(operation)
        assert following == before
        assert heads == self._lake_heads()

    def _requests(self, state: State) -> list[ops.Operation]:
        """What may be asked for where a transaction has come to; some of it must be refused."""
        commits = [commit for commit, _ in state.open.values()]
        found: list[ops.Operation] = [ops.FinishCommit(commit) for commit in commits]
        for name in ("master", "dev"):
            if name not in state.open:
                found.append(ops.StartCommit(Branch(IMAGES, name)))
                found += [ops.CreateBranch(Branch(IMAGES, name), commit) for commit in list(state.finished)[-3:]]
        heads = set(state.heads.values())
        found += [
            ops.SquashCommitSet(commit.id)
            for commit in list(state.finished)[-4:]
            if commit not in heads or state.parents[commit] is not None
        ]
        return found

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def end_transaction(self, data: st.DataObject) -> None:
        """Make all of it, or be refused and change nothing; or forget it."""
        id = one_of(data, list(self.pending))
        operations = self.pending.pop(id)
        moves_an_open_branch = any(
            isinstance(each, ops.CreateBranch) and each.branch.name in self.open for each in operations
        )
        if moves_an_open_branch or data.draw(st.integers(0, 4)) == 0:
            self.lake.transactions.delete(id)
            return
        after = self._after(id, operations)
        if after is None:
            with pytest.raises(HowdahError):
                self.lake.transactions.finish(id)
            self.lake.transactions.delete(id)
            return
        self.lake.transactions.finish(id)
        self.finished, self.heads, self.parents = after.finished, after.heads, after.parents
        # Whoever holds an open commit's files goes on with them.
        self.open = {
            name: self.open.get(name, pair) if self._same(name, pair) else pair for name, pair in after.open.items()
        }

    def _same(self, name: str, pair: tuple[Commit, Files]) -> bool:
        return name in self.open and self.open[name][0] == pair[0]

    def _lake_heads(self) -> dict[str, Commit | None]:
        return {info.branch.name: info.head for info in self.lake.pfs.catalog.branches.list(IMAGES)}

    # File sets, which expire.

    def _now(self) -> datetime:
        return self.clock.now()

    def _living(self) -> list[str]:
        return [id for id, each in self.file_sets.items() if each.until > self._now()]

    @rule(path=PATHS, data=CONTENT, append=st.booleans(), directory=DIRECTORIES, seconds=st.sampled_from([0, 60, 1800]))
    def create_a_file_set(self, path: str, data: bytes, append: bool, directory: str, seconds: int) -> None:
        operations: list[Operation] = [
            Delete(directory),
            Put(path, [data], append=append),
            Put("/fs", [b"+"], append=True),
        ]
        id = self.lake.pfs.file_sets.create(operations, seconds)
        self.file_sets[id] = FileSet(operations, self._now() + timedelta(seconds=seconds or DEFAULT_SECONDS))

    @precondition(lambda self: self._living())
    @rule(data=st.data(), branch=BRANCHES)
    def add_a_file_set(self, data: st.DataObject, branch: str) -> None:
        id = one_of(data, self._living())
        found = self.file_sets[id]
        files = found.onto(self._files(branch))
        commit = self.lake.pfs.file_sets.add(CommitRef(IMAGES, branch), id)
        found.until = max(found.until, self._now() + timedelta(seconds=LEASE_SECONDS))
        if branch in self.open:
            self.open[branch] = (self.open[branch][0], files)
        else:
            self.finished[commit], self.parents[commit] = files, self.heads.get(branch)
            self.heads[branch] = commit

    @precondition(lambda self: self._living())
    @rule(data=st.data())
    def compose_file_sets(self, data: st.DataObject) -> None:
        chosen = [one_of(data, self._living()) for _ in range(data.draw(st.integers(1, 3)))]
        id = self.lake.pfs.file_sets.compose(chosen, 60)
        keep = self._now() + timedelta(seconds=LEASE_SECONDS)
        for each in chosen:
            self.file_sets[each].until = max(self.file_sets[each].until, keep)
        operations = [one for each in chosen for one in self.file_sets[each].operations]
        self.file_sets[id] = FileSet(operations, self._now() + timedelta(seconds=60))

    @precondition(lambda self: self._living())
    @rule(data=st.data(), branch=BRANCHES, path=PATHS)
    def copy_from_a_file_set(self, data: st.DataObject, branch: str, path: str) -> None:
        id = one_of(data, self._living())
        content = self.file_sets[id].onto({})["/fs"]
        self._modify(branch, [Copy(File(of(id), "/fs"), path)], lambda files: files.update({path: content}))

    @precondition(lambda self: self._living())
    @rule(data=st.data(), seconds=st.sampled_from([1, 1800]))
    def renew_a_file_set(self, data: st.DataObject, seconds: int) -> None:
        id = one_of(data, self._living())
        self.lake.pfs.file_sets.renew(id, seconds)
        self.file_sets[id].until = self._now() + timedelta(seconds=seconds)

    @invariant()
    def file_sets_read_back_while_they_live(self) -> None:
        living = self._living()
        for id, each in self.file_sets.items():
            if id in living:
                assert each.onto({}) == self.lake.read(of(id))
            else:
                with pytest.raises(NotFound):
                    self.lake.read(of(id))
                with pytest.raises(NotFound):
                    self.lake.pfs.file_sets.add(CommitRef(IMAGES, "master"), id)
        self.file_sets = {id: self.file_sets[id] for id in living}

    # Time, leases and garbage.

    @rule(minutes=st.sampled_from([1, 7, 61, 600, 1441, 5000]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(60 * minutes)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), path=PATHS, content=CONTENT)
    def begin_to_write(self, data: st.DataObject, path: str, content: bytes) -> None:
        branch = one_of(data, sorted(self.open))
        commit, _ = self.open[branch]
        started = self.lake.pfs.writes.start(commit)
        with ChangeWriter(self.lake.storage, self.lake.storage.fileset(started.base_root, "a test")) as writer:
            writer.put(path, [content])
            body = changes.encode(tuple(writer.finish()))
        until = self._now() + timedelta(seconds=LEASE_SECONDS)
        self.writers.append(Writer(started, commit, body, path, content, until))

    @precondition(lambda self: self.writers)
    @rule()
    def hand_in(self) -> None:
        writer = self.writers.pop(0)
        branch = [name for name, (commit, _) in self.open.items() if commit == writer.commit]
        if not branch or writer.until <= self._now():
            with pytest.raises(HowdahError):
                self.lake.pfs.writes.hand_in(writer.commit, writer.body, writer.started.lease_id)
        else:
            self.lake.pfs.writes.hand_in(writer.commit, writer.body, writer.started.lease_id)
            self.open[branch[0]][1][writer.path] = writer.data

    @rule(
        keep=st.sampled_from([DAY, 3 * DAY]),
        at=st.sampled_from(STEPS),
        nth=st.integers(0, 3),
        branch=BRANCHES,
        path=PATHS,
        content=CONTENT,
        what=st.integers(0, 3),
    )
    def collect(self, keep: int, at: str, nth: int, branch: str, path: str, content: bytes, what: int) -> None:
        """Collect, and in the middle of it let somebody else do something.

        What is drawn before: how often a step comes depends on how threads have written.
        """
        left = [nth]

        def meanwhile() -> None:
            left[0] -= 1
            if left[0] == -1:
                some: list[Callable[[], object]] = [
                    lambda: self.put(branch, path, content),
                    lambda: self.create_a_file_set(path, content, False, "/missing/", 60),
                    lambda: self.hand_in() if self.writers else None,
                    lambda: self.copy(branch, self.heads.get(branch), path, False),
                ]
                some[what]()
                self._settle()

        with fail.during(at, meanwhile):
            assert 0 == self.lake.upkeep.collector.collect(keep_seconds=keep).missing
        self._all_reads_back()

    @rule()
    def collect_at_once(self) -> None:
        """Without keeping anything that nobody needs."""
        assert 0 == self.lake.upkeep.collector.collect(keep_seconds=0).missing
        self._all_reads_back()

    @rule()
    def undelete(self) -> None:
        self.lake.upkeep.collector.undelete()

    def _all_reads_back(self) -> None:
        """Each commit, from the store itself: nothing is found in a cache."""
        self.lake.reopen()
        for commit, files in self.finished.items():
            assert files == self.lake.read(commit)
        for commit, files in self.open.values():
            assert files == self.lake.read(commit)

    # Threads.

    @precondition(lambda self: self.open)
    @rule(data=st.data(), path=PATHS, number=THREADS)
    def append_at_once(self, data: st.DataObject, path: str, number: int) -> None:
        """Appends of threads to one file are all there, each whole, in some order."""
        branch = one_of(data, sorted(self.open))
        commit, files = self.open[branch]
        tokens = [b"<%d>" % each * 3 for each in range(number)]
        together([lambda token=token: self.lake.put(commit, path, token, append=True) for token in tokens])

        found = self.lake.read(commit)[path]
        before = files.get(path, b"")
        rest = found[len(before) :]
        assert before == found[: len(before)]
        assert sorted(tokens) == sorted(rest[at : at + 9] for at in range(0, len(rest), 9))
        files[path] = found

    @precondition(lambda self: self.open)
    @rule(data=st.data(), path=PATHS, number=THREADS)
    def change_one_file_at_once(self, data: st.DataObject, path: str, number: int) -> None:
        """Puts and a delete of one path: the last one holds, whichever that is; other files stay."""
        branch = one_of(data, sorted(self.open))
        commit, files = self.open[branch]
        contents = [b"content %d" % each * 5 for each in range(number)]
        writers = [lambda content=content: self.lake.put(commit, path, content) for content in contents]
        together([*writers, lambda: self.lake.pfs.writes.modify(commit, [Delete(path)])])

        found = self.lake.read(commit).get(path)
        assert found in [*contents, None]
        files.pop(path, None)
        if found is not None:
            files[path] = found

    @precondition(lambda self: self.open)
    @rule(data=st.data(), number=THREADS)
    def finish_while_others_write(self, data: st.DataObject, number: int) -> None:
        """What was acknowledged is in the commit; who comes too late is told so, and nothing of it is there."""
        branch = one_of(data, sorted(self.open))
        commit, files = self.open.pop(branch)
        written: list[int] = []
        refused: list[ErrorKind] = []

        def write(each: int) -> None:
            try:
                self.lake.put(commit, f"/late-{each}", b"%d" % each)
            except Refused as error:
                refused.append(error.kind)
            else:
                written.append(each)

        writers = [lambda each=each: write(each) for each in range(number)]
        together([*writers, lambda: self.lake.pfs.finisher.finish(commit)])
        assert {ErrorKind.COMMIT_FINISHED} >= set(refused)
        self.finished[commit] = {**files, **{f"/late-{each}": b"%d" % each for each in written}}
        assert self.finished[commit] == self.lake.read(commit)
        self.heads[branch] = commit

    @rule(branch=BRANCHES, number=THREADS)
    def commit_at_once(self, branch: str, number: int) -> None:
        """One-off commits of threads to one branch: each is one commit, on top of another."""
        if branch in self.open:
            return
        files, head = self._files(branch), self.heads.get(branch)
        made: dict[Commit, int] = {}

        def write(each: int) -> None:
            made[self.lake.put(CommitRef(IMAGES, branch), f"/at-once-{each}", b"%d" % each)] = each

        together([lambda each=each: write(each) for each in range(number)])
        assert number == len(made)
        order = []
        here = self.lake.pfs.catalog.commits.resolve(CommitRef(IMAGES, branch))
        while here is not None and here != head:
            order.append(here)
            here = self.lake.pfs.catalog.commits.inspect(here).parent
        assert set(made) == set(order)
        for commit in reversed(order):
            files = {**files, f"/at-once-{made[commit]}": b"%d" % made[commit]}
            self.finished[commit], self.parents[commit], head = files, head, commit
        assert head is not None
        self.heads[branch] = head


def one_of(data: st.DataObject, some: Sequence[T]) -> T:
    """One of these, in the order in which they came: ids are random and threads race, so the draw knows neither."""
    return some[data.draw(st.integers(0, 1000)) % len(some)]


def of(file_set_id: str) -> Commit:
    """The commit that a file set is read as."""
    return Commit(Repo("default", FILESETS_REPO), file_set_id)


def together(calls: list[Callable[[], object]]) -> None:
    """Make these calls in threads, begun at once; raise what one of them raises."""
    errors: list[BaseException] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        gate.wait()
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def machine(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )


TestWholeLake = pytest.mark.slow(WholeLake.TestCase)
TestWholeLake.settings = machine(8, 30)


class AtLength(WholeLake):
    """The same, many times."""


TestWholeLakeAtLength = pytest.mark.full(AtLength.TestCase)
TestWholeLakeAtLength.settings = machine(150, 50)

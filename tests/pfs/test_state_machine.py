# SPDX-License-Identifier: Apache-2.0
"""The versioned file system against plain dictionaries: one for each commit that was ever made."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from howdah.errors import Conflict, ErrorKind, NotFound, Refused
from howdah.model.infos import Removed
from howdah.model.refs import Branch, Commit, Commitish, CommitRef, File
from howdah.pfs import starting
from howdah.pfs.finish import finish
from howdah.pfs.histories import find_commits
from howdah.pfs.writes import Copy, Delete, Operation, Put
from tests.pfs.lakes import IMAGES, OpenLake

# Names that sort around the slash, and ranges of more than one row; no name is both a file and a directory.
PATHS = st.sampled_from(["/a", "/a-b", "/b/a", "/b/a.c", "/b-", "/c/d/e", "/c/d/f", "/ö/ü", "/z z"])
DIRECTORIES = st.sampled_from(["/", "/b/", "/c/", "/c/d/", "/missing/"])
CONTENT = st.one_of(st.binary(max_size=20), st.integers(0, 255).map(lambda n: bytes([n]) * ((1 << 20) + n)))
BRANCH_NAMES = ["master", "dev"]
BRANCHES = st.sampled_from(BRANCH_NAMES)
Files = dict[str, bytes]


class VersionedFiles(RuleBasedStateMachine):
    commits: Bundle[Commit] = Bundle("commits")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="howdah-machine-"))
        self.lake = self.open_lake()
        self.finished: dict[Commit, Files] = {}
        self.open: dict[str, tuple[Commit, Files]] = {}
        self.heads: dict[str, Commit] = {}
        self.parents: dict[Commit, Commit | None] = {}

    def open_lake(self) -> OpenLake:
        return OpenLake(self.folder, store=self.store_url())

    def store_url(self) -> str | None:
        """Where the objects are; None for the folder."""
        return None

    def teardown(self) -> None:
        self.lake.close()
        shutil.rmtree(self.folder)

    @initialize(target=commits)
    def first(self) -> Commit:
        return self._modify("master", [Put("/a", [b"1"])], lambda files: files.update({"/a": b"1"}))

    def _files(self, branch: str) -> Files:
        if branch in self.open:
            return self.open[branch][1]
        return self._closed_files(branch)

    def _closed_files(self, branch: str) -> Files:
        return dict(self.finished[self.heads[branch]]) if branch in self.heads else {}

    def _modify(self, branch: str, operations: list[Operation], follow: Callable[[Files], object]) -> Commit:
        files = self._files(branch)
        commit = self.lake.pfs.writes.modify(CommitRef(IMAGES, branch), operations)
        follow(files)
        if branch not in self.open:
            self.finished[commit] = files
            self.parents[commit] = self.heads.get(branch)
            self.heads[branch] = commit
        return commit

    @rule(branch=BRANCHES, path=PATHS, data=CONTENT)
    def put(self, branch: str, path: str, data: bytes) -> None:
        self._modify(branch, [Put(path, [data])], lambda files: files.update({path: data}))

    @rule(branch=BRANCHES, path=PATHS, data=CONTENT)
    def append(self, branch: str, path: str, data: bytes) -> None:
        def follow(files: Files) -> None:
            files[path] = files.get(path, b"") + data

        self._modify(branch, [Put(path, [data[:7], data[7:]], append=True)], follow)

    @rule(branch=BRANCHES, path=PATHS)
    def delete(self, branch: str, path: str) -> None:
        self._modify(branch, [Delete(path)], lambda files: files.pop(path, None))

    @rule(branch=BRANCHES, directory=DIRECTORIES)
    def delete_directory(self, branch: str, directory: str) -> None:
        def follow(files: Files) -> None:
            for path in [path for path in files if path.startswith(directory)]:
                del files[path]

        self._modify(branch, [Delete(directory)], follow)

    @rule(branch=BRANCHES, source=commits, path=PATHS, append=st.booleans())
    def copy(self, branch: str, source: Commit, path: str, append: bool) -> None:
        data = self.finished.get(source, {}).get("/a")
        if data is None:
            return

        def follow(files: Files) -> None:
            files[path] = (files.get(path, b"") if append else b"") + data

        self._modify(branch, [Copy(File(source, "/a"), path, append=append)], follow)

    @rule(branch=BRANCHES, path=PATHS, data=CONTENT, directory=DIRECTORIES)
    def many_operations_at_once(self, branch: str, path: str, data: bytes, directory: str) -> None:
        def follow(files: Files) -> None:
            for below in [below for below in files if below.startswith(directory)]:
                del files[below]
            files[path] = data + b"!"

        operations = [Put("/x/y", [b"gone"]), Delete("/x/"), Delete(directory), Put(path, [data])]
        self._modify(branch, [*operations, Put(path, [b"!"], append=True)], follow)

    @rule(branch=BRANCHES)
    def start(self, branch: str) -> None:
        if branch not in self.open:
            files = self._files(branch)
            commit = self.lake.pfs.catalog.commits.start(Branch(IMAGES, branch))
            self.open[branch] = (commit, files)
            self.parents[commit] = self.heads.get(branch)

    @rule(target=commits, branch=BRANCHES)
    def finish(self, branch: str) -> object:
        if branch not in self.open:
            return multiple()
        commit, files = self.open.pop(branch)
        self.lake.pfs.finisher.finish(commit)
        self.finished[commit] = files
        self.heads[branch] = commit
        return commit

    @rule(target=commits, again=st.sampled_from([None, *BRANCH_NAMES]))
    def finish_together(self, again: str | None) -> object:
        """Close all open commits in one change, and open the next one on a branch, with what the last one holds."""
        opened = dict(self.open)
        closings = self.lake.pfs.finisher.closings()
        while True:
            try:
                with self.lake.pfs.catalog.work() as work:
                    for commit, _ in opened.values():
                        finish(work, commit, closings.exact)
                    fresh = None if again is None else starting.start(work, Branch(IMAGES, again))
                break
            except Conflict:
                assert closings.make()
        for branch, (commit, files) in opened.items():
            self.finished[commit] = files
            self.heads[branch] = commit
        self.open = {}
        if again is not None and fresh is not None:
            self.open[again] = (fresh, self._closed_files(again))
            self.parents[fresh] = self.heads.get(again)
        return multiple(*(commit for commit, _ in opened.values()))

    @rule(commit=commits, branch=BRANCHES)
    def move_branch(self, commit: Commit, branch: str) -> None:
        if branch not in self.open and commit in self.finished:
            self.lake.pfs.catalog.branches.create(Branch(IMAGES, branch), commit)
            self.heads[branch] = commit

    @rule(branch=BRANCHES, streams=st.lists(CONTENT, min_size=2, max_size=4))
    def concurrent_streams(self, branch: str, streams: list[bytes]) -> None:
        if branch not in self.open:
            return
        commit, files = self.open[branch]
        puts = {f"/s{number}": data for number, data in enumerate(streams)}
        threads = [threading.Thread(target=self.lake.put, args=(commit, *put)) for put in puts.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        files.update(puts)

    def _children(self, commit: Commit) -> list[Commit]:
        return [child for child, parent in self.parents.items() if parent == commit]

    def _forget(self, commit: Commit) -> None:
        """Follow a removal: children and branches go to the parent, a branch without one to an empty commit."""
        parent = self.parents.pop(commit)
        for child in self._children(commit):
            self.parents[child] = parent
        self.finished.pop(commit, None)
        for branch in [branch for branch, head in self.heads.items() if head == commit]:
            self._back(branch, parent)

    def _back(self, branch: str, parent: Commit | None) -> None:
        if parent is None:
            parent = self.lake.pfs.catalog.commits.resolve(CommitRef(IMAGES, branch))
            assert parent not in self.finished or self.finished[parent] == {}
            self.finished[parent], self.parents[parent] = {}, None
        self.heads[branch] = parent

    def _refused(self, kind: ErrorKind, call: Callable[..., Removed]) -> None:
        for dry_run in (True, False):
            with pytest.raises(Refused) as error:
                call(dry_run=dry_run)
            assert kind == error.value.kind

    def _removed(self, commit: Commit, call: Callable[..., Removed]) -> None:
        """Remove a commit, after asking what would go."""
        planned = call(dry_run=True)
        assert planned == call()
        assert (commit,) == planned.commits
        self._forget(commit)

    @rule(commit=commits, whole_set=st.booleans())
    def squash(self, commit: Commit, whole_set: bool) -> None:
        if commit not in self.finished:
            return
        removals = self.lake.pfs.catalog.removals

        def call(*, dry_run: bool = False) -> Removed:
            if whole_set:
                return removals.squash_set(commit.id, dry_run=dry_run)
            return removals.squash(commit, dry_run=dry_run)

        children = self._children(commit)
        if not children:
            self._refused(ErrorKind.HAS_NO_CHILDREN, call)
        elif any(child not in self.finished for child in children):
            self._refused(ErrorKind.COMMIT_OPEN, call)
        else:
            self._removed(commit, call)

    @rule(commit=commits, whole_set=st.booleans())
    def drop(self, commit: Commit, whole_set: bool) -> None:
        if commit not in self.finished:
            return
        removals = self.lake.pfs.catalog.removals

        def call(*, dry_run: bool = False) -> Removed:
            if whole_set:
                return removals.drop_set(commit.id, dry_run=dry_run)
            return removals.drop(commit, dry_run=dry_run)

        if self._children(commit):
            self._refused(ErrorKind.HAS_DEPENDANTS, call)
        else:
            self._removed(commit, call)

    @rule(branch=BRANCHES)
    def drop_the_open_commit(self, branch: str) -> None:
        if branch not in self.open:
            return
        commit, _ = self.open.pop(branch)
        self.lake.pfs.catalog.removals.drop(commit)
        parent = self.parents.pop(commit)
        if parent is None:
            self._back(branch, None)

    @rule(branch=BRANCHES)
    def clear(self, branch: str) -> None:
        if branch not in self.open:
            return
        commit, files = self.open[branch]
        self.lake.pfs.catalog.commits.clear(commit)
        parent = self.parents[commit]
        files.clear()
        files.update({} if parent is None else self.finished[parent])

    @rule(commit=commits)
    def a_removed_commit_is_not_found(self, commit: Commit) -> None:
        if commit not in self.finished:
            with pytest.raises(NotFound):
                self.lake.read(commit)

    @rule()
    def reopen(self) -> None:
        self.lake.reopen()

    @invariant()
    def every_head_reads_back(self) -> None:
        for branch, commit in self.heads.items():
            if branch not in self.open:
                assert self.finished[commit] == self.lake.read(CommitRef(IMAGES, branch))
        for commit, files in self.open.values():
            assert files == self.lake.read(commit)

    @rule(commit=commits)
    def a_finished_commit_never_changes(self, commit: Commit) -> None:
        if commit in self.finished:
            assert self.finished[commit] == self.lake.read(commit)
            assert self.parents[commit] == self.lake.pfs.catalog.commits.inspect(commit).parent

    @rule(commit=commits, path=PATHS)
    def a_search_finds_each_commit_that_changed_a_path(self, commit: Commit, path: str) -> None:
        if commit not in self.finished:
            return
        expected: list[Commit] = []
        here: Commit | None = commit
        while here is not None:
            parent = self.parents[here]
            if self.finished[here].get(path) != (self.finished[parent].get(path) if parent else None):
                expected.append(here)
            here = parent
        *found, last = find_commits(self.lake.db, self.lake.storage, commit, path)
        assert expected == [each.commit for each in found]
        assert not last.found

    @rule(commit=commits)
    def sizes_and_digests_are_those_of_one_full_write(self, commit: Commit) -> None:
        if commit not in self.finished:
            return
        files = self.finished[commit]
        ref: Commitish = CommitRef(IMAGES, f"fresh-{len(self.heads)}")
        total = self.lake.pfs.files.view(commit).fileset.total
        if files:
            fresh = self.lake.put_all(ref, files)
            assert total == self.lake.pfs.files.view(fresh).fileset.total
            self.lake.pfs.catalog.branches.delete(Branch(IMAGES, f"fresh-{len(self.heads)}"))
        assert sum(map(len, files.values())) == total.size


TestVersionedFiles = VersionedFiles.TestCase
TestVersionedFiles.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)

# SPDX-License-Identifier: Apache-2.0
"""The versioned file system against plain dictionaries: one for each commit that was ever made."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from howdah.model.refs import Branch, Commit, Commitish, CommitRef, File
from howdah.pfs.writes import Copy, Delete, Operation, Put
from tests.pfs.lakes import IMAGES, OpenLake

# Names that sort around the slash, and ranges of more than one row; no name is both a file and a directory.
PATHS = st.sampled_from(["/a", "/a-b", "/b/a", "/b/a.c", "/b-", "/c/d/e", "/c/d/f", "/ö/ü", "/z z"])
DIRECTORIES = st.sampled_from(["/", "/b/", "/c/", "/c/d/", "/missing/"])
CONTENT = st.one_of(st.binary(max_size=20), st.integers(0, 255).map(lambda n: bytes([n]) * ((1 << 20) + n)))
BRANCHES = st.sampled_from(["master", "dev"])
Files = dict[str, bytes]


class VersionedFiles(RuleBasedStateMachine):
    commits: Bundle[Commit] = Bundle("commits")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="howdah-machine-"))
        self.lake = OpenLake(self.folder)
        self.finished: dict[Commit, Files] = {}
        self.open: dict[str, tuple[Commit, Files]] = {}
        self.heads: dict[str, Commit] = {}

    def teardown(self) -> None:
        self.lake.close()
        shutil.rmtree(self.folder)

    @initialize(target=commits)
    def first(self) -> Commit:
        return self._modify("master", [Put("/a", [b"1"])], lambda files: files.update({"/a": b"1"}))

    def _files(self, branch: str) -> Files:
        if branch in self.open:
            return self.open[branch][1]
        return dict(self.finished[self.heads[branch]]) if branch in self.heads else {}

    def _modify(self, branch: str, operations: list[Operation], follow: Callable[[Files], object]) -> Commit:
        files = self._files(branch)
        commit = self.lake.pfs.writes.modify(CommitRef(IMAGES, branch), operations)
        follow(files)
        if branch not in self.open:
            self.finished[commit] = files
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
        data = self.finished[source].get("/a")
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
            self.open[branch] = (self.lake.pfs.catalog.commits.start(Branch(IMAGES, branch)), files)

    @rule(target=commits, branch=BRANCHES)
    def finish(self, branch: str) -> object:
        if branch not in self.open:
            return multiple()
        commit, files = self.open.pop(branch)
        self.lake.pfs.finisher.finish(commit)
        self.finished[commit] = files
        self.heads[branch] = commit
        return commit

    @rule(commit=commits, branch=BRANCHES)
    def move_branch(self, commit: Commit, branch: str) -> None:
        if branch not in self.open:
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
        assert self.finished[commit] == self.lake.read(commit)

    @rule(commit=commits)
    def sizes_and_digests_are_those_of_one_full_write(self, commit: Commit) -> None:
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

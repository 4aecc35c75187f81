# SPDX-License-Identifier: Apache-2.0
"""Describing, clearing and forgetting a commit."""

import pytest

from howdah.errors import ErrorKind, NotFound, Refused
from howdah.kit import fail
from howdah.model.refs import Branch, CommitRef
from tests.pfs.catalogs import ref
from tests.pfs.lakes import HEAD, IMAGES, MASTER, OpenLake


@pytest.fixture
def lake(tmp_path):
    opened = OpenLake(tmp_path)
    yield opened
    opened.close()


def refused(kind, call, *args):
    with pytest.raises(Refused) as error:
        call(*args)
    assert kind == error.value.kind
    return error.value.message


def commits(lake):
    return lake.pfs.catalog.commits


def test_a_finished_commit_is_described(desk):
    """Nothing else of it changes but the time of the change."""
    desk.repo("a")
    commit = desk.commit("a")
    before = desk.commits.inspect(commit)
    desk.clock.advance(1)

    assert commit == desk.commits.describe(ref("a@master"), "the good one")

    after = desk.commits.inspect(commit)
    assert ("the good one", desk.clock.now()) == (after.description, after.updated_at)
    assert (before.finished_at, before.size_bytes) == (after.finished_at, after.size_bytes)
    assert "updated" == desk.events(f"repo/default/a.user/commit/{commit.id}")[-1][1]


def test_an_alias_is_not_described(desk):
    """It is a commit of another set."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    desk.commit("x")
    commit = desk.commit("a")

    with pytest.raises(NotFound):
        desk.commits.describe(ref("x", commit.id), "text")


@pytest.mark.parametrize("puts", [1, 3, 40])
def test_a_cleared_commit_holds_what_its_parent_does(lake, puts):
    """Whether what was written was merged by then or not; it can be written again and finished."""
    lake.put(HEAD, "/old", b"old")
    commit = commits(lake).start(MASTER)
    for number in range(puts):
        lake.put(commit, f"/{number}", b"x")
    assert 1 + puts == len(lake.read(commit))

    commits(lake).clear(commit)

    assert {"/old": b"old"} == lake.read(commit)
    lake.put(commit, "/new", b"new")
    assert {"/new": b"new", "/old": b"old"} == lake.read(commit)
    lake.pfs.finisher.finish(commit)
    assert {"/new": b"new", "/old": b"old"} == lake.read(HEAD)


def test_what_is_cleared_while_it_is_finished_is_not_in_the_commit(lake):
    """The finisher had merged it already, and merges again."""
    commit = commits(lake).start(MASTER)
    lake.put(commit, "/a", b"x")

    cleared = []

    def clear():
        if not cleared:
            cleared.append(commits(lake).clear(commit))

    with fail.during("pfs.finish.stored", clear):
        lake.pfs.finisher.finish(commit)

    assert {} == lake.read(commit)


def test_a_finished_commit_is_not_cleared(lake):
    """It never changes; the text is the one that clients look for."""
    commit = lake.put(HEAD, "/a", b"x")

    assert "has already finished" in refused(ErrorKind.COMMIT_FINISHED, commits(lake).clear, commit)


def test_a_dropped_commit_can_be_neither_read_nor_written(lake):
    """Also by those who found it before it went."""
    lake.put(HEAD, "/a", b"x")
    commit = commits(lake).start(MASTER)
    lake.put(commit, "/b", b"y")

    with fail.during("pfs.modify.stored", lambda: lake.pfs.catalog.removals.drop(commit)), pytest.raises(NotFound):
        lake.put(commit, "/c", b"z")

    with pytest.raises(NotFound):
        lake.read(commit)
    assert {"/a": b"x"} == lake.read(HEAD)


def test_forgotten_files_are_not_read(lake):
    """The commit, its size and its children stay."""
    first = lake.put(HEAD, "/a", b"x")
    second = lake.put(HEAD, "/b", b"yy")

    commits(lake).forget(first)

    text = refused(ErrorKind.COMMIT_FORGOTTEN, lake.read, first)
    assert f"commit {first} is forgotten" in text
    info = commits(lake).inspect(first)
    assert (1, 1, (second,)) == (info.size_bytes, info.files, info.children)
    assert {"/a": b"x", "/b": b"yy"} == lake.read(second)
    lake.put(HEAD, "/c", b"z")


def test_forgetting_again_does_nothing(lake):
    """The commit is as it was."""
    first = lake.put(HEAD, "/a", b"x")
    lake.put(HEAD, "/b", b"y")
    commits(lake).forget(first)
    before = commits(lake).inspect(first)

    commits(lake).forget(first)

    assert before == commits(lake).inspect(first)


def test_what_a_branch_shows_is_not_forgotten(lake):
    """Its head, and the good commit below a bad head."""
    first = lake.put(HEAD, "/a", b"x")
    assert f"branch {MASTER} shows" in refused(ErrorKind.HAS_DEPENDANTS, commits(lake).forget, first)

    bad = commits(lake).start(MASTER)
    lake.pfs.finisher.finish(bad, error="broken")

    assert f"branch {MASTER} shows" in refused(ErrorKind.HAS_DEPENDANTS, commits(lake).forget, first)


def test_what_an_open_commit_is_made_from_is_not_forgotten(lake):
    """Its child needs its files to be finished."""
    first = lake.put(HEAD, "/a", b"x")
    child = commits(lake).start(MASTER)

    assert str(child) in refused(ErrorKind.HAS_DEPENDANTS, commits(lake).forget, first)
    assert "not finished" in refused(ErrorKind.COMMIT_OPEN, commits(lake).forget, child)


def test_nothing_is_written_on_top_of_forgotten_files(lake):
    """Neither in one call nor in an open commit."""
    first = lake.put(HEAD, "/a", b"x")
    lake.put(HEAD, "/b", b"y")
    commits(lake).forget(first)
    lake.pfs.catalog.branches.create(Branch(IMAGES, "back"), first)

    refused(ErrorKind.COMMIT_FORGOTTEN, lake.put, CommitRef(IMAGES, "back"), "/c", b"z")

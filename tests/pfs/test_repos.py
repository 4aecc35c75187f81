# SPDX-License-Identifier: Apache-2.0
"""Repos: making, describing, listing and deleting them."""

import re

import pytest

from howdah.errors import AlreadyExists, BadRequest, ErrorKind, NotFound, Refused
from howdah.model.refs import Repo
from howdah.model.states import CommitState
from tests.pfs.catalogs import branch, repo


def test_a_repo_is_created_once(desk):
    """The second time is an error, unless it is an update of the description."""
    desk.repos.create(repo("images"), "first")

    with pytest.raises(AlreadyExists) as error:
        desk.repos.create(repo("images"), "second")
    assert ErrorKind.REPO_EXISTS == error.value.kind
    assert "already exists" in str(error.value)

    desk.repos.create(repo("images"), "third", update=True)
    assert "third" == desk.repos.inspect(repo("images")).description


def test_a_repo_needs_its_project(desk):
    """No project is made on the way."""
    with pytest.raises(NotFound) as error:
        desk.repos.create(repo("nowhere/images"))

    assert ErrorKind.PROJECT_NOT_FOUND == error.value.kind


@pytest.mark.parametrize("bad", [Repo("default", "a b"), Repo("default", "__filesets__"), Repo("default", "a", "x")])
def test_a_bad_name_or_type_is_refused(desk, bad):
    """So is the name that stands for filesets."""
    with pytest.raises(BadRequest) as error:
        desk.repos.create(bad)

    assert ErrorKind.BAD_NAME == error.value.kind


def test_a_system_repo_needs_its_user_repo(desk):
    """`a.meta` is only made beside `a`."""
    with pytest.raises(NotFound):
        desk.repos.create(repo("a.meta"))

    desk.repo("a", "a.meta")
    assert [repo("a.meta"), repo("a")] == [each.repo for each in desk.repos.list()]


def test_a_missing_repo_is_not_found(desk):
    """The text is the one that clients look for."""
    with pytest.raises(NotFound) as error:
        desk.repos.inspect(repo("images"))

    assert re.match("repo default/images not found", str(error.value))


def test_repos_are_listed_by_project_and_name(desk):
    """Filtered by type and project if asked, across pages."""
    desk.projects.create("b")
    desk.repo(*(f"default/r{n:03}" for n in range(205)), "b/x", "b/x.spec")

    assert ["b/x.spec", "b/x", "default/r000"] == [str(each.repo) for each in desk.repos.list()][:3]
    assert 207 == len(list(desk.repos.list()))
    assert 206 == len(list(desk.repos.list("user")))
    assert ["b/x.spec", "b/x"] == [str(each.repo) for each in desk.repos.list(projects=["b"])]
    assert ["b/x.spec"] == [str(each.repo) for each in desk.repos.list("spec", ["b"])]


def test_one_page_of_repos_can_be_asked_for(desk):
    """Pages count from 0; one past the end is empty."""
    desk.repo("a", "b", "c")

    pages = [[each.repo.name for each in desk.repos.list(page_size=2, page_index=index)] for index in range(3)]

    assert [["a", "b"], ["c"], []] == pages
    with pytest.raises(BadRequest):
        desk.repos.list(page_size=-1)


def test_the_size_is_that_of_the_last_good_finished_commit_of_master(desk):
    """Open commits, failed ones and other branches do not count."""
    desk.repo("a")
    assert 0 == desk.repos.inspect(repo("a")).size_bytes

    desk.commit("a", size=7)
    desk.commit("a", size=99, error="it broke")
    desk.commit("a@dev", size=50)
    desk.start("a")

    info = desk.repos.inspect(repo("a"))
    assert 7 == info.size_bytes
    assert (branch("a"), branch("a@dev")) == info.branches


def test_deleting_a_repo_takes_all_of_it(desk):
    """Branches, commits, and the siblings of a user's repo; a new one of that name starts empty."""
    desk.repo("a", "a.meta", "a.spec")
    for _ in range(3):
        desk.commit("a")
    desk.start("a.meta")

    assert desk.repos.delete(repo("a"))

    assert [] == list(desk.repos.list())
    desk.repo("a")
    assert [] == list(desk.commits.list(repo("a")))
    assert [] == list(desk.branches.list(repo("a")))


def test_deleting_a_sibling_leaves_the_user_repo(desk):
    """Only the other way round do they go together."""
    desk.repo("a", "a.meta")

    assert desk.repos.delete(repo("a.meta"))

    assert [repo("a")] == [each.repo for each in desk.repos.list()]


def test_deleting_a_missing_repo_says_that_nothing_was_deleted(desk):
    """It is no error."""
    assert not desk.repos.delete(repo("a"))


def test_a_repo_that_others_depend_on_is_not_deleted(desk):
    """Force cuts them off; they keep their commits."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.commit("a")

    with pytest.raises(Refused) as error:
        desk.repos.delete(repo("a"))
    assert ErrorKind.HAS_DEPENDANTS == error.value.kind

    desk.repos.delete(repo("a"), force=True)
    assert () == desk.branches.inspect(branch("b")).provenance
    assert 2 == len(list(desk.commits.list(repo("b"))))
    assert () == desk.info("b").direct_provenance


def test_commits_that_waited_for_a_deleted_repo_become_ready(desk):
    """Nothing is left that they could wait for."""
    desk.repo("a", "c")
    desk.pipeline("b", "a", "c")
    desk.start("a")
    desk.finish(desk.start("c"))
    assert CommitState.STARTED == desk.info("b").state

    desk.repos.delete(repo("a"), force=True)

    assert CommitState.READY == desk.info("b").state


def test_a_guard_forbids_the_deletion_of_a_repo(desk):
    """It is asked for the repo and its siblings."""
    asked = []
    desk.repos.guards.append(lambda tx, each: asked.append(str(each)))
    desk.repo("a", "a.meta")

    desk.repos.delete(repo("a"))

    assert ["default/a", "default/a.meta"] == asked


def test_deletion_is_told_to_those_who_wait(desk):
    """Each open commit, each branch and the repo itself have an event."""
    desk.repo("a")
    done = desk.commit("a")
    commit = desk.start("a")
    desk.repos.delete(repo("a"))

    deleted = [subject for subject, kind in desk.events("repo/default/a.user") if kind == "deleted"]

    base = "repo/default/a.user"
    assert [f"{base}/branch/master", f"{base}/commit/{commit.id}", base] == deleted
    assert f"{base}/commit/{done.id}" not in deleted

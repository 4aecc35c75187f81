# SPDX-License-Identifier: Apache-2.0
"""Labels: the user's own keys and values."""

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.model.refs import Commit
from howdah.pfs import labels
from howdah.pfs.labels import Add, Remove, Replace, Set
from tests.pfs.catalogs import branch, ref, repo


def test_edits_change_what_they_say():
    """Replace all, add one, set one, remove one."""
    old = {"a": "1", "b": "2"}

    assert {"c": "3"} == labels.edited(old, Replace({"c": "3"}), "x")
    assert {"a": "1", "b": "2", "c": "3"} == labels.edited(old, Add("c", "3"), "x")
    assert {"a": "9", "b": "2"} == labels.edited(old, Set("a", "9"), "x")
    assert {"a": "1", "b": "2", "c": "3"} == labels.edited(old, Set("c", "3"), "x")
    assert {"b": "2"} == labels.edited(old, Remove("a"), "x")
    assert old == labels.edited(old, Remove("c"), "x")


def test_a_key_is_added_once():
    """Whoever adds it wants to be told that it is there."""
    with pytest.raises(Refused) as error:
        labels.edited({"a": "1"}, Add("a", "2"), "repo x")

    assert ErrorKind.LABEL_EXISTS == error.value.kind
    assert "key a of repo x" in error.value.message


@pytest.mark.parametrize("edit", [Add("", "1"), Set("", "1"), Remove(""), Replace({"": "1"})])
def test_a_key_has_a_name(edit):
    """The empty one is none."""
    with pytest.raises(BadRequest):
        labels.edited({}, edit, "x")


def test_labels_are_shown_where_they_are_kept(desk):
    """In the infos of everything that has some."""
    desk.repo("a")
    commit = desk.commit("a")

    with desk.catalog.work() as work:
        labels.edit_project(work, "default", Add("on", "project"))
        labels.edit_repo(work, repo("a"), Add("on", "repo"))
        labels.edit_branch(work, branch("a"), Add("on", "branch"))
        labels.edit_commit(work, ref("a@master"), Add("on", "commit"))
        labels.edit_lake(work, Add("on", "lake"))
        labels.edit_lake(work, Add("too", "lake"))

    assert {"on": "project"} == desk.projects.inspect("default").metadata
    assert {"on": "repo"} == desk.repos.inspect(repo("a")).metadata
    assert {"on": "branch"} == desk.branches.inspect(branch("a")).metadata
    assert {"on": "commit"} == desk.commits.inspect(commit).metadata
    with desk.db.read() as tx:
        assert {"on": "lake", "too": "lake"} == labels.lake_labels(tx)


def test_all_edits_happen_or_none(desk):
    """One that is refused takes the others with it."""
    desk.repo("a")

    def edit():
        with desk.catalog.work() as work:
            labels.edit_repo(work, repo("a"), Set("k", "v"))
            labels.edit_lake(work, Set("k", "v"))
            labels.edit_commit(work, Commit(repo("a"), "0" * 32), Set("k", "v"))

    with pytest.raises(NotFound):
        edit()

    assert {} == desk.repos.inspect(repo("a")).metadata
    with desk.db.read() as tx:
        assert {} == labels.lake_labels(tx)


def test_an_edit_is_an_event(desk):
    """So that pages that show it are made anew."""
    desk.repo("a")

    with desk.catalog.work() as work:
        labels.edit_repo(work, repo("a"), Set("k", "v"))
        labels.edit_lake(work, Set("k", "v"))

    assert ("repo/default/a.user", "updated") in desk.events("repo/")
    assert [("lake", "updated")] == desk.events("lake")

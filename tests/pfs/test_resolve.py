# SPDX-License-Identifier: Apache-2.0
"""References: heads, ids, steps through history, and aliases."""

import re

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.refs import Ancestry, Commit, CommitRef
from howdah.pfs.resolve import resolve
from tests.pfs.catalogs import branch, ref, repo


@pytest.fixture
def history(desk):
    """Five commits of one branch, oldest first."""
    desk.repo("a")
    return [desk.commit("a") for _ in range(5)]


def place(desk, history, *args, **options):
    """Which of the commits a reference means, counted from 0."""
    return history.index(desk.commits.resolve(ref(*args, **options)))


def test_a_branch_means_its_head(desk, history):
    """And an id the commit itself, whatever branch is named beside it."""
    assert 4 == place(desk, history, "a@master")
    assert 1 == place(desk, history, "a", history[1].id)
    assert 1 == place(desk, history, "a@nowhere", history[1].id)
    assert history[1] == desk.commits.resolve(history[1])


def test_steps_go_up_to_parents(desk, history):
    """From a branch or from an id."""
    assert [4, 3, 0] == [place(desk, history, "a@master", ancestry=Ancestry(n)) for n in (0, 1, 4)]
    assert 1 == place(desk, history, "a", history[2].id, ancestry=Ancestry(1))


def test_steps_count_from_the_root(desk, history):
    """The first is 1; and up from there."""
    found = [place(desk, history, "a@master", ancestry=Ancestry(0, n)) for n in (1, 2, 5)]

    assert [0, 1, 4] == found
    assert 1 == place(desk, history, "a@master", ancestry=Ancestry(2, 4))


@pytest.mark.parametrize("steps", [Ancestry(5), Ancestry(2**32 - 1), Ancestry(0, 6)])
def test_steps_out_of_the_history_find_nothing(desk, history, steps):
    """The text is the one that clients look for."""
    with pytest.raises(NotFound) as error:
        desk.commits.resolve(ref("a@master", ancestry=steps))

    assert ErrorKind.COMMIT_NOT_FOUND == error.value.kind
    assert re.match("commit [^ ]+ not found", str(error.value))


def test_what_is_missing_is_named(desk, history):
    """Repo, branch or commit."""
    missing = [(ref("b@master"), "repo"), (ref("a@dev"), "branch"), (Commit(repo("a"), "0" * 32), "commit")]

    for wanted, what in missing:
        with pytest.raises(NotFound) as error:
            desk.commits.inspect(wanted)
        assert str(error.value).startswith(what)
        assert "not found" in str(error.value)


def test_a_reference_must_name_something(desk, history):
    """A repo alone is no commit."""
    with pytest.raises(BadRequest) as error:
        desk.commits.resolve(CommitRef(repo("a")))

    assert ErrorKind.BAD_REFERENCE == error.value.kind


def test_a_set_means_the_commits_that_it_was_made_from(desk):
    """A repo that made none in it answers with the one in its provenance, however far up."""
    desk.repo("a", "x")
    desk.pipeline("b", "x")
    desk.pipeline("c", "b", "a")
    older, old = desk.commit("x"), desk.head("b")
    desk.finish(old)
    commit = desk.commit("a")
    desk.commit("x")

    assert old == desk.commits.resolve(ref("b", commit.id))
    assert older == desk.commits.resolve(Commit(repo("x"), commit.id))
    assert older == desk.commits.inspect(ref("x", commit.id)).commit


def test_of_two_commits_of_a_repo_a_set_means_the_newer(desk):
    """A model that is not followed may have a part in a set twice, by way of an older result."""
    desk.repo("a", "model", "x")
    desk.pipeline("b", "a", "model", never=[branch("model")])
    desk.pipeline("c", "b", "x", "model")
    newer = desk.commit("model")

    commit = desk.commit("x")

    assert newer == desk.commits.resolve(ref("model", commit.id))


def test_a_repo_without_a_part_in_a_set_has_no_commit_in_it(desk):
    """Neither does one that only depends on it later."""
    desk.repo("a", "x")
    commit = desk.commit("a")
    desk.pipeline("b", "a")

    for name in ("x", "b"):
        with pytest.raises(NotFound):
            desk.commits.resolve(ref(name, commit.id))


def test_an_alias_has_ancestors(desk):
    """Steps go on from the commit that it means."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    first = desk.commit("x")
    desk.commit("x")
    commit = desk.start("a")

    assert first == desk.commits.resolve(ref("x", commit.id, Ancestry(1)))


def test_an_alias_is_no_row_of_its_own(desk):
    """Whoever writes needs the commit itself."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    commit = desk.start("a")

    with desk.db.read() as tx, pytest.raises(NotFound):
        desk.commits.row(tx, Commit(repo("x"), commit.id))


def test_the_head_of_a_branch_may_be_missing(desk):
    """A writer asks for it before the branch is there."""
    desk.repo("a")
    with desk.db.read() as tx:
        assert desk.commits.head(tx, branch("a")) is None

    commit = desk.start("a")

    with desk.db.read() as tx:
        assert commit == desk.commits.head(tx, branch("a")).commit
        assert desk.commits.row(tx, commit) == resolve(tx, ref("a@master"))

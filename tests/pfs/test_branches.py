# SPDX-License-Identifier: Apache-2.0
"""Branches: heads, provenance and what a graph of them may look like."""

import re

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.model.refs import Branch
from howdah.model.states import CommitState, OriginKind
from tests.pfs.catalogs import branch, ref, repo


def test_a_new_branch_has_an_empty_finished_head(desk):
    """Nobody has to start a commit before the branch can be read."""
    desk.repo("a")

    desk.branches.create(branch("a"))

    head = desk.info("a")
    assert (CommitState.FINISHED, OriginKind.AUTO, 0, 0) == (head.state, head.origin, head.files, head.size_bytes)
    assert (None, ()) == (head.parent, head.direct_provenance)


def test_a_new_output_branch_has_an_open_head(desk):
    """It follows from its provenance at once, and missing branches of that are made."""
    desk.repo("a", "b")

    desk.follow("b", "a")

    head = desk.info("b")
    assert (CommitState.READY, OriginKind.AUTO) == (head.state, head.origin)
    assert (desk.head("a"),) == head.direct_provenance
    assert desk.head("a").id == head.commit.id
    assert CommitState.FINISHED == desk.info("a").state


def test_a_repetition_does_nothing(desk):
    """No commit, no event."""
    desk.repo("a")
    desk.pipeline("b", "a")
    before = desk.events()

    desk.branches.create(branch("a"))
    desk.follow("b", "a")
    desk.branches.create(branch("a"), head=ref("a@master"))

    assert before == desk.events()


def test_a_branch_can_be_made_of_any_commit(desk):
    """By its id, by another branch, forward and back."""
    desk.repo("a")
    first = desk.commit("a")
    second = desk.commit("a")

    desk.branches.create(branch("a@dev"), head=first)
    assert first == desk.head("a@dev")
    desk.branches.create(branch("a@dev"), head=ref("a@master"))
    assert second == desk.head("a@dev")
    desk.branches.create(branch("a"), head=first)
    assert first == desk.head("a")


def test_a_head_in_another_repo_is_refused(desk):
    """A branch names commits of its own repo."""
    desk.repo("a", "b")
    commit = desk.commit("a")

    with pytest.raises(BadRequest) as error:
        desk.branches.create(branch("b"), head=commit)

    assert ErrorKind.BAD_ARGUMENT == error.value.kind


def test_a_missing_head_leaves_no_branch(desk):
    """The branch is made with its head or not at all."""
    desk.repo("a")

    with pytest.raises(NotFound):
        desk.branches.create(branch("a"), head=ref("a@dev"))

    assert [] == list(desk.branches.list(repo("a")))


def test_a_bad_name_is_refused(desk):
    """So is one that looks like a commit id."""
    desk.repo("a")

    for name in ("a.b", "", "4f1c2b3a4d5e4f6a8b9c0d1e2f3a4b5c"):
        with pytest.raises(BadRequest) as error:
            desk.branches.create(Branch(repo("a"), name))
        assert ErrorKind.BAD_NAME == error.value.kind


def test_a_missing_branch_is_not_found(desk):
    """The text is the one that clients look for, and the repo is looked for first."""
    with pytest.raises(NotFound) as error:
        desk.branches.inspect(branch("a"))
    assert ErrorKind.REPO_NOT_FOUND == error.value.kind

    desk.repo("a")
    with pytest.raises(NotFound) as error:
        desk.branches.inspect(branch("a"))
    assert re.fullmatch("branch .+ not found in repo .+", str(error.value))


def test_a_repo_cannot_follow_itself(desk):
    """Not even from one branch to another."""
    desk.repo("a")

    with pytest.raises(BadRequest) as error:
        desk.follow("a@dev", "a")

    assert ErrorKind.DAG_INVALID == error.value.kind


def test_a_cycle_is_refused(desk):
    """However long it is."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.pipeline("c", "b")

    with pytest.raises(BadRequest) as error:
        desk.follow("a", "c")

    assert ErrorKind.DAG_INVALID == error.value.kind
    assert () == desk.branches.inspect(branch("a")).provenance


def test_a_dag_holds_one_branch_of_a_repo(desk):
    """A commit set has one commit for each repo, so two branches of one could not both follow."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")

    with pytest.raises(BadRequest) as error:
        desk.pipeline("c", "b", "a@dev")
    assert ErrorKind.DAG_INVALID == error.value.kind

    desk.follow("c", "b")
    with pytest.raises(BadRequest):
        desk.pipeline("d", "c", "x@dev")


def test_a_dag_is_all_that_is_connected(desk):
    """Also by way of a branch that both sides merely share."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")

    with pytest.raises(BadRequest) as error:
        desk.pipeline("c", "a@dev", "x")

    assert ErrorKind.DAG_INVALID == error.value.kind


def test_separate_dags_may_use_branches_of_one_repo(desk):
    """What is not connected does not matter."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.pipeline("c", "a@dev")

    assert (branch("a@dev"),) == desk.branches.inspect(branch("c")).provenance


def test_provenance_is_shown_in_full(desk):
    """Direct in the order given, all in the order of names, and the other way round."""
    desk.repo("a", "x")
    desk.pipeline("b", "x", "a")
    desk.pipeline("c", "b")

    middle, last = desk.branches.inspect(branch("b")), desk.branches.inspect(branch("c"))

    assert (branch("x"), branch("a")) == middle.direct_provenance
    assert (branch("c"),) == middle.subvenance
    assert (branch("b"),) == last.direct_provenance
    assert (branch("a"), branch("b"), branch("x")) == last.provenance
    assert (branch("b"), branch("c")) == desk.branches.inspect(branch("a")).subvenance


def test_a_branch_not_to_be_followed_must_be_in_the_provenance(desk):
    """`never` speaks of edges that there are."""
    desk.repo("a", "b", "x")

    with pytest.raises(BadRequest):
        desk.follow("b", "a", never=[branch("x")])


def test_branches_are_listed_newest_first(desk):
    """Across pages; in reverse oldest first; of all repos if none is named."""
    desk.repo("a", "b")
    names = [f"n{n}" for n in range(203)]
    commit = desk.commit("b")
    for name in names:
        desk.branches.create(branch(f"b@{name}"), head=commit)
    desk.branches.create(branch("a"))

    assert [*reversed(names), "master"] == [each.branch.name for each in desk.branches.list(repo("b"))]
    assert ["master", *names] == [each.branch.name for each in desk.branches.list(repo("b"), reverse=True)]
    assert branch("a") == next(desk.branches.list()).branch
    with pytest.raises(NotFound):
        desk.branches.list(repo("nowhere"))


def test_deleting_a_branch_keeps_its_commits(desk):
    """They are still found by id, and know which branch they were made on."""
    desk.repo("a")
    commit = desk.commit("a")

    desk.branches.delete(branch("a"))

    assert "master" == desk.commits.inspect(commit).branch
    with pytest.raises(NotFound):
        desk.branches.inspect(branch("a"))
    with pytest.raises(NotFound):
        desk.branches.delete(branch("a"))


def test_a_branch_that_others_depend_on_is_not_deleted(desk):
    """Unless it is forced; then they depend on it no more."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")

    with pytest.raises(Refused) as error:
        desk.branches.delete(branch("a"))
    assert ErrorKind.HAS_DEPENDANTS == error.value.kind

    desk.branches.delete(branch("a"), force=True)
    assert (branch("x"),) == desk.branches.inspect(branch("b")).direct_provenance


def test_an_output_branch_can_be_deleted(desk):
    """What it depended on is left as it was."""
    desk.repo("a")
    desk.pipeline("b", "a")

    desk.branches.delete(branch("b"))

    assert () == desk.branches.inspect(branch("a")).subvenance


def test_changes_of_a_branch_are_events(desk):
    """Created, moved and deleted."""
    desk.repo("a")
    desk.commit("a")
    desk.commit("a")
    desk.branches.delete(branch("a"))

    kinds = [kind for _, kind in desk.events("repo/default/a.user/branch/master")]

    assert ["created", "moved", "deleted"] == kinds

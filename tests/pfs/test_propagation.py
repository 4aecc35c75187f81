# SPDX-License-Identifier: Apache-2.0
"""Commits follow branches: a branch depends on another exactly if its head depends on the other's head."""

from contextlib import contextmanager, suppress
from itertools import count as count_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import BadRequest, ErrorKind, Refused
from howdah.model.states import CommitState, OriginKind
from howdah.pfs import branches, starting
from tests.pfs.catalogs import Desk, branch, ref, repo


def set_of(desk, set_id):
    """The names of the repos that made a commit in a set."""
    [found] = [each for each in desk.sets.list() if each.id == set_id]
    return [each.commit.repo.name for each in found.commits]


def count(desk, name):
    return len(list(desk.commits.list(repo(name))))


def start_both(desk, first, second):
    """Two commits in one work."""
    with desk.catalog.work() as work:
        return starting.start(work, branch(first)), starting.start(work, branch(second))


def test_what_follows_appears_with_the_commit_that_starts_it(desk):
    """In the same commit set, before anything is finished."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.pipeline("c", "b")
    before = desk.head("b")

    commit = desk.start("a")

    info = desk.info("b")
    assert [commit.id] * 2 == [desk.head(name).id for name in ("b", "c")]
    assert (CommitState.STARTED, OriginKind.AUTO, before, (commit,)) == (
        info.state,
        info.origin,
        info.parent,
        info.direct_provenance,
    )
    assert (desk.head("c"),) == info.direct_subvenance
    assert ["a", "b", "c"] == set_of(desk, commit.id)


def test_finishing_makes_ready_step_by_step(desk):
    """A commit is ready when all that it depends on directly is finished."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.pipeline("c", "b")
    commit = desk.start("a")

    desk.finish(commit)
    assert [CommitState.READY, CommitState.STARTED] == [desk.info(name).state for name in ("b", "c")]

    desk.clock.advance(1)
    desk.finish(desk.head("b"))
    assert desk.clock.now() == desk.info("c").ready_at
    assert ["started", "ready"] == [kind for _, kind in desk.events(f"repo/default/c.user/commit/{commit.id}")]


def test_a_cross_takes_the_present_head_of_the_other_input(desk):
    """The input that did not move makes no commit."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    other = desk.commit("x")

    commit = desk.start("a")

    assert {commit, other} == set(desk.info("b").direct_provenance)
    assert ["a", "b"] == set_of(desk, commit.id)


def test_a_cross_waits_for_both_inputs(desk):
    """Each move makes a commit of its own; the last is ready when both are finished."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    first, second = desk.start("a"), desk.start("x")

    desk.finish(second)
    assert CommitState.STARTED == desk.info("b").state

    desk.finish(first)
    assert (CommitState.READY, second.id) == (desk.info("b").state, desk.head("b").id)


def test_a_diamond_gets_one_commit_at_its_foot(desk):
    """Not one for each way."""
    desk.repo("a")
    desk.pipeline("left", "a")
    desk.pipeline("right", "a")
    desk.pipeline("foot", "left", "right", "a")
    before = count(desk, "foot")

    commit = desk.commit("a")

    assert 1 == count(desk, "foot") - before
    assert {desk.head(name) for name in ("a", "left", "right")} == set(desk.info("foot").direct_provenance)
    desk.finish(desk.head("left"))
    assert CommitState.STARTED == desk.info("foot").state
    desk.finish(desk.head("right"))
    assert CommitState.READY == desk.info("foot").state
    assert commit.id == desk.head("foot").id


def test_moving_a_head_propagates(desk):
    """Back to an older commit too: the result of that is made anew."""
    desk.repo("a")
    desk.pipeline("b", "a")
    first = desk.commit("a")
    second = desk.commit("a")
    assert (second,) == desk.info("b").direct_provenance

    desk.branches.create(branch("a"), head=first)

    assert (first,) == desk.info("b").direct_provenance
    assert desk.head("b").id not in (first.id, second.id)
    assert CommitState.READY == desk.info("b").state


def test_an_output_that_is_moved_back_is_made_anew(desk):
    """Its old commit depends on old input, and the input has not moved back."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.finish(desk.head("b"))
    old = desk.head("b")
    new = desk.commit("a")

    desk.branches.create(branch("b"), head=old, provenance=[branch("a")])

    assert (old, (new,)) == (desk.info("b").parent, desk.info("b").direct_provenance)


def test_more_provenance_makes_a_commit(desk):
    """And so does less, as long as some is left."""
    desk.repo("a", "x")
    desk.pipeline("b", "a")

    desk.follow("b", "a", "x")
    assert {desk.head("a"), desk.head("x")} == set(desk.info("b").direct_provenance)

    desk.follow("b", "x")
    assert (desk.head("x"),) == desk.info("b").direct_provenance
    assert 3 == count(desk, "b")


def test_a_branch_without_provenance_is_left_alone(desk):
    """A stopped pipeline's output keeps its history, and may be written."""
    desk.repo("a")
    desk.pipeline("b", "a")
    head = desk.head("b")

    desk.follow("b")
    desk.commit("a")
    assert head == desk.head("b")

    desk.finish(head)
    assert head == desk.commits.inspect(desk.start("b")).parent


def test_restoring_provenance_makes_a_commit_if_something_moved(desk):
    """And none if nothing did."""
    desk.repo("a")
    desk.pipeline("b", "a")
    head = desk.head("b")

    desk.follow("b")
    desk.follow("b", "a")
    assert head == desk.head("b")

    desk.follow("b")
    commit = desk.commit("a")
    desk.follow("b", "a")
    assert (commit,) == desk.info("b").direct_provenance


def test_a_branch_that_is_never_followed_moves_alone(desk):
    """Its present head is still used whenever something else moves."""
    desk.repo("a", "model")
    desk.pipeline("b", "a", "model", never=[branch("model")])
    desk.pipeline("c", "b")
    heads = [desk.head("b"), desk.head("c")]

    model = desk.commit("model")
    assert heads == [desk.head("b"), desk.head("c")]

    commit = desk.commit("a")
    assert {commit, model} == set(desk.info("b").direct_provenance)


def test_an_edge_that_is_not_followed_does_not_tell_commits_apart(desk):
    """An output may be moved back to a commit made from an older model, while that model gets a newer one."""
    desk.repo("a", "source")
    desk.pipeline("model", "source")
    desk.pipeline("b", "a", "model", never=[branch("model")])
    old_input, old = desk.head("a"), desk.head("b")
    desk.commit("source")
    desk.commit("a")

    with desk.catalog.work() as work:
        branches.create(work, branch("a"), head=old_input)
        branches.create(work, branch("b"), head=old, provenance=[branch("a"), branch("model")], never=[branch("model")])
        commit = starting.start(work, branch("source"))

    assert (old, commit.id) == (desk.head("b"), desk.head("model").id)


def test_whoever_is_told_of_new_commits_gets_them_in_order(desk):
    """Inside the transaction, with those that depend on others last; the user's own commit is not among them."""
    told = []
    desk.repo("a")
    desk.pipeline("c", "a")
    desk.pipeline("b", "c")
    desk.catalog.on_propagated.append(lambda tx, made: told.append(made))

    commit = desk.start("a")

    [made] = told
    assert [(repo("c"), "master", commit.id), (repo("b"), "master", commit.id)] == [
        (each.repo, each.branch, each.set_id) for each in made
    ]
    assert desk.row(desk.head("c")).id == made[0].row_id
    assert [False, False] == [each.ready for each in made]


def test_what_a_hook_refuses_has_not_happened(desk):
    """Neither the commit nor what would have followed."""

    def refuse(tx, made):
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "no")

    desk.repo("a")
    desk.pipeline("b", "a")
    before = desk.events()
    desk.catalog.on_propagated.append(refuse)

    with pytest.raises(BadRequest):
        desk.start("a")

    assert before == desk.events()


def test_one_work_makes_one_set(desk):
    """Two inputs that are started together make one output commit."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    before = count(desk, "b")

    first, second = start_both(desk, "a", "x")

    assert first.id == second.id == desk.head("b").id
    assert 1 == count(desk, "b") - before
    assert {first, second} == set(desk.info("b").direct_provenance)


def test_a_work_can_be_given_its_set(desk):
    """The id of a transaction becomes the id of all that it makes."""
    set_id = "4f1c2b3a4d5e4f6a8b9c0d1e2f3a4b5c"
    desk.repo("a")

    with desk.catalog.work(set_id) as work:
        starting.start(work, branch("a"))

    assert set_id == desk.head("a").id


def test_a_repo_has_one_commit_in_a_set(desk):
    """Two are refused, and then nothing has happened."""
    desk.repo("a")

    with pytest.raises(BadRequest) as error:
        start_both(desk, "a", "a@dev")

    assert ErrorKind.DAG_INVALID == error.value.kind
    assert [] == list(desk.commits.list(repo("a")))


def test_branches_of_one_repo_in_separate_dags_cannot_follow_in_one_set(desk):
    """The set would have two commits of that repo."""
    desk.repo("a", "x")
    desk.pipeline("b", "a")
    desk.follow("b@dev", "x")
    before = desk.events()

    with pytest.raises(BadRequest) as error:
        start_both(desk, "a", "x")

    assert ErrorKind.DAG_INVALID == error.value.kind
    assert before == desk.events()


REPOS = 6
numbers = st.integers(0, REPOS - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("start"), numbers),
        st.tuples(st.just("finish"), numbers),
        st.tuples(st.just("back"), numbers),
        st.tuples(st.just("follow"), numbers, st.sets(numbers, min_size=1, max_size=3)),
        st.tuples(st.just("stop"), numbers),
        st.tuples(st.just("drop"), numbers, st.booleans()),
        st.tuples(st.just("squash"), numbers, st.booleans()),
    ),
    max_size=14,
)


def take(desk, names, step, *args):
    """One step of a random history; what makes no sense in its state is left out."""
    name = names[args[0]]
    info = desk.info(name)
    upstreams = desk.branches.inspect(branch(name)).direct_provenance
    if step == "start" and not upstreams and info.state == CommitState.FINISHED:
        desk.start(name)
    elif step == "finish" and info.state == CommitState.READY:
        desk.finish(info.commit)
    elif step == "back" and info.parent is not None:
        desk.branches.create(branch(name), head=info.parent, provenance=upstreams)
    elif step == "stop":
        desk.follow(name)
    elif step == "follow" and (lower := [names[each] for each in sorted(args[1]) if each < args[0]]):
        desk.follow(name, *lower)
    elif step == "drop":
        remove(desk.removals.drop, desk.removals.drop_set, info.commit, *args[1:])
    elif step == "squash" and info.parent is not None:
        remove(desk.removals.squash, desk.removals.squash_set, info.parent, *args[1:])


def remove(one, whole_set, commit, recursive):
    """Remove a commit with what depends on it, or its set, if that is allowed."""
    with suppress(Refused):
        if recursive:
            one(commit, recursive=True)
        else:
            whole_set(commit.id)


def check(desk, names):
    """The invariant, edge by edge; so it holds along every path too."""
    for info in (desk.branches.inspect(branch(name)) for name in names):
        head = desk.commits.inspect(info.head)
        if info.direct_provenance:
            assert {desk.branches.inspect(each).head for each in info.direct_provenance} == set(head.direct_provenance)
        states = [desk.commits.inspect(each).state for each in head.direct_provenance]
        if head.state < CommitState.FINISHED:
            assert all(each == CommitState.FINISHED for each in states) == (head.state == CommitState.READY)


@pytest.fixture(scope="module")
def shared():
    """A desk for many random histories, each in a project of its own."""
    made = Desk()
    yield made
    made.db.close()


@contextmanager
def repos_of_project(desk):
    """The names of the repos of a fresh project, which is gone afterwards."""
    project = next(projects)
    desk.projects.create(project)
    yield [f"{project}/r{number}" for number in range(REPOS)]
    desk.projects.delete(project, force=True)


projects = (f"p{number}" for number in count_from(0))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(history=steps)
def test_branches_and_heads_agree_after_any_history(shared, history):
    """Whatever is started, finished, moved, connected, stopped, dropped and squashed, in whatever order."""
    with repos_of_project(shared) as names:
        for name in names:
            shared.repo(name)
            shared.branches.create(branch(name))
        for step in history:
            take(shared, names, *step)
            check(shared, names)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(dag=st.lists(st.sets(numbers, max_size=3), min_size=REPOS, max_size=REPOS), moved=numbers)
def test_exactly_what_depends_on_a_moved_branch_follows(shared, dag, moved):
    """Each branch below the moved one makes one commit; nobody else makes any."""
    with repos_of_project(shared) as names:
        below = {moved}
        for number, wanted in enumerate(dag):
            lower = set() if number == moved else {each for each in wanted if each < number}
            shared.repo(names[number])
            shared.follow(names[number], *(names[each] for each in sorted(lower)))
            if below & lower:
                below.add(number)

        commit = shared.start(names[moved])

        assert sorted(f"r{each}" for each in below) == sorted(set_of(shared, commit.id))


def test_a_moved_branch_is_found_by_reference(desk):
    """A head may be given by steps from another branch."""
    desk.repo("a")
    first = desk.commit("a")
    desk.commit("a")

    desk.branches.create(branch("a@old"), head=ref("a", first.id))

    assert first == desk.head("a@old")

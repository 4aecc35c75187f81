# SPDX-License-Identifier: Apache-2.0
"""Squash and drop: what may be taken out of history, what goes with it, and what becomes of the rest."""

import re

import pytest

from howdah.errors import Conflict, ErrorKind, NotFound, Refused
from howdah.kit import fail
from howdah.kit.ids import new_id
from howdah.model.refs import Ancestry
from howdah.model.states import CommitState, OriginKind
from howdah.storage.filesets import EMPTY_ROOT
from tests.pfs.catalogs import branch, ref, repo


def history(desk, name="a"):
    """The commits of a repo, oldest first."""
    return [info.commit for info in desk.commits.list(repo(name), reverse=True)]


def refused(kind, call, *args, **options):
    with pytest.raises(Refused) as error:
        call(*args, **options)
    assert kind == error.value.kind
    return error.value.message


@pytest.fixture
def three(desk):
    """Three finished commits of a repo, oldest first, each with a root of its own."""
    desk.repo("a")
    return [desk.commit("a", root=bytes([n]) * 32) for n in range(3)]


@pytest.fixture
def chain(desk):
    """`b` follows `a`: two sets, all finished; the empty heads that they began with come before."""
    desk.repo("a")
    desk.pipeline("b", "a")
    commits = []
    for _ in range(2):
        commits.append(desk.commit("a"))
        desk.finish(desk.head("b"))
    return commits


def test_squash_keeps_the_data_in_the_child(desk, three):
    """The child gets the parent of what went, and its files stay."""
    removed = desk.removals.squash(three[1])

    assert (three[1],) == removed.commits
    assert [three[0], three[2]] == history(desk)
    assert (three[0], bytes([2]) * 32) == (desk.info("a").parent, desk.row(three[2]).root)


def test_squash_of_the_first_commit_leaves_its_child_without_parent(desk, three):
    """The history begins with the child."""
    desk.removals.squash(three[0])

    assert None is desk.commits.inspect(three[1]).parent


def test_squash_of_a_head_is_refused(desk, three):
    """Nobody else has its data; the text is the one that clients look for."""
    text = refused(ErrorKind.HAS_NO_CHILDREN, desk.removals.squash, three[2])

    assert re.match("cannot squash a commit that has no children", text)
    assert f"howdah drop commit {three[2]}" in text
    assert three == history(desk)


def test_squash_waits_for_open_children(desk, three):
    """What a child inherits is not fixed before it is finished."""
    child = desk.start("a")

    text = refused(ErrorKind.COMMIT_OPEN, desk.removals.squash, three[2])

    assert f"commit {child} is not finished" in text


def test_squash_is_refused_if_a_bad_child_shows_the_data(desk, three):
    """A commit with an error is read as its nearest good ancestor, which would be another one."""
    bad = desk.commit("a", error="broken")

    text = refused(ErrorKind.HAS_DEPENDANTS, desk.removals.squash, three[2])

    assert str(bad) in text


def test_a_bad_commit_is_squashed_whatever_its_children(desk, three):
    """It holds nothing that anybody reads."""
    bad = desk.commit("a", error="broken")
    worse = desk.commit("a", error="broken too")

    desk.removals.squash(bad)

    assert three[2] == desk.commits.inspect(worse).parent


def test_another_branch_on_a_squashed_commit_moves_to_the_parent(desk, three):
    """The data are found in the child, on the branch that has it."""
    desk.branches.create(branch("a@old"), ref("a", three[1].id))

    desk.removals.squash(three[1])

    assert [three[0], three[2]] == [desk.head("a@old"), desk.head("a")]


def test_drop_moves_the_head_to_the_parent(desk, three):
    """The data are gone, and the next commit is built on the parent."""
    removed = desk.removals.drop(three[2])

    assert (three[2],) == removed.commits
    assert three[1] == desk.head("a")
    assert three[1] == desk.commits.inspect(desk.start("a")).parent


def test_drop_of_a_commit_with_children_is_refused(desk, three):
    """They were built on it; the text is the one that clients look for."""
    text = refused(ErrorKind.HAS_DEPENDANTS, desk.removals.drop, three[1])

    assert re.match("cannot drop a commit that has children", text)
    assert str(three[2]) in text


def test_drop_of_the_only_commit_leaves_an_empty_one(desk):
    """A branch has a head always; two branches of a repo share it."""
    desk.repo("a")
    only = desk.commit("a")
    desk.branches.create(branch("a@dev"), ref("a", only.id))

    desk.removals.drop(only)

    head = desk.info("a")
    assert (CommitState.FINISHED, OriginKind.AUTO, None) == (head.state, head.origin, head.parent)
    assert EMPTY_ROOT == desk.row(head.commit).root
    assert [head.commit] == history(desk)
    assert head.commit == desk.head("a@dev")


def test_an_open_commit_is_dropped(desk, three):
    """Whoever writes to it finds it gone; the branch can be written again."""
    commit = desk.start("a")

    desk.removals.drop(ref("a@master"))

    with pytest.raises(NotFound):
        desk.finish(commit)
    assert three[2] == desk.head("a")
    desk.commit("a")


def test_whoever_waits_for_a_dropped_commit_is_told(desk, three):
    """By the event of the commit, and by the text that clients look for."""
    commit = desk.start("a")

    desk.removals.drop(commit)

    assert (f"repo/default/a.user/commit/{commit.id}", "deleted") in desk.events()
    with pytest.raises(Conflict, match=f"commit default/a@{commit.id} was deleted") as error:
        desk.commits.reached(commit, CommitState.FINISHED)
    assert ErrorKind.DELETED_MEANWHILE == error.value.kind


def test_a_commit_that_others_depend_on_needs_recursive(desk, chain):
    """The refusal names what depends on it."""
    text = refused(ErrorKind.HAS_DEPENDANTS, desk.removals.drop, chain[1])
    assert f"cannot be dropped because it has subvenant commits: {desk.head('b')};" in text

    removed = desk.removals.drop(chain[1], recursive=True)

    assert [chain[1].id] * 2 == [commit.id for commit in removed.commits]
    assert [chain[0].id] * 2 == [desk.head(name).id for name in ("a", "b")]


def test_recursive_squash_takes_what_depends_on_it(desk, chain):
    """Each keeps its data in its own child."""
    text = refused(ErrorKind.HAS_DEPENDANTS, desk.removals.squash, chain[0])
    assert "cannot be squashed because it has subvenant commits" in text

    desk.removals.squash(chain[0], recursive=True)

    assert [chain[1].id] * 2 == [desk.head(name).id for name in ("a", "b")]
    assert chain[0] not in history(desk)
    assert (chain[1],) == desk.info("b").direct_provenance


def test_a_set_goes_as_a_whole(desk, chain):
    """All repos of it, in one transaction."""
    removed = desk.removals.drop_set(chain[1].id)

    assert ["a", "b"] == [commit.repo.name for commit in removed.commits]
    assert [chain[0].id] * 2 == [desk.head(name).id for name in ("a", "b")]
    with pytest.raises(NotFound):
        desk.sets.inspect(chain[1].id)


def test_a_set_is_squashed_into_the_next(desk, chain):
    """The commits of the next set get other parents."""
    parents = [desk.commits.inspect(ref(name, chain[0].id)).parent for name in ("a", "b")]

    desk.removals.squash_set(chain[0].id)

    assert parents == [desk.info(name).parent for name in ("a", "b")]


def test_a_set_with_dependants_in_other_sets_is_refused(desk):
    """The text is the one that clients look for; it names the sets."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    first, second = desk.commit("a"), desk.commit("x")

    text = refused(ErrorKind.HAS_DEPENDANTS, desk.removals.drop_set, first.id)

    assert re.match(f"commit set {first.id} cannot be dropped because it has subvenant commit sets: {second.id}", text)
    text = refused(ErrorKind.HAS_DEPENDANTS, desk.removals.squash_set, first.id)
    assert "cannot be squashed because it has subvenant commit sets" in text


def test_a_set_that_is_not_there_is_not_found(desk):
    """With the text that clients look for."""
    for call in (desk.removals.squash_set, desk.removals.drop_set):
        with pytest.raises(NotFound, match="no commits found") as error:
            call(new_id())
        assert ErrorKind.COMMIT_SET_NOT_FOUND == error.value.kind


def test_an_alias_is_not_removed(desk):
    """An id means the commit of that set and not the older one that the set used."""
    desk.repo("a", "x")
    desk.pipeline("b", "a", "x")
    other, commit = desk.commit("x"), desk.commit("a")
    assert other == desk.commits.resolve(ref("x", commit.id))

    with pytest.raises(NotFound, match="not found"):
        desk.removals.drop(ref("x", commit.id), recursive=True)


def test_steps_lead_to_what_is_removed(desk, three):
    """As everywhere else."""
    removed = desk.removals.squash(ref("a@master", ancestry=Ancestry(1)))

    assert (three[1],) == removed.commits


def test_a_dropped_output_is_made_again(desk, chain):
    """Its branch has to follow the input, which is still there: in a set of its own."""
    before = desk.head("b")

    desk.removals.drop(before)

    output = desk.info("b")
    assert before != output.commit
    assert (chain[1],) == output.direct_provenance
    assert CommitState.READY == output.state
    assert chain[0].id == output.parent.id


def test_a_dropped_input_without_history_gives_its_followers_a_new_commit(desk):
    """An empty input, and an output that follows it in the same set."""
    desk.repo("a")
    first = desk.start("a")
    desk.pipeline("b", "a")

    desk.removals.drop(first, recursive=True)

    assert desk.head("a").id == desk.head("b").id
    assert (desk.head("a"),) == desk.info("b").direct_provenance
    assert ([desk.head("a")], [desk.head("b")]) == (history(desk), history(desk, "b"))


def test_a_dry_run_changes_nothing(desk, chain):
    """It says what would go, and refuses what would be refused."""
    before = desk.events()

    removed = desk.removals.drop(chain[1], recursive=True, dry_run=True)
    assert ["a", "b"] == [commit.repo.name for commit in removed.commits]
    assert removed == desk.removals.drop_set(chain[1].id, dry_run=True)
    refused(ErrorKind.HAS_NO_CHILDREN, desk.removals.squash_set, chain[1].id, dry_run=True)

    assert before == desk.events()
    assert removed == desk.removals.drop_set(chain[1].id)


def test_a_removal_that_breaks_off_changes_nothing(desk, chain):
    """It is one transaction, with what propagation makes of it."""
    before = desk.events(), history(desk), history(desk, "b")

    def broken():
        raise RuntimeError("here")

    with fail.during("pfs.propagated", broken), pytest.raises(RuntimeError):
        desk.removals.drop(desk.head("b"))

    assert before == (desk.events(), history(desk), history(desk, "b"))


def test_a_refused_removal_changes_nothing(desk, chain):
    """Not even of the commits that might have gone."""
    before = desk.events()

    refused(ErrorKind.HAS_DEPENDANTS, desk.removals.drop, chain[0], recursive=True)

    assert before == desk.events()

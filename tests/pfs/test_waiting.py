# SPDX-License-Identifier: Apache-2.0
"""What waiting calls ask: has the commit come so far, and what comes next?"""

import re

import pytest

from howdah.errors import Conflict, ErrorKind, NotFound
from howdah.model.states import CommitState, OriginKind
from tests.pfs.catalogs import branch, repo


def page(desk, name, after=0, **options):
    """Commits of the next page, and the key to go on after."""
    found = desk.commits.subscribe_page(repo(name), after, **options)
    return [info.commit for _, info in found], found[-1][0] if found else after


def test_a_state_is_reached_with_all_before_it(desk):
    """Each state includes those before it; until then the answer is None."""
    desk.repo("a")
    desk.pipeline("b", "a")
    commit = desk.start("a")
    output = desk.head("b")

    def reached():
        return [state.name for state in CommitState if desk.commits.reached(output, state) is not None]

    assert ["STARTED"] == reached()
    desk.finish(commit)
    assert ["STARTED", "READY"] == reached()
    desk.finish(output)
    assert ["STARTED", "READY", "FINISHING", "FINISHED"] == reached()
    assert output == desk.commits.reached(output, CommitState.FINISHED).commit


def test_a_commit_tells_its_state(desk):
    """The furthest that it has reached."""
    desk.repo("a")
    commit = desk.start("a")

    assert CommitState.READY == desk.commits.inspect(commit).state
    desk.finish(commit)
    assert CommitState.FINISHED == desk.commits.inspect(commit).state


def test_a_commit_that_is_deleted_is_not_waited_for(desk):
    """The text is the one that clients look for."""
    desk.repo("a")
    commit = desk.start("a")
    desk.repos.delete(repo("a"))

    with pytest.raises(Conflict) as error:
        desk.commits.reached(commit, CommitState.FINISHED)

    assert ErrorKind.DELETED_MEANWHILE == error.value.kind
    assert re.match("commit [^ ]+ was deleted", str(error.value))


def test_a_subscription_gives_each_commit_once(desk):
    """Oldest first, page after page, then what is new."""
    desk.repo("a")
    made = [desk.commit("a") for _ in range(3)]

    first, after = page(desk, "a", limit=2)
    second, after = page(desk, "a", after, limit=2)
    none, after = page(desk, "a", after)
    new = desk.start("a")

    assert made == first + second
    assert [] == none
    assert ([new], desk.row(new).id) == page(desk, "a", after)


def test_a_subscription_waits_in_order(desk):
    """A commit that is not so far holds up those after it."""
    desk.repo("a")
    first = desk.commit("a")
    second = desk.start("a")
    third = desk.commit("a@dev")

    found, after = page(desk, "a", state=CommitState.FINISHED)
    assert [first] == found

    desk.finish(second)
    assert [second, third] == page(desk, "a", after, state=CommitState.FINISHED)[0]


def test_a_subscription_knows_the_branch_a_commit_was_made_on(desk):
    """Though the branch may be gone; and the origin."""
    desk.repo("a")
    commit = desk.commit("a@dev")
    desk.branches.create(branch("a"))
    desk.branches.delete(branch("a@dev"))

    assert [commit] == page(desk, "a", branch="dev")[0]
    assert [desk.head("a")] == page(desk, "a", origin=OriginKind.AUTO)[0]


def test_a_subscription_can_begin_after_a_commit(desk):
    """That one and all before are left out."""
    desk.repo("a")
    desk.commit("a")
    second, third = desk.commit("a"), desk.commit("a")

    assert [third] == page(desk, "a", desk.commits.position(second))[0]


def test_a_subscription_needs_its_repo(desk):
    """It ends when the repo is deleted."""
    with pytest.raises(NotFound):
        desk.commits.subscribe_page(repo("a"))

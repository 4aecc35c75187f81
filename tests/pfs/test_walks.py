# SPDX-License-Identifier: Apache-2.0
"""Walks through provenance, of commits and of branches."""

import pytest

from howdah.errors import BadRequest, NotFound
from howdah.pfs.walks import Walks
from tests.pfs.catalogs import branch, ref


@pytest.fixture
def walks(desk):
    """A diamond with a tail: `a` is read by `b` and `c`, both by `d`, that by `e`."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.pipeline("c", "a")
    desk.pipeline("d", "b", "c")
    desk.pipeline("e", "d")
    desk.commit("a")
    return Walks(desk.db)


def commits(found):
    return [info.commit.repo.name for info in found]


def branches(found):
    return [info.branch.repo.name for info in found]


def test_a_walk_goes_from_near_to_far(desk, walks):
    """Each member once, without the start, up and down."""
    up = commits(walks.commits([ref("e@master")], above=True))
    down = commits(walks.commits([desk.head("a")], above=False))

    assert ["d", {"b", "c"}, "a"] == [up[0], set(up[1:3]), *up[3:]]
    assert [{"b", "c"}, "d", "e"] == [set(down[:2]), *down[2:]]
    assert ["d", "b", "c", "a"] == branches(walks.branches([branch("e")], above=True))
    assert ["b", "c", "d", "e"] == branches(walks.branches([branch("a")], above=False))


def test_walks_follow_each_other(walks):
    """One for each start, as they were given."""
    assert ["a", "d", "b", "c", "a"] == branches(walks.branches([branch("b"), branch("e")], above=True))


def test_a_walk_is_bounded_in_members_and_steps(walks):
    """Each walk by itself."""
    starts = [branch("e"), branch("d")]

    assert ["d", "b", "b", "c"] == branches(walks.branches(starts, above=True, limit=2))
    assert ["d", "b", "c"] == branches(walks.branches([branch("e")], above=True, depth=2))


def test_a_commit_knows_what_it_was_made_from_whatever_branches_are_now(desk, walks):
    """The walk of commits is history, that of branches the plan."""
    before = desk.head("e")
    desk.branches.create(branch("e"))
    desk.commit("a")

    assert [] == branches(walks.branches([branch("e")], above=True))
    assert "a" in commits(walks.commits([before], above=True))
    assert before.id in {info.commit.id for info in walks.commits([before], above=True)}


def test_what_is_missing_is_not_found(walks):
    """At the call, before anything is sent."""
    with pytest.raises(NotFound):
        walks.commits([ref("a@none")], above=True)
    with pytest.raises(NotFound):
        walks.branches([branch("a@none")], above=False)


def test_a_walk_needs_a_start_and_no_negative_number(walks):
    """It would be an empty answer that means nothing."""
    with pytest.raises(BadRequest):
        walks.commits([], above=True)
    with pytest.raises(BadRequest):
        walks.branches([branch("a")], above=True, depth=-1)

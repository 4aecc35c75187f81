# SPDX-License-Identifier: Apache-2.0
"""Listings of commits and commit sets, page by page."""

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.refs import Commit
from howdah.model.states import OriginKind
from tests.pfs.catalogs import branch, ref, repo

MANY = 203  # more than a page


@pytest.fixture
def history(desk):
    """Commits of one branch, newest first, one second apart."""
    desk.repo("a")
    made = []
    for _ in range(MANY):
        made.insert(0, desk.commit("a"))
        desk.clock.advance(1)
    return made


def listed(desk, *args, **options):
    return [each.commit for each in desk.commits.list(repo("a"), *args, **options)]


def test_commits_are_listed_newest_first(desk, history):
    """All of them, across pages; in reverse oldest first; or the first few."""
    assert history == listed(desk)
    assert history[::-1] == listed(desk, reverse=True)
    assert history[:2] == listed(desk, number=2)
    assert history[-1:] == listed(desk, number=1, reverse=True)


def test_commits_are_listed_by_their_parents(desk, history):
    """From `to`, which is in it, to `from`, which is not."""
    desk.commit("a@other")

    assert history == listed(desk, ref("a@master"))
    assert history[1:4] == listed(desk, history[1], history[4])
    assert history[1 : MANY - 1] == listed(desk, history[1], history[-1])
    assert history[1:3] == listed(desk, history[1], number=2)
    assert [] == listed(desk, history[1], history[1])


def test_the_listing_of_a_branch_leaves_out_others(desk):
    """Only parents are followed."""
    desk.repo("a")
    first = desk.commit("a")
    second = desk.commit("a@dev", root=b"x" * 32)
    third = desk.finish(desk.start("a@topic", parent=first))

    assert [third, second, first] == listed(desk)
    assert [third, first] == listed(desk, ref("a@topic"))


def test_commits_are_filtered_by_time(desk, history):
    """Those before a moment; in reverse, those after it."""
    moment = desk.commits.inspect(history[2]).started_at

    assert history[3:] == listed(desk, started_before=moment)
    assert history[1::-1] == listed(desk, started_before=moment, reverse=True)
    assert history[3:] == listed(desk, ref("a@master"), started_before=moment)


def test_commits_are_filtered_by_origin(desk):
    """Made by somebody, or following from something."""
    desk.repo("a")
    desk.branches.create(branch("a"))
    empty = desk.head("a")
    commit = desk.commit("a")

    assert [commit] == listed(desk, origin=OriginKind.USER)
    assert [empty] == listed(desk, origin=OriginKind.AUTO)
    assert [empty] == listed(desk, ref("a@master"), origin=OriginKind.AUTO)


def test_without_a_repo_all_commits_are_listed(desk):
    """Newest first, whatever repo they are in."""
    desk.repo("a", "b")
    first, second = desk.commit("b"), desk.commit("a")

    assert [second, first] == [each.commit for each in desk.commits.list(None)]


def test_a_listing_that_makes_no_sense_is_refused(desk):
    """At once, not at its first page."""
    desk.repo("a")
    commit = desk.commit("a")

    for options in ({"from_": commit}, {"to": commit, "reverse": True}, {"number": -1}):
        with pytest.raises(BadRequest) as error:
            desk.commits.list(repo("a"), **options)
        assert ErrorKind.BAD_ARGUMENT == error.value.kind
    with pytest.raises(BadRequest):
        desk.commits.list(None, to=commit)


def test_a_listing_of_what_is_missing_is_refused(desk):
    """At once as well."""
    with pytest.raises(NotFound):
        desk.commits.list(repo("a"))
    desk.repo("a")
    with pytest.raises(NotFound):
        desk.commits.list(repo("a"), to=ref("a@dev"))


def test_a_listing_goes_on_where_it_was(desk, history):
    """Commits that are made meanwhile do not shift it."""
    listing = desk.commits.list(repo("a"))
    first = [next(listing).commit]

    desk.commit("a")

    assert history == first + [each.commit for each in listing]


def test_a_set_is_shown_with_what_it_was_made_from(desk):
    """Each commit after those it depends on."""
    desk.repo("a", "x", "stranger")
    desk.pipeline("b", "x")
    desk.pipeline("c", "a", "b")
    desk.commit("stranger")
    commit = desk.commit("a")

    found = desk.sets.inspect(commit.id)

    names = [each.commit for each in found]
    assert {desk.head(name) for name in "abcx"} == set(names)
    for place, info in enumerate(found):
        assert set(info.direct_provenance) <= set(names[:place])


def test_an_unknown_set_is_not_found(desk):
    """The text is the one that clients look for."""
    with pytest.raises(NotFound) as error:
        desk.sets.inspect("0" * 32)

    assert ErrorKind.COMMIT_SET_NOT_FOUND == error.value.kind
    assert str(error.value).startswith(f"no commits found for commitset {'0' * 32}")


def test_sets_are_listed_newest_first(desk):
    """Each once, with the commits it made, across pages."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.pipeline("c", "b")
    made = [desk.commit("a").id for _ in range(60)]

    found = list(desk.sets.list())

    assert made[::-1] == [each.id for each in found][:60]
    assert 62 == len(found)
    for each in found[:60]:
        assert [Commit(repo(name), each.id) for name in "abc"] == [info.commit for info in each.commits]


def test_sets_are_listed_by_project(desk):
    """A set that made a commit in the project counts, wherever its newest commit is."""
    desk.projects.create("p")
    desk.repo("a", "p/x", "p/y")
    desk.pipeline("b", "p/x")
    shared, other, own = desk.commit("p/x"), desk.commit("a"), desk.commit("p/y")

    found = [each.id for each in desk.sets.list("p")]

    assert [own.id, shared.id] == found[:2]
    assert other.id not in found
    assert len(found) == len(set(found))
    with pytest.raises(NotFound):
        desk.sets.list("nowhere")

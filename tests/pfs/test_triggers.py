# SPDX-License-Identifier: Apache-2.0
"""Triggers: which branch moves, when, and what follows from it."""

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.kit import fail
from howdah.model.infos import Trigger
from howdah.pfs.trigger_watch import Triggers
from tests.pfs.catalogs import branch, ref, repo

HOUR = 3600


@pytest.fixture
def watch(desk):
    """What pulls the triggers; the repo `a` has the branch `master` with one commit."""
    desk.repo("a")
    desk.commit("a", size=100)
    made = Triggers(desk.db, desk.catalog.works)
    made.listen()
    return made


def trigger(desk, name, source="master", **conditions):
    desk.branches.create(branch(name), trigger=Trigger(source, **conditions))


def test_a_trigger_is_shown(desk, watch):
    """With the branch that has it, which begins with an empty commit."""
    trigger(desk, "a@kept", commits=2)

    info = desk.branches.inspect(branch("a@kept"))

    assert Trigger("master", commits=2) == info.trigger
    assert 0 == desk.info("a@kept").files


def test_a_branch_moves_after_so_many_commits(desk, watch):
    """To the very commit, each time counted from where it is."""
    trigger(desk, "a@kept", commits=3)
    empty = desk.head("a@kept")

    second = desk.commit("a")
    assert empty == desk.head("a@kept")
    third = desk.commit("a")
    assert third == desk.head("a@kept")
    for _ in range(2):
        desk.commit("a")
    assert third == desk.head("a@kept")
    sixth = desk.commit("a")

    assert sixth == desk.head("a@kept")
    assert second != third


def test_a_branch_moves_when_the_data_grew(desk, watch):
    """By the size of the whole, compared with what the branch has."""
    desk.branches.create(branch("a@kept"), head=ref("a@master"), trigger=Trigger("master", size="1KB"))

    desk.commit("a", size=1_099)
    assert 100 == desk.info("a@kept").size_bytes
    desk.commit("a", size=1_100)

    assert 1_100 == desk.info("a@kept").size_bytes


def test_a_rate_limit_lets_time_pass_between_moves(desk, watch):
    """A commit that came too early is taken when the schedule ticks, without another commit."""
    trigger(desk, "a@kept", rate_limit_spec="@hourly")
    first = desk.commit("a")
    assert first != desk.head("a@kept")

    desk.clock.advance(HOUR)
    watch.step()
    assert first == desk.head("a@kept")
    early = desk.commit("a")
    assert first == desk.head("a@kept")
    desk.clock.advance(HOUR)
    watch.step()

    assert early == desk.head("a@kept")


def test_a_rate_limit_that_has_passed_holds_nobody_up(desk, watch):
    """The next commit is taken at once."""
    trigger(desk, "a@kept", rate_limit_spec="@hourly")
    desk.clock.advance(2 * HOUR)
    watch.step()

    commit = desk.commit("a")

    assert commit == desk.head("a@kept")


def test_a_cron_trigger_moves_at_each_tick(desk, watch):
    """Never in between, to what there is then; a tick without anything new does nothing."""
    trigger(desk, "a@kept", cron_spec="0 * * * *")
    commit = desk.commit("a")
    desk.commit("a")
    latest = desk.commit("a")
    before = desk.head("a@kept")

    desk.clock.advance(HOUR)
    assert before == desk.head("a@kept")
    watch.step()
    assert latest == desk.head("a@kept")
    events = desk.events("repo/default/a.user/branch/kept")
    desk.clock.advance(HOUR)
    watch.step()

    assert events == desk.events("repo/default/a.user/branch/kept")
    assert commit != latest


def test_one_condition_will_do_or_all_must_hold(desk, watch):
    """`all` says which."""
    trigger(desk, "a@any", commits=1, size="1GB")
    trigger(desk, "a@every", commits=1, size="1GB", all=True)

    commit = desk.commit("a")

    assert commit == desk.head("a@any")
    assert commit != desk.head("a@every")


def test_triggers_follow_each_other(desk, watch):
    """A branch that moved by one pulls the next."""
    trigger(desk, "a@staging", commits=1)
    trigger(desk, "a@release", "staging", commits=3)

    before = desk.head("a@release")

    second = desk.commit("a")
    assert [second, before] == [desk.head("a@staging"), desk.head("a@release")]
    third = desk.commit("a")

    assert [third, third] == [desk.head("a@staging"), desk.head("a@release")]


def test_what_follows_a_triggered_branch_gets_a_set_of_its_own(desk, watch):
    """The branch adopts the commit, so its set cannot be used again."""
    trigger(desk, "a@kept", commits=1)
    desk.pipeline("b", "a@kept")
    before = desk.head("b")

    commit = desk.commit("a")

    output = desk.info("b")
    assert (commit,) == output.direct_provenance
    assert output.commit.id not in (commit.id, before.id)


def test_an_open_or_a_bad_commit_pulls_nothing(desk, watch):
    """Only one that is finished without error does."""
    trigger(desk, "a@kept", commits=1)
    before = desk.head("a@kept")

    commit = desk.start("a")
    assert before == desk.head("a@kept")
    desk.finish(commit, error="broken")
    assert before == desk.head("a@kept")
    good = desk.commit("a")

    assert good == desk.head("a@kept")


def test_what_nobody_heard_is_made_up_for(desk):
    """A server that died between the finish and the move finds it when it starts."""
    desk.repo("a")
    desk.commit("a")
    trigger(desk, "a@kept", commits=1)
    commit = desk.commit("a")
    assert commit != desk.head("a@kept")

    Triggers(desk.db, desk.catalog.works).step()

    assert commit == desk.head("a@kept")


def test_a_trigger_that_fails_fails_nobody_else(desk, watch):
    """Neither the commit that pulled it nor another trigger."""
    trigger(desk, "a@bad", commits=1)
    trigger(desk, "a@good", commits=1)
    calls = []

    def once():
        calls.append(1)
        if len(calls) == 1:
            raise Refused(ErrorKind.BAD_MOVE, "no")

    with fail.during("pfs.triggers.due", once):
        commit = desk.commit("a")

    assert commit == desk.head("a@good")
    assert commit != desk.head("a@bad")


def test_a_branch_that_was_moved_by_hand_stays(desk, watch):
    """Until its source has something newer; a restart does not undo it."""
    trigger(desk, "a@kept", commits=1)
    old = desk.commit("a")
    new = desk.commit("a")
    assert new == desk.head("a@kept")

    desk.branches.create(branch("a@kept"), head=old)
    watch.step()
    assert old == desk.head("a@kept")
    newest = desk.commit("a")

    assert newest == desk.head("a@kept")


def test_a_trigger_stays_when_the_branch_is_changed(desk, watch):
    """Another one replaces it."""
    trigger(desk, "a@kept", commits=1)

    desk.branches.create(branch("a@kept"), head=ref("a@master"))
    assert Trigger("master", commits=1) == desk.branches.inspect(branch("a@kept")).trigger
    trigger(desk, "a@kept", commits=2)

    assert Trigger("master", commits=2) == desk.branches.inspect(branch("a@kept")).trigger


def test_the_same_trigger_again_does_nothing(desk, watch):
    """It watches on from where it was."""
    trigger(desk, "a@kept", commits=1)
    before = desk.events()

    trigger(desk, "a@kept", commits=1)

    assert before == desk.events()


@pytest.mark.parametrize(
    "bad",
    [
        Trigger(""),
        Trigger("a.b"),
        Trigger("master", commits=-1),
        Trigger("master", size="much"),
        Trigger("master", rate_limit_spec="now and then"),
        Trigger("master", cron_spec="* * *"),
        Trigger("master", cron_spec="@daily", commits=1),
    ],
)
def test_a_trigger_that_makes_no_sense_is_refused(desk, watch, bad):
    """And leaves no branch."""
    with pytest.raises(BadRequest):
        desk.branches.create(branch("a@kept"), trigger=bad)

    assert [branch("a")] == [info.branch for info in desk.branches.list(repo("a"))]


def test_the_branch_that_is_watched_must_exist(desk, watch):
    """It is not made, as one of the provenance would be."""
    with pytest.raises(NotFound) as error:
        trigger(desk, "a@kept", "nowhere", commits=1)

    assert ErrorKind.BRANCH_NOT_FOUND == error.value.kind


def test_triggers_cannot_go_round(desk, watch):
    """Neither from a branch to itself nor through others."""
    trigger(desk, "a@one", commits=1)
    trigger(desk, "a@two", "one", commits=1)

    for name, source in (("a@one", "one"), ("a@one", "two")):
        with pytest.raises(BadRequest) as error:
            trigger(desk, name, source, commits=2)
        assert ErrorKind.DAG_INVALID == error.value.kind


def test_a_trigger_and_provenance_exclude_each_other(desk, watch):
    """In one call, and in two."""
    desk.repo("b", "c")
    trigger(desk, "a@kept", commits=1)

    with pytest.raises(BadRequest):
        desk.branches.create(branch("a@x"), provenance=[branch("b")], trigger=Trigger("master", commits=1))
    with pytest.raises(BadRequest):
        desk.follow("a@kept", "b")
    desk.follow("c", "b")
    desk.commit("b")
    desk.branches.create(branch("c@master"), trigger=None)
    desk.branches.create(branch("c@old"), head=ref("c@master"))
    desk.branches.create(branch("c"), trigger=Trigger("old", commits=1))

    info = desk.branches.inspect(branch("c"))
    assert ((), Trigger("old", commits=1)) == (info.direct_provenance, info.trigger)


def test_a_branch_that_triggers_others_is_not_deleted(desk, watch):
    """Unless it is forced; then they keep their heads and have no trigger. They themselves may go."""
    trigger(desk, "a@kept", commits=1)
    head = desk.head("a@kept")

    with pytest.raises(Refused) as error:
        desk.branches.delete(branch("a"))
    assert ErrorKind.HAS_DEPENDANTS == error.value.kind
    desk.branches.delete(branch("a"), force=True)

    info = desk.branches.inspect(branch("a@kept"))
    assert (None, head) == (info.trigger, info.head)
    desk.branches.delete(branch("a@kept"))


def test_the_next_tick_is_known(desk, watch):
    """So that nobody has to look again and again."""
    assert watch.next_tick() is None

    trigger(desk, "a@late", cron_spec="@daily")
    trigger(desk, "a@soon", rate_limit_spec="@every 10m")

    assert 600 == (watch.next_tick() - desk.clock.now()).total_seconds()


def test_ticks_are_taken_without_being_asked(desk, watch):
    """A thread waits for them until it is stopped."""
    trigger(desk, "a@kept", cron_spec="@every 1s")
    commit = desk.commit("a")
    desk.clock.advance(5)

    watch.start()
    watch.stop()

    assert commit == desk.head("a@kept")

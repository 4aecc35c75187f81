# SPDX-License-Identifier: Apache-2.0
"""Cron inputs: when they tick, what a tick is, and what becomes of ticks that nobody could make."""

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.kit import fail
from howdah.model.refs import Branch
from howdah.model.spec import parse_input
from howdah.model.states import JobState
from howdah.pps import crons
from tests.pps.lakes import branch, master, pipe

NOON = "/2030-01-01T12:00:00Z"  # when the clock of a test begins
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def cron(lake, *more, name="report", spec="@hourly", update=False, reprocess=False, top=None, **fields):
    """A pipeline with a cron input `tick`, and pfs inputs of `more` repos; made or changed."""
    tick = {"cron": {"name": "tick", "spec": spec, **fields}}
    nodes = [tick, *({"pfs": {"repo": repo, "glob": "/"}} for repo in more)]
    tree = tick if len(nodes) == 1 else {"cross": nodes}
    return lake.pipeline(name, update=update, reprocess=reprocess, input=tree, **(top or {}))


def ticks(lake, repo="report_tick"):
    """The files at the head of a tick repo."""
    return sorted(path.removeprefix("/2030-01-") for path in lake.files(repo))


def made(lake, repo="report_tick"):
    """How many commits of ticks there are; the first commit of the repo is empty."""
    return len(list(lake.pfs.catalog.commits.list(master(repo).repo))) - 1


def test_a_cron_input_has_a_repo_and_no_ticks_at_first(lake):
    """The pipeline reads its master; the first job finds nothing."""
    cron(lake)
    lake.pps.ticker.step()
    lake.run()

    info = lake.pfs.catalog.repos.inspect(master("report_tick").repo)
    above = lake.pfs.catalog.branches.inspect(branch("report")).direct_provenance
    assert "Cron tick repo for pipeline default/report." == info.description
    assert ["default/report.spec@master", "default/report_tick@master"] == sorted(map(str, above))
    assert (JobState.SUCCESS, 0) == (lake.job("report").state, lake.job("report").datums_total)


def test_each_tick_is_an_empty_file_named_by_its_time(lake):
    """And a commit, and a job in which it alone is new."""
    cron(lake)
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()
    lake.run(lambda parts: dict.fromkeys(parts["tick"], b"done"))

    assert {"/2030-01-01T13:00:00Z": b"", "/2030-01-01T14:00:00Z": b""} == lake.files("report_tick")
    assert {"/2030-01-01T13:00:00Z": b"done", "/2030-01-01T14:00:00Z": b"done"} == lake.files("report")
    assert [(0, 0), (1, 1), (2, 1)] == [(job.datums_total, job.datums_processed) for job in lake.jobs("report")]


def test_nothing_ticks_twice(lake):
    """However often it is looked."""
    cron(lake)
    lake.clock.advance(HOUR + MINUTE)

    for _ in range(3):
        lake.pps.ticker.step()

    assert 1 == made(lake)
    assert "2030-01-01 14:00:00+00:00" == str(lake.pps.ticker.next_tick())


def test_what_was_missed_is_made_up_for_tick_by_tick(lake):
    """As by a server that was down: each tick has its own commit and its own job."""
    cron(lake)
    lake.clock.advance(5 * HOUR)
    lake.restart()

    lake.pps.ticker.step()

    assert ["01T13:00:00Z", "01T14:00:00Z", "01T15:00:00Z", "01T16:00:00Z", "01T17:00:00Z"] == ticks(lake)
    assert (5, 6) == (made(lake), len(lake.jobs("report")))


def test_with_overwrite_only_the_newest_tick_is_there(lake):
    """Nothing else is made up for, and older files go."""
    cron(lake, overwrite=True)
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()
    lake.clock.advance(5 * HOUR)
    lake.pps.ticker.step()

    assert ["01T18:00:00Z"] == ticks(lake)
    assert 2 == made(lake)


def test_a_start_in_the_past_is_made_up_for(lake):
    """From then on, and a start in the future is waited for."""
    cron(lake, name="past", start="2030-01-01T08:30:00Z")
    cron(lake, name="future", start="2030-01-01T13:30:00Z")

    lake.pps.ticker.step()
    early = ticks(lake, "past_tick"), ticks(lake, "future_tick")
    lake.clock.advance(2 * HOUR)
    lake.pps.ticker.step()

    assert (["01T09:00:00Z", "01T10:00:00Z", "01T11:00:00Z", "01T12:00:00Z"], []) == early
    assert ["01T14:00:00Z"] == ticks(lake, "future_tick")


def test_a_start_too_long_ago_is_refused(lake, monkeypatch):
    """Unless overwrite asks for the newest tick alone."""
    monkeypatch.setattr(crons, "MISSED_MAX", 3)

    with pytest.raises(BadRequest) as error:
        cron(lake, start="2030-01-01T08:00:00Z")
    cron(lake, start="2030-01-01T08:00:00Z", overwrite=True)
    lake.pps.ticker.step()

    assert "input.cron.start" in error.value.message
    assert ["01T12:00:00Z"] == ticks(lake)


def test_a_very_long_time_without_a_server_has_a_bound(lake, monkeypatch, caplog):
    """The newest ticks are made, and what is left out is said."""
    monkeypatch.setattr("howdah.pps.ticking.MISSED_MAX", 2)
    cron(lake)
    lake.clock.advance(9 * HOUR)

    lake.pps.ticker.step()

    assert ["01T20:00:00Z", "01T21:00:00Z"] == ticks(lake)
    assert ["are left out"] == [text[-12:] for text in caplog.messages]


def test_a_stopped_pipeline_does_not_tick_and_goes_on_when_it_starts(lake):
    """With what it missed."""
    cron(lake)
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()
    lake.pps.pipelines.stop(pipe("report"))
    lake.clock.advance(2 * HOUR)
    lake.pps.ticker.step()
    stopped = ticks(lake)
    with pytest.raises(Refused) as error:
        lake.pps.ticker.run(pipe("report"))

    lake.pps.pipelines.start(pipe("report"))
    lake.pps.ticker.step()

    assert ErrorKind.PIPELINE_STOPPED == error.value.kind
    assert ["01T13:00:00Z"] == stopped
    assert ["01T13:00:00Z", "01T14:00:00Z", "01T15:00:00Z"] == ticks(lake)


def test_an_update_keeps_the_ticks_and_goes_on(lake):
    """Another command changes nothing about them."""
    cron(lake)
    lake.clock.advance(HOUR + MINUTE)
    lake.pps.ticker.step()

    cron(lake, update=True, top={"description": "other"})
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()

    assert ["01T13:00:00Z", "01T14:00:00Z"] == ticks(lake)


def test_another_schedule_is_followed_from_then_on(lake):
    """The old ticks stay; nothing of the new schedule's past is made up for."""
    cron(lake)
    lake.clock.advance(HOUR + MINUTE)
    lake.pps.ticker.step()

    cron(lake, update=True, spec="*/10 * * * *")
    lake.clock.advance(10 * MINUTE)
    lake.pps.ticker.step()

    assert ["01T13:00:00Z", "01T13:10:00Z"] == ticks(lake)


def test_another_start_begins_there(lake):
    """And a tick that was made before is the same file."""
    cron(lake)
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()

    cron(lake, update=True, start="2030-01-01T11:30:00Z")
    lake.pps.ticker.step()

    assert ["01T12:00:00Z", "01T13:00:00Z"] == ticks(lake)


def test_reprocess_runs_old_ticks_again(lake):
    """They are datums as others are."""
    cron(lake, start="2030-01-01T10:30:00Z")
    lake.pps.ticker.step()
    lake.run()
    lake.taken()

    cron(lake, start="2030-01-01T10:30:00Z", update=True, reprocess=True)
    lake.run()

    assert ["/2030-01-01T11:00:00Z", NOON] == lake.taken()


def test_a_deleted_pipeline_takes_its_ticks(lake):
    """Unless its repos are to be kept; then it can be made again over them."""
    cron(lake, start="2030-01-01T11:30:00Z")
    lake.pps.ticker.step()

    lake.pps.pipelines.delete(pipe("report"), keep_repo=True)
    kept = ticks(lake)
    lake.pfs.catalog.repos.delete(branch("report").repo)
    cron(lake)
    lake.pps.pipelines.delete(pipe("report"))
    still = ticks(lake)
    cron(lake, name="other")
    lake.pps.pipelines.delete(pipe("other"))

    assert [["01T12:00:00Z"]] * 2 == [kept, still]
    with pytest.raises(NotFound):
        lake.pfs.catalog.repos.inspect(master("other_tick").repo)
    assert None is lake.pps.ticker.next_tick()


def test_a_tick_repo_that_others_read_is_not_deleted(lake):
    """As an output repo that others read."""
    cron(lake)
    lake.pipeline("reader", "report_tick")

    with pytest.raises(Refused) as error:
        lake.pps.pipelines.delete(pipe("report"))
    lake.pps.pipelines.delete(pipe("report"), force=True)

    assert ErrorKind.HAS_DEPENDANTS == error.value.kind


def test_ticks_may_be_crossed_with_files(lake):
    """A tick runs everything that it is crossed with."""
    lake.repo("in")
    lake.commit("in", {"/a": b"one"})
    cron(lake, "in")
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()

    lake.run(lambda parts: {"/out": b"".join(parts["in"].values())})

    assert ["/ /2030-01-01T13:00:00Z"] == lake.taken()
    assert {"/out": b"one"} == lake.files("report")


def test_a_tick_by_hand_comes_at_once(lake):
    """Two within a second are two; the schedule goes on as before."""
    cron(lake, spec="@never")

    lake.pps.ticker.run(pipe("report"))
    lake.pps.ticker.run(pipe("report"))
    lake.run()

    assert ["01T12:00:00.000000Z", "01T12:00:00Z"] == ticks(lake)
    assert [0, 1, 2] == [job.datums_total for job in lake.jobs("report")]


def test_all_cron_inputs_tick_together_by_hand(lake):
    """In one commit set, so there is one job."""
    nodes = [{"cron": {"name": name, "spec": "@never"}} for name in ("b", "a")]
    lake.pipeline("report", input={"cross": nodes})

    lake.pps.ticker.run(pipe("report"))
    lake.run(lambda _: {})

    assert [f"{NOON} {NOON}"] == lake.taken()
    assert 2 == len(lake.jobs("report"))


def test_a_pipeline_without_cron_input_does_not_tick(lake):
    """The text is one that clients look for."""
    lake.repo("in")
    lake.pipeline("up", "in")

    with pytest.raises(BadRequest, match="pipeline doesn't have a cron input"):
        lake.pps.ticker.run(pipe("up"))
    with pytest.raises(NotFound):
        lake.pps.ticker.run(pipe("nobody"))


@pytest.mark.parametrize("place", ["cron.stored", "cron.noted"])
def test_a_failure_in_the_middle_neither_loses_nor_doubles_a_tick(lake, place):
    """What was made for it is garbage; the next time it is made again."""
    cron(lake)
    lake.clock.advance(HOUR)

    def fall() -> None:
        raise RuntimeError("the power is gone")

    with fail.during(place, fall):
        well = lake.pps.ticker.step()
    nothing = made(lake)
    lake.pps.ticker.step()

    assert (False, 0) == (well, nothing)
    assert (["01T13:00:00Z"], 1) == (ticks(lake), made(lake))


def test_a_pipeline_that_changes_as_it_ticks_has_the_last_word(lake):
    """One that is stopped at that moment does not tick."""
    cron(lake)
    lake.clock.advance(HOUR)

    with fail.during("cron.stored", lambda: lake.pps.pipelines.stop(pipe("report"))):
        lake.pps.ticker.step()

    assert 0 == made(lake)


def test_an_open_commit_in_a_tick_repo_is_waited_for(lake, caplog):
    """It holds up its own input alone, and that is said once."""
    cron(lake)
    cron(lake, name="other")
    opened = lake.pfs.catalog.commits.start(Branch(master("report_tick").repo, "master"))
    lake.clock.advance(HOUR)

    lake.pps.ticker.step()
    well = lake.pps.ticker.step()
    meanwhile = ticks(lake, "other_tick")
    lake.pfs.finisher.finish(opened)
    again = lake.pps.ticker.step()

    assert (False, ["01T13:00:00Z"], True) == (well, meanwhile, again)
    assert 1 == len(caplog.messages)
    assert ["01T13:00:00Z"] == ticks(lake)


def test_a_commit_by_hand_in_a_tick_repo_is_a_datum_too(lake):
    """Ticks are added to what is there."""
    cron(lake)
    lake.commit("report_tick", {"/by-hand": b""})
    lake.clock.advance(HOUR)

    lake.pps.ticker.step()

    assert ["/by-hand", "01T13:00:00Z"] == ticks(lake)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"spec": "* * *"}, "input.cron.spec"),
        ({"commit": "4fc0"}, "input.cron.commit"),
        ({"repo": "up"}, "input.cron.repo"),
    ],
)
def test_a_cron_input_that_makes_no_sense_is_refused(lake, fields, text):
    """By the name of the field."""
    lake.repo("in")
    lake.pipeline("up", "in")

    with pytest.raises(BadRequest, match=text) as error:
        cron(lake, **fields)

    assert ErrorKind.BAD_SPEC == error.value.kind


def test_a_cron_input_has_no_datums_before_its_pipeline(lake):
    """A preview says so, in the protocol's words."""
    with pytest.raises(BadRequest, match="can't list datums with a cron input"):
        list(lake.pps.datums.preview(parse_input({"cron": {"name": "a", "spec": "@daily"}})))


def test_a_tick_repo_that_was_deleted_is_made_again(lake):
    """It can be, while its pipeline is stopped."""
    cron(lake)
    lake.pps.pipelines.stop(pipe("report"))
    lake.pfs.catalog.repos.delete(master("report_tick").repo)

    lake.pps.pipelines.start(pipe("report"))
    lake.clock.advance(HOUR)
    lake.pps.ticker.step()

    assert ["01T13:00:00Z"] == ticks(lake)

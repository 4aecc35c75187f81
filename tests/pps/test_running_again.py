# SPDX-License-Identifier: Apache-2.0
"""Pipelines that run again without a new commit, and datums that begin again."""

from datetime import timedelta

import pytest

from howdah.errors import Conflict, ErrorKind, NotFound, Refused
from howdah.model.states import JobState
from tests.pps.lakes import Failure, pipe

HOUR = 3_600


@pytest.fixture
def up(lake):
    """A pipeline that has worked on two files."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two"})
    lake.run()
    lake.taken()
    return lake


def test_a_rerun_is_a_job_in_which_nothing_has_to_run(up):
    """Another version with the same spec; what succeeded stays."""
    before = up.pps.pipelines.inspect(pipe("up"))

    after = up.pps.pipelines.rerun(pipe("up"))
    up.run()

    assert [] == up.taken()
    assert (before.version + 1, before.spec, before.user_spec, before.salt) == (
        after.version,
        after.spec,
        after.user_spec,
        after.salt,
    )
    assert (JobState.SUCCESS, 2) == (up.job("up").state, up.job("up").datums_skipped)


def test_a_rerun_with_reprocess_runs_everything(up):
    """Also what had succeeded."""
    up.pps.pipelines.rerun(pipe("up"), reprocess=True)
    up.run()

    assert ["/a", "/b"] == up.taken()


def test_a_rerun_runs_what_failed(lake):
    """And that alone."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two"})

    def half(parts):
        if "/b" in parts["in"]:
            raise Failure("not today")
        return parts["in"]

    lake.run(half)
    lake.taken()
    lake.pps.pipelines.rerun(pipe("up"))
    lake.run()

    assert ["/b"] == lake.taken()
    assert JobState.SUCCESS is lake.job("up").state


def test_a_rerun_kills_the_job_that_runs(up):
    """As an update does."""
    up.commit("in", {"/c": b"three"})
    up.pps.scheduler.settle()

    up.pps.pipelines.rerun(pipe("up"))
    up.run()

    assert [JobState.KILLED, JobState.SUCCESS] == [job.state for job in up.jobs("up")[-2:]]
    assert ["/c"] == up.taken()


def test_what_is_stopped_or_absent_is_not_run_again(up):
    """A stopped pipeline says how to start it."""
    up.pps.pipelines.stop(pipe("up"))
    with pytest.raises(Refused) as stopped:
        up.pps.pipelines.rerun(pipe("up"))
    with pytest.raises(NotFound) as missing:
        up.pps.pipelines.rerun(pipe("nobody"))

    assert ErrorKind.PIPELINE_STOPPED == stopped.value.kind
    assert ErrorKind.PIPELINE_NOT_FOUND == missing.value.kind


def held(lake, number=4, size=2):
    """A running job of which two workers have a datum set each."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": size})
    lake.commit("in", {f"/{n}": b"%d" % n for n in range(number)})
    lake.pps.scheduler.settle()
    return [lake.pps.claims.claim(worker) for worker in ("w1", "w2")]


def files_of(lake, claim):
    """The paths of the datums of a claim, in the order in which they run."""
    infos = list(lake.pps.datums.list(claim.job))
    return [info.inputs[0].file.path for info in infos][claim.first : claim.first + claim.count]


def test_a_restarted_datum_is_taken_from_its_worker_alone(lake):
    """The other worker keeps its claim; the set is given out again."""
    first, second = held(lake)
    path = files_of(lake, first)[0]

    taken = lake.pps.restarts.restart(first.job, [path])

    with pytest.raises(Conflict) as error:
        lake.pps.claims.renew(first.set_id, first.fence)
    assert (1, ErrorKind.CLAIM_LOST) == (taken, error.value.kind)
    lake.pps.claims.renew(second.set_id, second.fence)
    assert first.set_id == lake.pps.claims.claim("w3").set_id


def test_what_was_handed_in_is_not_restarted(lake):
    """The set begins with its first datum that was not."""
    first, _ = held(lake)
    path, later = files_of(lake, first)
    lake.hand_in(first, 0)

    with pytest.raises(NotFound):
        lake.pps.restarts.restart(first.job, [path])
    lake.pps.restarts.restart(first.job, [later])

    assert (first.first + 1, 1) == (lambda claim: (claim.first, claim.count))(lake.pps.claims.claim("w3"))


def test_without_filters_all_that_runs_begins_again(lake):
    """A hash and the id of a datum are filters too; all given ones must fit."""
    first, second = held(lake)
    info = next(lake.pps.datums.list(first.job))
    part = info.inputs[0].file

    by_all = lake.pps.restarts.restart(first.job, [part.path, part.hash.hex(), info.id])
    lake.pps.claims.claim("w3")
    everything = lake.pps.restarts.restart(second.job)
    lake.run()

    assert (1, 2) == (by_all, everything)
    assert JobState.SUCCESS is lake.job("up").state


def test_a_datum_that_nobody_has_is_not_found(lake):
    """In a text that clients look for, with the filters and the job's id."""
    claims = held(lake)
    for claim in claims:
        for number in range(claim.count):
            lake.hand_in(claim, number)
    first = claims[0]

    for filters in (["/0"], ["/0", "/1"], []):
        with pytest.raises(NotFound) as error:
            lake.pps.restarts.restart(first.job, filters)
        text = f"datum matching filter [{' '.join(filters)}] could not be found for job ID {first.job.id}"
        assert error.value.message.startswith(text)


def test_a_pipeline_that_works_for_too_long_is_an_alert(lake):
    """Without a pause over several jobs, and only as long as it works."""
    lake.repo("in")
    lake.pipeline("up", "in", autoscaling=True, maximumExpectedUptime="1h")
    lake.pipeline("free", "in")
    lake.run()
    lake.commit("in", {"/a": b"one"})
    lake.clock.advance(HOUR / 2)
    lake.commit("in", {"/b": b"two"})
    lake.pps.scheduler.settle()
    quiet = list(lake.pps.statuses.alerts())
    lake.work()
    lake.pps.scheduler.settle()
    lake.clock.advance(HOUR)

    [alert] = lake.pps.statuses.alerts(["default"])
    lake.run()

    assert [] == quiet
    assert pipe("up") == alert.pipeline
    assert (
        "default/up has worked since 2030-01-01T12:00:00Z, beyond its maximumExpectedUptime of 1:00:00",
    ) == alert.texts
    assert [] == list(lake.pps.statuses.alerts())
    assert timedelta(hours=1) == lake.pps.pipelines.inspect(pipe("up")).spec.maximum_expected_uptime


def test_a_summary_counts_each_pipeline_once(lake):
    """By project; those without pipelines count nothing."""
    lake.repo("in")
    for name in ("well", "paused", "ill"):
        lake.pipeline(name, "in")
    lake.pfs.catalog.projects.create("other")
    lake.pps.pipelines.stop(pipe("paused"))
    lake.pps.jobs.end(lake.job("ill").job, JobState.UNRUNNABLE)

    everything = lake.pps.statuses.summaries()
    other = lake.pps.statuses.summaries(["other"])

    counted = [(each.project, each.active, each.paused, each.failed, each.unhealthy) for each in everything]
    assert [("default", 1, 1, 0, 1), ("other", 0, 0, 0, 0)] == counted
    assert ["other"] == [each.project for each in other]
    with pytest.raises(NotFound):
        lake.pps.statuses.summaries(["nowhere"])

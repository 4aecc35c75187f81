# SPDX-License-Identifier: Apache-2.0
"""Removing commits that pipelines wrote or read: jobs go with them, and the work goes on."""

import pytest

from howdah.errors import Conflict, ErrorKind, NotFound, Refused
from howdah.kit import fail
from howdah.model.refs import CommitRef, Repo
from howdah.model.states import JobState
from howdah.pps.log_query import LogQuery
from tests.pps.lakes import Failure, branch, copy, job_of, master, pipe


@pytest.fixture
def two(lake):
    """A pipeline that did its work for two commits."""
    lake.repo("in")
    lake.pipeline("up", "in")
    commits = []
    for number in range(2):
        commits.append(lake.commit("in", {f"/{number}": b"x"}))
        lake.run()
    lake.taken()
    return commits


def removals(lake):
    return lake.pfs.catalog.removals


def of(name, commit, kind="user"):
    return CommitRef(Repo("default", name, kind), "", commit.id)


def test_a_dropped_set_takes_its_job(lake, two):
    """Output and meta commit go too, and the branches are where they were before."""
    removed = removals(lake).drop_set(two[1].id)

    assert (job_of("up", two[1]),) == removed.jobs
    assert ["in", "up", "up"] == sorted(commit.repo.name for commit in removed.commits)
    assert {"/0": b"X"} == lake.files("up")
    assert job_of("up", two[0]) == lake.job("up").job
    with pytest.raises(Conflict) as error:
        lake.pps.jobs.finished(job_of("up", two[1]))
    assert ErrorKind.DELETED_MEANWHILE == error.value.kind


def test_the_next_commit_after_a_drop_is_done_as_ever(lake, two):
    """What succeeded once is carried over, and nothing of the dropped commit is left."""
    removals(lake).drop_set(two[1].id)

    lake.commit("in", {"/2": b"x", "/1": b"x"})
    lake.run()

    assert ["/2"] == lake.taken()
    assert {"/0": b"X", "/1": b"X", "/2": b"X"} == lake.files("up")


def test_a_squashed_set_leaves_the_results_of_the_next(lake, two):
    """Its job is forgotten, and later jobs are built on what is left."""
    removed = removals(lake).squash_set(two[0].id)

    assert (job_of("up", two[0]),) == removed.jobs
    assert {"/0": b"X", "/1": b"X"} == lake.files("up")
    lake.commit("in", {"/2": b"x", "/0": None})
    lake.run()
    assert ["/2"] == lake.taken()
    assert {"/1": b"X", "/2": b"X"} == lake.files("up")


@pytest.mark.parametrize("kind", ["user", "meta"])
def test_a_dropped_output_is_made_again_without_work(lake, two, kind):
    """Output and meta commit go together; another job carries everything over."""
    removed = removals(lake).drop(of("up", two[1], kind))

    assert {("up", "user"), ("up", "meta")} == {(each.repo.name, each.repo.type) for each in removed.commits}
    lake.run()
    assert [] == lake.taken()
    assert {"/0": b"X", "/1": b"X"} == lake.files("up")
    assert (JobState.SUCCESS, 2) == (lake.job("up").state, lake.job("up").datums_skipped)
    assert two[1].id != lake.job("up").job.id


def test_a_running_job_of_a_dropped_commit_ends(lake, two):
    """Its claim is lost: what its worker hands in is refused, and others get no work of it."""
    commit = lake.commit("in", {"/2": b"x", "/3": b"x"})
    lake.pps.scheduler.settle()
    claim = lake.pps.claims.claim("w1")
    held = claim.set_id, claim.fence

    removed = removals(lake).drop(commit, recursive=True)

    assert (job_of("up", commit),) == removed.jobs
    for call in (lambda: lake.pps.claims.hand_in(*held, b"", []), lambda: lake.pps.claims.renew(*held)):
        with pytest.raises(Conflict) as error:
            call()
        assert ErrorKind.CLAIM_LOST == error.value.kind
    assert None is lake.pps.claims.claim("w2")
    lake.run()
    assert {"/0": b"X", "/1": b"X"} == lake.files("up")


@pytest.mark.parametrize("place", ["pps.started", "pps.plan.stored", "pps.finish.stored"])
def test_a_drop_while_the_scheduler_works_on_the_job(lake, two, place):
    """Whatever it was about to write is not written, and nothing is logged as a defect."""
    commit = lake.commit("in", {"/2": b"x"})
    dropped = []

    def drop():
        if not dropped:
            dropped.append(removals(lake).drop_set(commit.id))

    with fail.during(place, drop):
        lake.run()

    assert 1 == len(dropped)
    assert [job_of("up", each) for each in two] == [job.job for job in lake.jobs("up")][-2:]
    assert {"/0": b"X", "/1": b"X"} == lake.files("up")


def test_the_version_of_a_pipeline_is_not_removed(lake, two):
    """The commit that holds its spec says so, and names the way out."""
    created = lake.jobs("up")[0].job.id

    for call in (removals(lake).drop_set, removals(lake).squash_set):
        with pytest.raises(Refused, match=r"because it updated pipeline default/up; .*howdah delete pipeline") as error:
            call(created)
        assert ErrorKind.HAS_DEPENDANTS == error.value.kind


def test_a_bad_output_keeps_the_good_one_before_it(lake, two):
    """The failed commit is read as its parent, so that parent is not squashed before it."""

    def bad(parts):
        raise Failure("cannot")

    last = lake.commit("in", {"/2": b"x"})
    lake.run(bad)
    assert JobState.FAILURE == lake.job("up").state

    with pytest.raises(Refused, match=f"its child default/up@{last.id} finished with an error") as error:
        removals(lake).squash_set(two[1].id)
    assert ErrorKind.HAS_DEPENDANTS == error.value.kind
    removals(lake).drop_set(last.id)
    assert {"/0": b"X", "/1": b"X"} == lake.files("up")


def test_a_chain_of_pipelines_goes_with_its_input(lake):
    """All jobs of the set, and later sets only if they were asked for."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.pipeline("more", "up")
    first = lake.commit("in", {"/0": b"x"})
    lake.run()
    last = lake.commit("in", {"/1": b"y"})
    lake.run()

    removed = removals(lake).drop_set(last.id)

    assert [job_of(name, last) for name in ("up", "more")] == sorted(removed.jobs, reverse=True)
    assert {"/0": b"X"} == lake.files("more")
    assert [first.id] * 2 == [lake.job(name).job.id for name in ("up", "more")]


def test_a_stopped_pipeline_does_not_make_what_was_dropped_again(lake, two):
    """It follows nothing; after its start it does."""
    lake.pps.pipelines.stop(pipe("up"))

    removals(lake).drop(of("up", two[1]))

    lake.run()
    assert {"/0": b"X"} == lake.files("up")
    lake.pps.pipelines.start(pipe("up"))
    lake.run()
    assert {"/0": b"X", "/1": b"X"} == lake.files("up")


def test_logs_outlive_a_dropped_job(lake, two):
    """What was printed stays; its last line says what happened."""
    commit = lake.commit("in", {"/2": b"x"})
    lake.pps.scheduler.settle()

    removals(lake).drop_set(commit.id)

    lines = [line.message for line in lake.pps.logs.find(LogQuery(pipeline=pipe("up"))).lines()]
    assert "ended as KILLED: its output commit was removed from history" == lines[-1]


def test_a_forgotten_output_is_built_again_from_what_was_done(lake, two):
    """The next job does not need the files of the last one."""
    lake.commit("in", {"/2": b"x"})
    lake.run()
    lake.pfs.catalog.commits.forget(of("up", two[1]))
    with pytest.raises(Refused):
        lake.pfs.files.view(of("up", two[1]))
    lake.taken()

    lake.commit("in", {"/3": b"x"})
    lake.run(copy)

    assert ["/3"] == lake.taken()
    assert 4 == len(lake.files("up"))


def test_a_job_that_reads_forgotten_files_fails_with_the_reason(lake, two):
    """It does not take them for an empty input."""
    lake.pfs.catalog.commits.forget(of("in", two[0]))
    lake.pfs.catalog.branches.create(branch("in"), of("in", two[0]))
    lake.run()

    assert JobState.FAILURE == lake.job("up").state
    assert "is forgotten" in lake.job("up").reason


def test_a_repo_that_a_pipeline_reads_is_named_with_the_pipeline(lake, two):
    """The refusal says how to get rid of it, for the repo and for its branch."""
    for call in (
        lambda: lake.pfs.catalog.repos.delete(master("in").repo),
        lambda: lake.pfs.catalog.branches.delete(branch("in")),
    ):
        with pytest.raises(Refused, match=r"pipeline default/up reads from it; .*howdah delete pipeline default/up"):
            call()


def test_a_dropped_commit_of_an_unknown_pipeline_is_not_found(lake, two):
    """As any commit that is not there."""
    with pytest.raises(NotFound):
        removals(lake).drop(of("up", two[1], "spec"))

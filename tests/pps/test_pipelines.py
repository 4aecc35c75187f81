# SPDX-License-Identifier: Apache-2.0
"""Making, changing, stopping and deleting pipelines."""

import pytest

from howdah.errors import AlreadyExists, BadRequest, ErrorKind, NotFound, Refused, Unsupported
from howdah.model.names import META, SPEC
from howdah.model.refs import Repo
from howdah.model.states import JobState, PipelineState
from tests.pps.lakes import branch, pipe


def repos(lake):
    return sorted(str(info.repo) for info in lake.pfs.catalog.repos.list())


def test_a_pipeline_has_three_repos_and_a_job(lake):
    """Its output, its specs and its meta data; the first job is there at once."""
    lake.repo("in")

    info = lake.pipeline("up", "in")

    assert ["default/in", "default/up", "default/up.meta", "default/up.spec"] == repos(lake)
    assert (1, PipelineState.RUNNING, JobState.CREATED) == (info.version, info.state, info.last_job_state)
    inputs = lake.pfs.catalog.branches.inspect(branch("up")).direct_provenance
    assert ["default/in@master", "default/up.spec@master"] == [str(each) for each in inputs]
    assert info.spec.to_json().encode() == lake.files("up", "spec")["/spec"]


def test_a_missing_input_branch_is_made(lake):
    """The repo must be there; its branch need not."""
    lake.repo("in")

    lake.pipeline("up", {"repo": "in", "branch": "later", "glob": "/*"})
    lake.run()

    assert lake.pfs.catalog.branches.inspect(branch("in", "later")).head is not None
    assert JobState.SUCCESS is lake.job("up").state


def test_a_missing_input_repo_is_named(lake):
    """And nothing of the pipeline is left behind."""
    with pytest.raises(NotFound) as error:
        lake.pipeline("up", "nowhere")

    assert error.value.message.startswith("repo default/nowhere not found")
    assert [] == repos(lake)


def test_a_taken_name_is_refused(lake):
    """That of a pipeline, and that of a user's repo."""
    lake.repo("in")
    lake.pipeline("up", "in")

    with pytest.raises(AlreadyExists) as error:
        lake.pipeline("up", "in")
    assert error.value.message.startswith('pipeline "default/up" already exists')

    with pytest.raises(AlreadyExists) as error:
        lake.pipeline("in", "up")
    assert ErrorKind.REPO_EXISTS == error.value.kind


def test_a_pipeline_cannot_read_itself(lake):
    """An output repo is no input of its own."""
    lake.repo("in")
    lake.pipeline("up", "in")

    with pytest.raises(BadRequest) as error:
        lake.pipeline("up", "up", update=True)

    assert ErrorKind.DAG_INVALID == error.value.kind


def test_what_this_version_cannot_do_is_named(lake):
    """A spec is never run otherwise than it says."""
    lake.repo("in")

    with pytest.raises(Unsupported) as error:
        lake.pipeline("up", "in", s3Out=True)

    assert error.value.message.startswith("s3Out")


def test_an_update_is_a_new_version_and_a_job(lake):
    """Running jobs are killed; what succeeded is not run again."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.run()
    lake.commit("in", {"/b": b"two"})
    lake.pps.scheduler.settle()
    lake.taken()

    info = lake.pipeline("up", "in", update=True, description="other")
    lake.run()

    killed, last = lake.jobs("up")[-2:]
    assert (JobState.KILLED, "all jobs killed because pipeline was updated") == (killed.state, killed.reason)
    assert (2, 2, JobState.SUCCESS) == (info.version, last.version, last.state)
    assert ["/b"] == lake.taken()
    assert {"/a": b"ONE", "/b": b"TWO"} == lake.files("up")


def test_an_equal_update_changes_nothing(lake):
    """No version, no job, and what runs goes on."""
    lake.repo("in")
    before = lake.pipeline("up", "in")

    after = lake.pipeline("up", "in", update=True)

    assert before == after
    assert 1 == len(lake.jobs("up"))


def test_reprocess_runs_everything_again(lake):
    """The salt is another one, so no datum succeeded before."""
    lake.repo("in")
    old = lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two"})
    lake.run()
    lake.taken()

    new = lake.pipeline("up", "in", update=True, reprocess=True)
    lake.run(lambda parts: dict.fromkeys(parts["in"], b"again"))

    assert ["/a", "/b"] == lake.taken()
    assert {"/a": b"again", "/b": b"again"} == lake.files("up")
    assert old.salt != new.salt


def test_an_update_may_write_to_another_branch(lake):
    """The old output branch stays as it was, and follows no more."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.run()

    lake.pipeline("up", "in", update=True, outputBranch="other")
    lake.commit("in", {"/b": b"two"})
    lake.run()

    assert {"/a": b"ONE"} == lake.files("up")
    assert "other" == lake.job("up").output_branch
    assert JobState.SUCCESS is lake.job("up").state


def test_an_update_may_read_something_else(lake):
    """The output is that of the new inputs alone."""
    lake.repo("in")
    lake.repo("other")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.commit("other", {"/b": b"two"})
    lake.run()

    lake.pipeline("up", "other", update=True)
    lake.run()

    assert {"/b": b"TWO"} == lake.files("up")


def test_older_versions_are_known(lake):
    """Each with its own spec, the newest first."""
    lake.repo("in")
    lake.pipeline("up", "in", description="one")
    lake.pipeline("up", "in", update=True, description="two")

    found = lake.pps.pipelines.list(history=-1)

    assert [(2, "two"), (1, "one")] == [(info.version, info.spec.description) for info in found]
    assert [2] == [info.version for info in lake.pps.pipelines.list()]
    assert "one" == lake.pps.pipelines.inspect(pipe("up"), back=1).spec.description
    with pytest.raises(NotFound):
        lake.pps.pipelines.inspect(pipe("up"), back=2)


def test_a_stopped_pipeline_does_not_follow(lake):
    """Commits make no jobs; starting makes one for all that came meanwhile."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.run()
    lake.pps.pipelines.stop(pipe("up"))
    lake.commit("in", {"/a": b"one"})
    lake.commit("in", {"/b": b"two"})
    assert 1 == len(lake.jobs("up"))

    info = lake.pps.pipelines.inspect(pipe("up"))
    lake.pps.pipelines.start(pipe("up"))
    lake.run()

    assert (True, PipelineState.PAUSED) == (info.stopped, info.state)
    assert 2 == len(lake.jobs("up"))
    assert {"/a": b"ONE", "/b": b"TWO"} == lake.files("up")


def test_a_job_that_a_stop_killed_is_done_after_the_start(lake):
    """Though no input moved meanwhile."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.pps.scheduler.settle()

    lake.pps.pipelines.stop(pipe("up"))
    assert JobState.KILLED is lake.job("up").state
    lake.pps.pipelines.start(pipe("up"))
    lake.run()

    assert {"/a": b"ONE"} == lake.files("up")


def test_stop_and_start_may_be_repeated(lake):
    """The second call changes nothing."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.run()

    assert lake.pps.pipelines.stop(pipe("up"))
    assert lake.pps.pipelines.stop(pipe("up"))
    lake.pps.pipelines.start(pipe("up"))
    lake.pps.pipelines.start(pipe("up"))

    assert 1 == len(lake.jobs("up"))


def test_an_update_of_a_stopped_pipeline_keeps_it_stopped(lake):
    """The new version runs when it is started."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.run()
    lake.pps.pipelines.stop(pipe("up"))

    info = lake.pipeline("up", "in", update=True, description="other")
    assert (2, True, 1) == (info.version, info.stopped, len(lake.jobs("up")))
    lake.pps.pipelines.start(pipe("up"))
    lake.run()

    assert 2 == lake.job("up").version


def test_a_deleted_pipeline_leaves_nothing(lake):
    """Its repos and jobs go; a missing pipeline is no error unless one says so."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.pps.scheduler.settle()

    assert lake.pps.pipelines.delete(pipe("up"))

    assert ["default/in"] == repos(lake)
    assert [] == list(lake.pps.jobs.list())
    assert not lake.pps.pipelines.delete(pipe("up"))
    with pytest.raises(NotFound) as error:
        lake.pps.pipelines.delete(pipe("up"), must_exist=True)
    assert error.value.message.startswith('pipeline "default/up" not found')


def test_the_output_may_be_kept(lake):
    """Then it is a user's repo like any other."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one"})
    lake.run()

    lake.pps.pipelines.delete(pipe("up"), keep_repo=True)
    lake.commit("up", {"/b": b"by hand"})

    assert ["default/in", "default/up"] == repos(lake)
    assert {"/a": b"ONE", "/b": b"by hand"} == lake.files("up")


def test_a_pipeline_that_others_read_is_not_deleted(lake):
    """They are named; with force they lose that input."""
    lake.repo("in")
    lake.pipeline("first", "in")
    lake.pipeline("second", "first")

    with pytest.raises(Refused) as error:
        lake.pps.pipelines.delete(pipe("first"))

    assert "default/second reads its output" in error.value.message
    assert lake.pps.pipelines.delete(pipe("first"), force=True)
    lake.run()
    assert JobState.SUCCESS is not lake.job("second").state


@pytest.mark.parametrize("kind", ["user", META, SPEC])
def test_a_repo_of_a_pipeline_is_not_deleted_by_itself(lake, kind):
    """The way out is to delete the pipeline."""
    lake.repo("in")
    lake.pipeline("up", "in")

    with pytest.raises(Refused) as error:
        lake.pfs.catalog.repos.delete(Repo("default", "up", kind), force=True)

    assert "howdah delete pipeline default/up" in error.value.message

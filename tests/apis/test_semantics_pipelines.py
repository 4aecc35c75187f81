# SPDX-License-Identifier: Apache-2.0
"""What clients rely on in pipelines and jobs, sentence by sentence, where no other test has it. Nobody works here."""

import json

import grpc
import pytest

from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs import transaction_v2_pb2 as transaction
from tests.apis.wired import NO_ID, WAIT, failure

DEFAULT = pfs.Project(name="default")


def document(repo, name, **fields):
    """A spec as users write it."""
    tree = {
        "pipeline": {"name": name},
        "transform": {"cmd": ["true"]},
        "input": {"pfs": {"repo": repo.name, "glob": "/*"}},
    }
    return json.dumps({**tree, **fields})


def create(wire, text, metadata=None, **fields):
    request = pps.CreatePipelineV2Request(create_pipeline_request_json=text, **fields)
    return wire.pps.CreatePipelineV2(request, metadata=metadata)


def inspect(wire, name, **fields):
    request = pps.InspectPipelineRequest(pipeline=pps.Pipeline(name=name), **fields)
    return wire.pps.InspectPipeline(request)


def jobs(wire, name, **fields):
    request = pps.ListJobRequest(pipeline=pps.Pipeline(name=name), history=-1, **fields)
    return list(wire.pps.ListJob(request, timeout=WAIT))


def listed(wire, **fields):
    return list(wire.pps.ListPipeline(pps.ListPipelineRequest(**fields)))


def test_creation_makes_a_job_on_empty_inputs(wire):
    """An output commit and a job at once; the state is running, the job's is created or further."""
    repo, name = wire.repo(), wire.name("pipeline")

    create(wire, document(repo, name))

    [job] = jobs(wire, name)
    info = inspect(wire, name)
    assert job.output_commit.id == job.job.id == info.spec_commit.id
    assert pps.PIPELINE_RUNNING == info.state
    assert info.last_job_state != pps.JOB_STATE_UNKNOWN
    assert not info.HasField("details")


def test_an_equal_update_is_none(wire):
    """No version and no job; salted or reprocessed it is one, with another salt."""
    repo, name = wire.repo(), wire.name("pipeline")
    create(wire, document(repo, name))
    salt = inspect(wire, name, details=True).details.salt

    create(wire, document(repo, name), update=True)
    same = inspect(wire, name, details=True)
    create(wire, document(repo, name), update=True, reprocess=True)
    other = inspect(wire, name, details=True)

    assert [(1, True), (2, False)] == [(each.version, each.details.salt == salt) for each in (same, other)]
    assert [2, 1] == [job.pipeline_version for job in jobs(wire, name)]


def test_an_update_of_what_is_not_there_makes_it(wire):
    """`update pipeline` is how many scripts create."""
    repo, name = wire.repo(), wire.name("pipeline")

    create(wire, document(repo, name), update=True)

    assert 1 == inspect(wire, name).version


def test_a_stopped_pipeline_stays_stopped_over_an_update(wire):
    """And has a job of the new version when it starts."""
    repo, name = wire.repo(), wire.name("pipeline")
    create(wire, document(repo, name))
    wire.pps.StopPipeline(pps.StopPipelineRequest(pipeline=pps.Pipeline(name=name)))

    create(wire, document(repo, name, description="other"), update=True)
    stopped = inspect(wire, name)
    wire.pps.StartPipeline(pps.StartPipelineRequest(pipeline=pps.Pipeline(name=name)))

    assert (True, pps.PIPELINE_PAUSED, 2) == (stopped.stopped, stopped.state, stopped.version)
    assert 2 == jobs(wire, name)[0].pipeline_version
    assert pps.PIPELINE_RUNNING == inspect(wire, name).state


def test_several_pipelines_are_updated_in_one_transaction(wire):
    """All in one commit set; before its end nothing has changed."""
    repo, names = wire.repo(), [wire.name("pipeline") for _ in range(2)]
    for name in names:
        create(wire, document(repo, name))
    made, metadata = wire.transaction()

    for name in names:
        create(wire, document(repo, name, description="other"), metadata, update=True)
    before = [inspect(wire, name).version for name in names]
    wire.finish_transaction(made)

    assert [1, 1] == before
    assert [(2, made.id)] * 2 == [(inspect(wire, name).version, jobs(wire, name)[0].job.id) for name in names]


def test_a_wrong_spec_in_a_transaction_is_wrong_at_once(wire):
    """The others of the list are not touched."""
    repo, name = wire.repo(), wire.name("pipeline")
    made, metadata = wire.transaction()
    create(wire, document(repo, name), metadata)

    code, text = failure(lambda: create(wire, document(repo, "other", input={}), metadata))
    wire.finish_transaction(made)

    assert grpc.StatusCode.INVALID_ARGUMENT is code
    assert "input" in text
    assert 1 == inspect(wire, name).version


def test_deletion_while_a_job_is_open_takes_the_job(wire):
    """Who waits for it is told."""
    repo, name = wire.repo(), wire.name("pipeline")
    wire.put(wire.branch(repo), {"/a": b"x"})
    create(wire, document(repo, name))
    job = jobs(wire, name)[0].job
    waiting = wire.pps.InspectJob.future(pps.InspectJobRequest(job=job, wait=True), timeout=WAIT)
    with pytest.raises(grpc.FutureTimeoutError):
        waiting.result(0.05)

    wire.pps.DeletePipeline(pps.DeletePipelineRequest(pipeline=pps.Pipeline(name=name)))

    code, _ = failure(lambda: waiting.result(WAIT))
    assert grpc.StatusCode.ABORTED is code
    assert grpc.StatusCode.NOT_FOUND is failure(lambda: wire.pps.InspectJob(pps.InspectJobRequest(job=job)))[0]


def test_older_versions_are_named_and_listed(wire):
    """`name^N` is N before; history is how many older ones a list has, the newest first."""
    repo, name = wire.repo(), wire.name("pipeline")
    for number in range(3):
        create(wire, document(repo, name, description=str(number)), update=True)
    one = pps.Pipeline(name=name)

    assert 1 == inspect(wire, f"{name}^2").version
    assert [3] == [info.version for info in listed(wire, pipeline=one)]
    assert [3, 2] == [info.version for info in listed(wire, pipeline=one, history=1)]
    assert [3, 2, 1] == [info.version for info in listed(wire, pipeline=one, history=-1)]
    assert all(info.HasField("details") for info in listed(wire, pipeline=one, history=-1))
    assert grpc.StatusCode.NOT_FOUND is failure(lambda: inspect(wire, f"{name}^3"))[0]


def test_pipelines_are_listed_as_a_commit_set_has_them(wire):
    """Each at its version then; those that had nothing to do with it are left out. An empty id is none."""
    repo, name, later = wire.repo(), wire.name("pipeline"), wire.name("pipeline")
    create(wire, document(repo, name))
    then = wire.put(wire.branch(repo), {"/a": b"x"}).id
    create(wire, document(repo, name, description="other"), update=True)
    create(wire, document(repo, later))

    found = listed(wire, commit_set=pfs.CommitSet(id=then))
    now = listed(wire, commit_set=pfs.CommitSet(), projects=[DEFAULT])
    unknown = failure(lambda: listed(wire, commit_set=pfs.CommitSet(id=NO_ID)))

    assert [(name, 1)] == [(info.pipeline.name, info.version) for info in found]
    assert {(name, 2), (later, 1)} <= {(info.pipeline.name, info.version) for info in now}
    assert grpc.StatusCode.NOT_FOUND is unknown[0]


def test_pages_of_jobs_leave_none_out(wire):
    """Though the jobs of a set are made at one moment: the marker is the time of the last one seen."""
    project = wire.project()
    repo = wire.repo(project.name)
    for _ in range(3):
        wire.pipeline(repo)
    wire.put(wire.branch(repo), {"/a": b"x"})

    for reverse in (False, True):
        whole = list(wire.pps.ListJob(pps.ListJobRequest(projects=[project], reverse=reverse, history=-1)))
        seen, marker = [], None
        while True:
            request = pps.ListJobRequest(
                projects=[project], reverse=reverse, number=1, paginationMarker=marker, history=-1
            )
            page = list(wire.pps.ListJob(request))
            if not page:
                break
            seen += page
            marker = page[-1].created
        assert 6 == len(whole)
        assert [(info.job, info.created) for info in whole] == [(info.job, info.created) for info in seen]


def test_pages_of_job_sets_have_each_set_once_and_whole(wire):
    """Whichever of its jobs the marker is the time of."""
    project = wire.project()
    repo = wire.repo(project.name)
    for _ in range(2):
        wire.pipeline(repo)
    commits = [wire.put(wire.branch(repo), {f"/{n}": b"x"}).id for n in range(2)]

    def sets(**fields):
        request = pps.ListJobSetRequest(projects=[project], **fields)
        return list(wire.pps.ListJobSet(request))

    newest, *_ = whole = sets()
    back = sets(reverse=True)
    assert commits[::-1] == [each.job_set.id for each in whole[:2]]
    assert whole[::-1] == back
    assert {2} == {len(each.jobs) for each in whole[:2]}
    for job in newest.jobs:
        assert whole[1:] == sets(paginationMarker=job.created)
    for job in back[0].jobs:
        assert back[1:] == sets(paginationMarker=job.created, reverse=True)
    assert whole[:1] == sets(number=1)


def test_the_end_of_the_calendar_is_no_error(wire):
    """A marker may be any time."""
    marker = {"seconds": 253402300799, "nanos": 999999999}

    list(wire.pps.ListJobSet(pps.ListJobSetRequest(paginationMarker=marker, number=1)))
    list(wire.pps.ListJobSet(pps.ListJobSetRequest(paginationMarker={"seconds": -62135596800}, reverse=True, number=1)))


def test_a_job_set_is_known_or_not_found(wire):
    """One without jobs is empty; wait ends at once where all have ended; stopping what has ended is no error."""
    repo, name = wire.repo(), wire.name("pipeline")
    alone = wire.put(wire.branch(repo), {"/a": b"x"}).id
    create(wire, document(repo, name))
    job = jobs(wire, name)[0].job
    for _ in range(2):
        wire.pps.StopJob(pps.StopJobRequest(job=job, reason="enough"))

    def of_set(id, **fields):
        return list(wire.pps.InspectJobSet(pps.InspectJobSetRequest(job_set=pps.JobSet(id=id), **fields), timeout=WAIT))

    [killed] = of_set(job.id, wait=True, details=True)
    assert [] == of_set(alone)
    assert (pps.JOB_KILLED, "job stopped: enough") == (killed.state, killed.reason)
    assert killed.HasField("stats")
    assert killed.details.HasField("transform")
    assert grpc.StatusCode.NOT_FOUND is failure(lambda: of_set(NO_ID))[0]


def test_a_stopped_job_finishes_its_commits_with_an_error(wire):
    """The output commit and the meta commit; readers see what was good before."""
    repo, name = wire.repo(), wire.name("pipeline")
    wire.put(wire.branch(repo), {"/a": b"x"})
    create(wire, document(repo, name))
    job = jobs(wire, name)[0]

    wire.pps.StopJob(pps.StopJobRequest(job=job.job))

    for kind in ("user", "meta"):
        out = pfs.Commit(repo=pfs.Repo(name=name, type=kind, project=DEFAULT), id=job.job.id)
        assert "job stopped" == wire.commit(out).error
    assert pps.JOB_KILLED == inspect(wire, name).last_job_state


def test_downstream_of_a_stopped_job_is_unrunnable(wire):
    """With the reason that the protocol has."""
    repo, name, below = wire.repo(), wire.name("pipeline"), wire.name("pipeline")
    wire.put(wire.branch(repo), {"/a": b"x"})
    create(wire, document(repo, name))
    create(wire, document(pfs.Repo(name=name), below))
    set_id = wire.put(wire.branch(repo), {"/b": b"x"}).id
    for job in jobs(wire, name)[::-1]:
        wire.pps.StopJob(pps.StopJobRequest(job=job.job))

    request = pps.InspectJobRequest(job=pps.Job(pipeline=pps.Pipeline(name=below), id=set_id), wait=True)
    info = wire.pps.InspectJob(request, timeout=WAIT)

    assert pps.JOB_UNRUNNABLE == info.state
    assert info.reason.startswith(f"unrunnable because the following upstream pipelines failed: default/{name}")


def test_inputs_that_cannot_be_are_refused(wire):
    """A commit as input, a repo that is not there, a pipeline over a user's repo; nothing is left of them."""
    repo, taken = wire.repo(), wire.repo()
    source = {"pfs": {"repo": repo.name, "glob": "/*"}}

    by_commit = failure(lambda: create(wire, document(repo, "a", input={"pfs": {**source["pfs"], "commit": NO_ID}})))
    missing = failure(lambda: create(wire, document(pfs.Repo(name="nowhere"), "a")))
    over = failure(lambda: create(wire, document(repo, taken.name)))
    unknown = failure(lambda: create(wire, document(repo, "a", nonsense=1)))

    assert "input cannot come from a commit" in by_commit[1]
    assert grpc.StatusCode.NOT_FOUND is missing[0]
    assert grpc.StatusCode.ALREADY_EXISTS is over[0]
    assert (grpc.StatusCode.INVALID_ARGUMENT, True) == (unknown[0], "nonsense" in unknown[1])
    assert grpc.StatusCode.NOT_FOUND is failure(lambda: inspect(wire, "a"))[0]


def test_a_kept_repo_blocks_the_name(wire):
    """It is a user's repo then; without it the name is free."""
    repo, name = wire.repo(), wire.name("pipeline")
    create(wire, document(repo, name))
    wire.pps.DeletePipeline(pps.DeletePipelineRequest(pipeline=pps.Pipeline(name=name), keep_repo=True))

    blocked = failure(lambda: create(wire, document(repo, name)))
    wire.pfs.DeleteRepo(pfs.DeleteRepoRequest(repo=pfs.Repo(name=name, type="user", project=DEFAULT)))
    create(wire, document(repo, name))

    assert grpc.StatusCode.ALREADY_EXISTS is blocked[0]


def test_a_dry_run_changes_nothing(wire):
    """And answers the effective spec."""
    repo, name = wire.repo(), wire.name("pipeline")

    answer = create(wire, document(repo, name), dry_run=True)

    assert "master" == json.loads(answer.effective_create_pipeline_request_json)["outputBranch"]
    assert grpc.StatusCode.NOT_FOUND is failure(lambda: inspect(wire, name))[0]


def test_jobs_are_stopped_in_a_batch(wire):
    """As `pachctl stop job ID` does it."""
    repo, names = wire.repo(), [wire.name("pipeline") for _ in range(2)]
    wire.put(wire.branch(repo), {"/a": b"x"})
    for name in names:
        create(wire, document(repo, name))
    stops = [transaction.TransactionRequest(stop_job=pps.StopJobRequest(job=jobs(wire, name)[0].job)) for name in names]

    wire.transactions.BatchTransaction(transaction.BatchTransactionRequest(requests=stops))

    assert [pps.JOB_KILLED] * 2 == [jobs(wire, name)[0].state for name in names]

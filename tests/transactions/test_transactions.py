# SPDX-License-Identifier: Apache-2.0
"""Changes that are collected are tried at once, and made together or not at all."""

import pickle
import threading

import pytest

from howdah.db.events import last_event
from howdah.errors import AlreadyExists, BadRequest, Conflict, ErrorKind, NotFound, Refused
from howdah.kit import fail
from howdah.model.operations import (
    CreateBranch,
    CreatePipeline,
    CreateRepo,
    DeleteBranch,
    DeleteRepo,
    FinishCommit,
    SquashCommitSet,
    StartCommit,
    StopJob,
    UpdateJobState,
)
from howdah.model.refs import Commit, CommitRef, Repo
from howdah.model.spec import parse_spec
from howdah.model.states import JobState
from howdah.transactions import transactions as module
from tests.pps.lakes import branch, job_of, master

A, B = Repo("default", "a"), Repo("default", "b")


def spec_of(name, *inputs):
    nodes = [{"pfs": {"repo": each, "glob": "/*"}} for each in inputs]
    tree = {
        "pipeline": {"name": name},
        "transform": {"cmd": ["run"], "image": "an-image"},
        "input": nodes[0] if len(nodes) == 1 else {"cross": nodes},
    }
    return parse_spec(tree)


def start_of(repo, name="master"):
    return StartCommit(branch(repo, name))


def test_nothing_shows_before_the_end(desk):
    """Requests change nothing, tell nobody and store nothing; at the end all of them are there."""
    desk.lake.repo("a")
    desk.lake.commit("a", {"/x": b"1"})
    id = desk.transactions.start().id
    with desk.lake.db.read() as tx:
        events = last_event(tx)
    objects = {info.key for info in desk.lake.store.list("")}

    for operation in (CreateRepo(B), start_of("b"), CreatePipeline(spec_of("p", "a"), "")):
        desk.append(id, operation)

    with desk.lake.db.read() as tx:
        assert events == last_event(tx)
    assert objects == {info.key for info in desk.lake.store.list("")}
    assert ["a"] == desk.repos()
    desk.transactions.finish(id)
    assert ["a", "b", "p"] == desk.repos()


def test_all_that_is_made_has_the_transactions_id(desk):
    """A commit is answered when it is asked for, as it will be; what follows from it has the same id."""
    id = desk.open(CreateRepo(A), CreateRepo(B))
    answered = desk.append(id, start_of("a"))
    desk.append(id, start_of("b"))

    info = desk.transactions.finish(id)

    assert Commit(A, id) == answered
    assert (None, None, Commit(A, id), Commit(B, id)) == info.answers
    assert {A, B} == {each.commit.repo for each in desk.lake.pfs.catalog.sets.inspect(id)}


def test_two_inputs_make_one_job(desk):
    """What transactions are for: a pipeline that reads both runs once."""
    for name in ("a", "b"):
        desk.lake.repo(name)
    desk.lake.pipeline("p", "a", "b")
    before = len(desk.lake.jobs("p"))

    id = desk.open(start_of("a"), start_of("b"))
    desk.transactions.finish(id)

    assert [id] == [info.job.id for info in desk.lake.jobs("p")[before:]]


def test_an_error_shows_at_its_request(desk):
    """It is not added, and the others stay."""
    id = desk.open(CreateRepo(A))

    with pytest.raises(AlreadyExists) as caught:
        desk.append(id, CreateRepo(A))

    assert ErrorKind.REPO_EXISTS == caught.value.kind
    assert caught.value.message.endswith("(request 2 of 2: create repo default/a)")
    assert 1 == desk.transactions.inspect(id).version


def test_two_commits_in_one_repo_are_inconsistent(desk):
    """A commit set has one commit for each repo."""
    id = desk.open(CreateRepo(A), start_of("a"))

    with pytest.raises(BadRequest, match="inconsistent dependencies"):
        desk.append(id, start_of("a", "dev"))


def test_a_list_that_no_longer_holds_changes_nothing(desk):
    """Somebody else made the second repo meanwhile; the transaction is still there."""
    id = desk.open(CreateRepo(A), CreateRepo(B))
    desk.lake.repo("b")

    with pytest.raises(AlreadyExists, match="request 2 of 2"):
        desk.transactions.finish(id)

    assert ["b"] == desk.repos()
    assert 2 == desk.transactions.inspect(id).version


def test_a_transaction_is_finished_once(desk):
    """Then it is gone."""
    id = desk.open(CreateRepo(A))
    desk.transactions.finish(id)

    for call in (desk.transactions.finish, desk.transactions.inspect, desk.transactions.delete):
        with pytest.raises(NotFound) as caught:
            call(id)
        assert ErrorKind.TRANSACTION_NOT_FOUND == caught.value.kind
    with pytest.raises(NotFound):
        desk.append(id, CreateRepo(B))


def test_a_deleted_transaction_has_not_happened(desk):
    """One by its id, or all."""
    first, *_ = ids = [desk.open(CreateRepo(A)) for _ in range(3)]
    assert sorted(ids) == sorted(info.id for info in desk.transactions.list())

    desk.transactions.delete(first)
    assert sorted(ids[1:]) == sorted(info.id for info in desk.transactions.list())
    desk.transactions.delete_all()

    assert [] == list(desk.transactions.list())
    assert [] == desk.repos()


def test_very_many_transactions_are_listed_page_by_page(desk, monkeypatch):
    """Each once, the oldest first, also those of one moment."""
    monkeypatch.setattr(module, "_PAGE", 2)
    ids = []
    for seconds in (0, 0, 0, 1, 0):
        desk.lake.clock.advance(seconds)
        ids.append(desk.open())

    listed = [info.id for info in desk.transactions.list()]

    assert sorted(ids[:3]) + sorted(ids[3:]) == listed


def test_a_finished_commit_has_what_was_written_before(desk):
    """Written outside, closed inside: its files, their number and size are those of a plain finish."""
    desk.lake.repo("a")
    desk.lake.repo("b")
    commits = [desk.lake.pfs.catalog.commits.start(branch(name)) for name in ("a", "b")]
    desk.lake.commit("a", {"/x": b"1", "/y": b"22"})
    desk.lake.commit("b", {"/z": b"333"})

    desk.transactions.finish(desk.open(*(FinishCommit(commit, "done") for commit in commits)))

    info = desk.lake.pfs.catalog.commits.inspect(commits[0])
    assert (3, 2, "done", "") == (info.size_bytes, info.files, info.description, info.error)
    assert {"/x": b"1", "/y": b"22"} == desk.lake.files("a")
    assert {"/z": b"333"} == desk.lake.files("b")


def test_a_commit_of_the_same_transaction_holds_what_its_parent_does(desk):
    """Close one, start the next on it, and close that too, all in one list."""
    desk.lake.repo("a")
    commit = desk.lake.pfs.catalog.commits.start(branch("a"))
    desk.lake.commit("a", {"/x": b"1"})

    id = desk.open(FinishCommit(commit), start_of("a"), FinishCommit(master("a")))
    desk.transactions.finish(id)

    info = desk.lake.pfs.catalog.commits.inspect(master("a"))
    assert (id, commit, 1, 1) == (info.commit.id, info.parent, info.files, info.size_bytes)
    assert {"/x": b"1"} == desk.lake.files("a")


def test_what_is_written_while_a_commit_is_finished_is_in_it(desk):
    """The transaction finds the commit changed, and is made again with what it holds then."""
    desk.lake.repo("a")
    commit = desk.lake.pfs.catalog.commits.start(branch("a"))
    desk.lake.commit("a", {"/x": b"1"})
    id = desk.open(FinishCommit(commit))

    with fail.during("transactions.prepared", lambda: desk.lake.commit("a", {"/late": b"2"})):
        desk.transactions.finish(id)

    assert {"/x": b"1", "/late": b"2"} == desk.lake.files("a")


def test_a_commit_is_found_by_a_branch_that_moved_in_the_same_list(desk):
    """Which commit is meant is known only inside."""
    desk.lake.repo("a")
    commit = desk.lake.pfs.catalog.commits.start(branch("a", "dev"))
    desk.lake.pfs.writes.modify(commit, [])
    desk.lake.commit("a", {"/m": b"master"})

    id = desk.open(CreateBranch(branch("a"), commit), FinishCommit(master("a")))
    desk.transactions.finish(id)

    assert commit == desk.lake.pfs.catalog.commits.inspect(master("a")).commit


def test_a_collision_makes_a_bad_commit(desk):
    """As a plain finish does."""
    desk.lake.repo("a")
    commit = desk.lake.pfs.catalog.commits.start(branch("a"))
    desk.lake.commit("a", {"/x": b"1", "/x/y": b"2"})

    desk.transactions.finish(desk.open(FinishCommit(commit)))

    assert "collision" in desk.lake.pfs.catalog.commits.inspect(commit).error


def test_a_commit_is_finished_once_in_a_list(desk):
    """The second request sees the first."""
    desk.lake.repo("a")
    commit = desk.lake.pfs.catalog.commits.start(branch("a"))
    id = desk.open(FinishCommit(commit))

    with pytest.raises(Refused) as caught:
        desk.append(id, FinishCommit(commit))

    assert ErrorKind.COMMIT_FINISHED == caught.value.kind


def test_pipelines_that_read_each_other_are_made_together(desk):
    """One job for each, of one set, and the specs are there."""
    desk.lake.repo("a")
    desk.lake.commit("a", {"/x": b"x"})

    id = desk.open(CreatePipeline(spec_of("p", "a"), "mine"), CreatePipeline(spec_of("q", "p"), ""))
    desk.transactions.finish(id)
    desk.lake.run()

    assert {"/x": b"X"} == desk.lake.files("q")
    assert [id, id] == [desk.lake.job(name).job.id for name in ("p", "q")]
    assert ["/spec"] == list(desk.lake.files("p", "spec"))
    assert "mine" == desk.lake.pps.pipelines.inspect(desk.lake.job("p").job.pipeline).user_spec


def test_jobs_are_stopped_and_ended(desk):
    """With their commits, in one change."""
    for name in ("a", "b"):
        desk.lake.repo(name)
        desk.lake.pipeline(f"p{name}", name)
    jobs = [desk.lake.job(f"p{name}").job for name in ("a", "b")]

    desk.batch(StopJob(jobs[0], "enough"), UpdateJobState(jobs[1], JobState.KILLED, "no good"))

    ended = [(info.state, info.reason) for info in map(desk.lake.pps.jobs.inspect, jobs)]
    assert [(JobState.KILLED, "job stopped: enough"), (JobState.KILLED, "no good")] == ended


def test_a_job_is_moved_on_by_the_scheduler_alone(desk):
    """What would make it run or succeed is refused; an end that it has is none again."""
    desk.lake.repo("a")
    desk.lake.pipeline("p", "a")
    job = desk.lake.job("p").job

    with pytest.raises(Refused) as caught:
        desk.batch(UpdateJobState(job, JobState.SUCCESS))
    desk.batch(UpdateJobState(job, JobState.KILLED), UpdateJobState(job, JobState.KILLED))

    assert ErrorKind.BAD_MOVE == caught.value.kind
    assert JobState.KILLED == desk.lake.pps.jobs.inspect(job).state


def test_a_commit_set_is_squashed_together_with_others(desk):
    """Two in one list, and not one of them if the second has no child."""
    desk.lake.repo("a")
    first, second, last = (desk.lake.commit("a", {f"/{name}": b"1"}) for name in "xyz")

    with pytest.raises(Refused):
        desk.batch(SquashCommitSet(first.id), SquashCommitSet(last.id))
    assert 3 == len(list(desk.lake.pfs.catalog.commits.list(A)))
    desk.transactions.finish(desk.open(SquashCommitSet(first.id), SquashCommitSet(second.id)))

    assert [last] == [info.commit for info in desk.lake.pfs.catalog.commits.list(A)]
    assert {"/x", "/y", "/z"} == set(desk.lake.files("a"))


def test_a_batch_is_made_at_once_or_not_at_all(desk):
    """In one commit set; nothing of it is left open."""
    info = desk.batch(CreateRepo(A), start_of("a"), CreateBranch(branch("a", "b"), CommitRef(A, "master")))
    with pytest.raises(NotFound, match="request 2 of 2"):
        desk.batch(CreateRepo(B), DeleteBranch(branch("nothing")))

    assert (None, Commit(A, info.id), None) == info.answers
    assert ["a"] == desk.repos()
    assert [] == list(desk.transactions.list())


def test_a_repo_is_deleted_and_made_anew_in_one_list(desk):
    """Each request sees those before it."""
    desk.lake.repo("a")
    desk.lake.commit("a", {"/x": b"1"})

    desk.transactions.finish(desk.open(DeleteRepo(A), CreateRepo(A, "new")))

    assert "new" == desk.lake.pfs.catalog.repos.inspect(A).description
    assert () == desk.lake.pfs.catalog.repos.inspect(A).branches


def test_requests_of_many_threads_are_all_kept(desk):
    """None takes the place of another."""
    id = desk.open()
    threads = [
        threading.Thread(target=desk.append, args=(id, CreateRepo(Repo("default", f"r{number}"))))
        for number in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.transactions.finish(id)

    assert [f"r{number}" for number in range(8)] == sorted(desk.repos())


def test_a_request_that_comes_while_the_list_is_made_is_not_lost(desk):
    """Nothing has happened, and the caller is told to look again."""
    id = desk.open(CreateRepo(A))

    with (
        fail.during("transactions.prepared", lambda: desk.append(id, CreateRepo(B))),
        pytest.raises(Conflict) as caught,
    ):
        desk.transactions.finish(id)

    assert ErrorKind.WRITE_CONFLICT == caught.value.kind
    assert [] == desk.repos()
    assert 2 == desk.transactions.inspect(id).version


def test_a_list_has_an_end(desk, monkeypatch):
    """Each request tries all before it, so they cannot be very many."""
    monkeypatch.setattr(module, "REQUESTS_MAX", 2)
    id = desk.open(CreateRepo(A), CreateRepo(B))

    with pytest.raises(Refused, match="has 2 requests"):
        desk.append(id, CreateRepo(Repo("default", "c")))


def test_a_failure_at_the_very_end_leaves_all_or_nothing(desk):
    """What a fault inside the transaction leaves behind is the transaction, to be finished again."""
    id = desk.open(CreateRepo(A), start_of("a"))

    class Fault(Exception):
        pass

    def break_off():
        raise Fault

    with fail.during("transactions.made", break_off), pytest.raises(Fault):
        desk.transactions.finish(id)
    assert [] == desk.repos()

    desk.transactions.finish(id)
    assert ["a"] == desk.repos()


def test_an_operation_says_itself_in_words():
    """For people who look at a transaction."""
    job = job_of("p", Commit(A, "0" * 32))

    operations = [
        CreateRepo(A),
        CreateRepo(A, update=True),
        start_of("a"),
        StopJob(job),
        CreatePipeline(spec_of("p", "a")),
    ]

    assert [
        "create repo default/a",
        "update repo default/a",
        "start commit default/a@master",
        f"stop job {job}",
        "create pipeline default/p",
    ] == [str(each) for each in operations]
    assert operations == pickle.loads(pickle.dumps(operations))

# SPDX-License-Identifier: Apache-2.0
"""Transactions as clients see them. What runs, and when, is in full in `tests/transactions`."""

import grpc

from howdah.apis.grpc.transacted import KEPT
from howdah.model.names import is_commit_id
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import transaction_v2_pb2 as transaction
from tests.apis.wired import NO_ID, add, failure, head_of

CODE = grpc.StatusCode


def names(wire):
    return {info.repo.name for info in wire.pfs.ListRepo(pb.ListRepoRequest())}


def ids(wire):
    found = wire.transactions.ListTransaction(transaction.ListTransactionRequest()).transaction_info
    return [info.transaction.id for info in found]


def test_a_transaction_has_an_id_like_a_commit(wire):
    """It becomes one."""
    made, _ = wire.transaction()

    assert is_commit_id(made.id)
    assert made.id in ids(wire)


def test_the_calls_that_take_part_are_known():
    """All others run at once."""
    expected = {
        "CreateRepo",
        "DeleteRepo",
        "StartCommit",
        "FinishCommit",
        "SquashCommitSet",
        "CreateBranch",
        "DeleteBranch",
        "UpdateJobState",
        "StopJob",
        "CreatePipeline",
        "CreatePipelineV2",
    }

    assert expected == set(KEPT)


def test_other_calls_with_the_id_run_at_once(wire):
    """Such as one that makes a project, and all that read."""
    _, metadata = wire.transaction()
    name = wire.name("project")

    wire.pfs.CreateProject(pb.CreateProjectRequest(project=pb.Project(name=name)), metadata=metadata)

    assert name in {info.project.name for info in wire.pfs.ListProject(pb.ListProjectRequest(), metadata=metadata)}


def test_an_error_shows_at_its_call(wire):
    """Each is tried with all that came before it, and an erroneous one is not kept."""
    made, metadata = wire.transaction()
    repo = pb.Repo(name=wire.name())

    missing = failure(lambda: wire.pfs.StartCommit(pb.StartCommitRequest(branch=wire.branch(repo)), metadata=metadata))
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo), metadata=metadata)
    again = failure(lambda: wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo), metadata=metadata))
    wire.pfs.StartCommit(pb.StartCommitRequest(branch=wire.branch(repo)), metadata=metadata)

    assert [CODE.NOT_FOUND, CODE.ALREADY_EXISTS] == [missing[0], again[0]]
    assert 2 == len(wire.finish_transaction(made).requests)


def test_a_started_commit_is_answered_as_it_will_be(wire):
    """Its id is the transaction's, in every repo; what follows from it has the same."""
    source, other = wire.branch(), wire.branch()
    output = wire.output(source, other)
    made, metadata = wire.transaction()

    answers = [wire.pfs.StartCommit(pb.StartCommitRequest(branch=each), metadata=metadata) for each in (source, other)]
    wire.finish_transaction(made)

    assert [made.id] * 2 == [each.id for each in answers]
    assert [made.id] * 3 == [wire.head(branch).id for branch in (source, other, output)]
    assert 3 == len([each for each in wire.in_set(made.id) if each.id == made.id])


def test_a_repo_is_said_to_be_deleted_before_it_is(wire):
    """Until the end it is there."""
    repo = wire.repo()
    made, metadata = wire.transaction()

    answer = wire.pfs.DeleteRepo(pb.DeleteRepoRequest(repo=repo), metadata=metadata)
    during = repo.name in names(wire)
    wire.finish_transaction(made)

    assert (True, True, False) == (answer.deleted, during, repo.name in names(wire))


def test_the_end_answers_each_request(wire):
    """In their order, and the transaction is gone."""
    branch = wire.branch()
    made, metadata = wire.transaction()
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=pb.Repo(name=wire.name())), metadata=metadata)
    commit = wire.pfs.StartCommit(pb.StartCommitRequest(branch=branch), metadata=metadata)
    wire.pfs.FinishCommit(pb.FinishCommitRequest(commit=commit), metadata=metadata)

    info = wire.finish_transaction(made)

    assert ["create_repo", "start_commit", "finish_commit"] == [each.ListFields()[0][0].name for each in info.requests]
    assert [False, True, False] == [each.HasField("commit") for each in info.responses]
    assert (made, commit) == (info.transaction, info.responses[1].commit)
    assert made.id not in ids(wire)
    assert wire.commit(commit).HasField("finished")


def test_nothing_happens_if_one_request_no_longer_can(wire):
    """The transaction stays, to be seen and deleted."""
    first, second = pb.Repo(name=wire.name()), pb.Repo(name=wire.name())
    made, metadata = wire.transaction()
    for repo in (first, second):
        wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo), metadata=metadata)
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=second))

    code, _ = failure(lambda: wire.finish_transaction(made))

    assert CODE.ALREADY_EXISTS is code
    assert first.name not in names(wire)
    assert made.id in ids(wire)


def test_reads_do_not_see_what_is_pending(wire):
    """With the id or without."""
    _, metadata = wire.transaction()
    repo = pb.Repo(name=wire.name())
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo), metadata=metadata)

    code, _ = failure(lambda: wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=repo), metadata=metadata))

    assert CODE.NOT_FOUND is code


def test_two_commits_of_one_repo_do_not_fit_into_a_set(wire):
    """The second is refused at once."""
    repo = wire.repo()
    _, metadata = wire.transaction()
    wire.pfs.StartCommit(pb.StartCommitRequest(branch=wire.branch(repo, "a")), metadata=metadata)

    request = pb.StartCommitRequest(branch=wire.branch(repo, "b"))
    code, text = failure(lambda: wire.pfs.StartCommit(request, metadata=metadata))

    assert CODE.INVALID_ARGUMENT is code
    assert "inconsistent" in text


def test_a_missing_transaction_is_not_found(wire):
    """To be inspected, finished, deleted, or taken part in."""
    missing = transaction.Transaction(id=NO_ID)
    metadata = (("pach-transaction", NO_ID),)
    api = wire.transactions
    calls = [
        lambda: api.InspectTransaction(transaction.InspectTransactionRequest(transaction=missing)),
        lambda: api.FinishTransaction(transaction.FinishTransactionRequest(transaction=missing)),
        lambda: api.DeleteTransaction(transaction.DeleteTransactionRequest(transaction=missing)),
        lambda: wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=pb.Repo(name=wire.name())), metadata=metadata),
    ]

    assert [CODE.NOT_FOUND] * 4 == [failure(call)[0] for call in calls]


def test_a_deleted_transaction_has_not_happened(wire):
    """It is gone."""
    made, metadata = wire.transaction()
    repo = pb.Repo(name=wire.name())
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo), metadata=metadata)

    wire.transactions.DeleteTransaction(transaction.DeleteTransactionRequest(transaction=made))

    assert made.id not in ids(wire)
    assert repo.name not in names(wire)


def test_a_batch_is_a_transaction_in_one_call(wire):
    """All of it or nothing."""
    good, branch = pb.Repo(name=wire.name()), wire.branch()
    requests = [{"create_repo": {"repo": good}}, {"start_commit": {"branch": branch}}]
    bad = [{"create_repo": {"repo": {"name": wire.name()}}}, {"create_repo": {"repo": good}}]

    info = wire.transactions.BatchTransaction(transaction.BatchTransactionRequest(requests=requests))
    before = names(wire)
    code, _ = failure(lambda: wire.transactions.BatchTransaction(transaction.BatchTransactionRequest(requests=bad)))

    assert info.transaction.id == info.responses[1].commit.id == wire.head(branch).id
    assert (CODE.ALREADY_EXISTS, before) == (code, names(wire))


def test_an_empty_id_is_none(wire):
    """The official client goes on to send it."""
    repo = pb.Repo(name=wire.name())

    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo), metadata=(("pach-transaction", ""),))

    assert repo.name in names(wire)


def test_files_are_written_while_a_transaction_is_open(wire):
    """A write is not part of it, and its commit holds what was written to it by then."""
    branch = wire.branch()
    commit = wire.start(branch)
    made, metadata = wire.transaction()

    wire.pfs.FinishCommit(pb.FinishCommitRequest(commit=commit), metadata=metadata)
    wire.modify(head_of(branch), add("/a", b"1"))
    wire.finish_transaction(made)

    assert b"1" == wire.read(commit, "/a")

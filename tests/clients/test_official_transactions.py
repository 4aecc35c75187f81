# SPDX-License-Identifier: Apache-2.0
"""Transactions through the official client, unmodified, against a real server with a real worker."""

import grpc
import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps
from pachyderm_sdk.api.transaction import Transaction, TransactionRequest

from howdah.testing.server import running_server


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as server:
        yield Client(host=server.host, port=server.grpc_port)


@pytest.fixture
def repos(client, request):
    """Two repos of this test alone."""
    made = [pfs.Repo(name=f"{name}-{request.node.name}"[:60], type="user") for name in ("a", "b")]
    for repo in made:
        client.pfs.create_repo(repo=repo)
    return made


def master(repo):
    return pfs.Branch(repo=repo, name="master")


@pytest.mark.slow
def test_data_for_two_inputs_runs_a_pipeline_once(client, repos):
    """Commits are started together, written and finished one by one; there is one job, and it sees both."""
    pipeline = pps.Pipeline(name="join")
    script = ["cat /pfs/*/x > /pfs/out/x"]
    cross = [pps.Input(pfs=pps.PfsInput(repo=repo.name, name=f"i{n}", glob="/")) for n, repo in enumerate(repos)]
    with client.transaction.transaction() as transaction:
        commits = [client.pfs.start_commit(branch=master(repo)) for repo in repos]
        client.pps.create_pipeline(
            pipeline=pipeline, transform=pps.Transform(cmd=["sh"], stdin=script), input=pps.Input(cross=cross)
        )

    for commit, data in zip(commits, (b"one", b"two"), strict=True):
        with client.pfs.commit(branch=pfs.Branch(repo=commit.repo, name="scratch")):
            pass  # another branch, in a set of its own
        client.pfs.put_file_from_bytes(commit=commit, path="/x", data=data)
        client.pfs.finish_commit(commit=commit)
    output = pfs.Commit(repo=pfs.Repo(name="join", type="user"), id=transaction.id)
    client.pfs.wait_commit(output)

    assert [transaction.id] == [info.job.id for info in client.pps.list_job(pipeline=pipeline)]
    assert b"onetwo" == client.pfs.pfs_file(pfs.File(commit=output, path="/x")).read()


def test_a_transaction_that_fails_leaves_nothing(client, repos):
    """It is deleted by the client, which goes on without one."""
    new = pfs.Repo(name="never", type="user")

    def work():
        with client.transaction.transaction():
            client.pfs.create_repo(repo=new)
            client.pfs.create_repo(repo=repos[0])

    with pytest.raises(grpc.RpcError) as caught:
        work()

    assert grpc.StatusCode.ALREADY_EXISTS == caught.value.code()
    assert not client.pfs.repo_exists(new)
    assert [] == client.transaction.list_transaction().transaction_info


def test_calls_after_the_end_happen_at_once(client):
    """The client sends an empty id with them."""
    transaction = client.transaction.start_transaction()
    inside, outside = (pfs.Repo(name=name, type="user") for name in ("inside", "outside"))
    client.pfs.create_repo(repo=inside)
    assert [transaction.id] == [info.transaction.id for info in client.transaction.list_transaction().transaction_info]

    client.transaction.finish_transaction(transaction=transaction)
    client.pfs.create_repo(repo=outside)

    assert client.pfs.repo_exists(inside)
    assert client.pfs.repo_exists(outside)


def test_a_batch_is_made_at_once(client, repos):
    """And answers the commits in the order of the requests."""
    asked = [TransactionRequest(start_commit=pfs.StartCommitRequest(branch=master(repo))) for repo in repos]

    info = client.transaction.batch_transaction(requests=asked)

    assert [(repo.name, info.transaction.id) for repo in repos] == [
        (answer.commit.repo.name, answer.commit.id) for answer in info.responses
    ]


def test_what_is_not_there_is_not_found(client):
    """`transaction_exists` asks for that code."""
    assert not client.transaction.transaction_exists(Transaction(id="0123456789ab4def8123456789abcdef"))

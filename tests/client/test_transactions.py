# SPDX-License-Identifier: Apache-2.0
"""Transactions by the client: which calls belong to one is said by the object they are made on."""

import threading

import pytest

from howdah.client import Client
from howdah.errors import AlreadyExists, ErrorKind, NotFound
from howdah.model.operations import CreateRepo, StartCommit
from howdah.model.refs import Branch, Commit, Repo


def test_changes_of_a_block_happen_together(client, repo):
    """At its end, with one id; the client itself is not part of it."""
    with client.transaction() as together:
        together.create_repo(f"{repo}-b")
        commits = [together.start_commit(f"{name}@master") for name in (repo, f"{repo}-b")]
        with pytest.raises(NotFound):
            client.inspect_repo(f"{repo}-b")
        client.create_repo(f"{repo}-c")

    assert [together.id] * 2 == [commit.id for commit in commits]
    assert commits == [client.inspect_commit(commit).commit for commit in commits]
    assert [] == client.list_transactions()


def test_a_block_that_raises_changes_nothing(client, repo):
    """The transaction is gone, and the error is the block's own."""

    def work():
        with client.transaction() as together:
            together.create_repo(f"{repo}-b")
            together.create_repo(repo)

    with pytest.raises(AlreadyExists) as caught:
        work()

    assert ErrorKind.REPO_EXISTS == caught.value.kind
    with pytest.raises(NotFound):
        client.inspect_repo(f"{repo}-b")
    assert [] == client.list_transactions()


def test_a_block_whose_list_no_longer_holds_leaves_no_transaction(client, repo):
    """Somebody made the same repo meanwhile."""

    def work():
        with client.transaction() as together:
            together.create_repo(f"{repo}-b")
            client.create_repo(f"{repo}-b")

    with pytest.raises(AlreadyExists):
        work()

    assert [] == client.list_transactions()


def test_threads_have_transactions_of_their_own(client, repo):
    """On one client, at the same time."""
    ids: dict[str, str] = {}
    both_open = threading.Barrier(2)

    def work(name):
        with client.transaction() as together:
            both_open.wait(10)
            together.create_repo(name)
            ids[name] = together.start_commit(f"{name}@master").id

    threads = [threading.Thread(target=work, args=(f"{repo}-{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 2 == len(set(ids.values()))
    assert set(ids) == {client.inspect_commit(f"{name}@{id}").commit.repo.name for name, id in ids.items()}


def test_a_client_may_be_of_a_transaction_for_good(client, server, repo):
    """As one that a program is given from outside; what is kept is shown in words."""
    id = client.start_transaction()

    with Client(server.grpc_address, transaction=id) as bound:
        bound.create_repo(f"{repo}-b")
        bound.start_commit(f"{repo}@master")
        info = bound.inspect_transaction(id)
    done = client.finish_transaction(id)

    assert (f"create repo default/{repo}-b", f"start commit default/{repo}@master") == info.requests
    assert (None, Commit(Repo("default", repo), id)) == info.commits == done.commits
    assert info.started_at is not None


def test_a_transaction_is_taken_up_again_by_its_id(client, repo):
    """In another object, or process."""
    id = client.start_transaction()
    client.in_transaction(id).create_repo(f"{repo}-b")

    client.delete_transaction(id)

    with pytest.raises(NotFound) as caught:
        client.in_transaction(id).create_repo(f"{repo}-b")
    assert ErrorKind.TRANSACTION_NOT_FOUND == caught.value.kind


def test_operations_are_made_in_one_batch(client, repo):
    """By one call."""
    new = Repo("default", f"{repo}-b")

    info = client.batch_transaction([CreateRepo(new), StartCommit(Branch(new, "master"))])

    assert (None, Commit(new, info.id)) == info.commits
    client.start_transaction()
    client.delete_all_transactions()
    assert [] == client.list_transactions()

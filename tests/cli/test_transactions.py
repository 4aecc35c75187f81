# SPDX-License-Identifier: Apache-2.0
"""Transactions on the command line: the current one is kept in the context."""

import pytest

from howdah.testing.server import running_server


@pytest.fixture
def id(howdah):
    ran = howdah("start", "transaction")
    assert (0, "") == (ran.code, ran.err)
    return ran.out.strip()


def test_changes_go_into_the_current_transaction(howdah, id, repo):
    """Until it is finished; the commit that is started has its id."""
    # `repo` was asked for after `id`: it is the first request of the transaction.
    commit = howdah("start", "commit", f"{repo}@master").out.strip()
    assert 3 == howdah("inspect", "repo", repo).code
    assert [id] == [each["id"] for each in howdah("list", "transaction", "-o", "json").json]

    shown = howdah("inspect", "transaction").out
    ran = howdah("finish", "transaction")

    assert id == commit
    assert f"start commit default/{repo}@master" in shown
    assert 0 == ran.code
    assert f"create repo default/{repo}" in ran.out
    assert 0 == howdah("inspect", "commit", f"{repo}@{id}").code
    assert 0 == howdah("create", "repo", f"{repo}-b").code
    assert 0 == howdah("inspect", "repo", f"{repo}-b").code


def test_a_transaction_is_left_and_resumed(howdah, id):
    """In between, changes happen at once."""
    assert id == howdah("stop", "transaction").out.strip()
    howdah("create", "repo", "at-once")
    assert 0 == howdah("inspect", "repo", "at-once").code

    assert 0 == howdah("resume", "transaction", id).code
    howdah("create", "repo", "later")

    assert 3 == howdah("inspect", "repo", "later").code
    assert ["create repo default/later"] == howdah("inspect", "transaction", "-o", "json").json["requests"]
    assert 0 == howdah("delete", "transaction").code
    assert 3 == howdah("inspect", "repo", "later").code
    assert 3 == howdah("resume", "transaction", id).code


def test_what_is_made_in_a_transaction_is_deleted_in_it(howdah, id):
    """Although nobody sees it yet."""
    howdah("create", "repo", "short-lived")

    assert 0 == howdah("delete", "repo", "short-lived").code

    howdah("finish", "transaction")
    assert 3 == howdah("inspect", "repo", "short-lived").code


def test_a_commit_set_is_squashed_in_a_transaction(howdah, server):
    """It stays until the end."""
    howdah("create", "repo", "squashed")
    first, last = (howdah("create", "commit", "squashed@master").out.strip() for _ in range(2))
    howdah("start", "transaction")

    ran = howdah("squash", "commit", first)

    assert (0, "") == (ran.code, ran.out)
    assert 0 == howdah("inspect", "commit", f"squashed@{first}").code
    howdah("finish", "transaction")
    assert [f"default/squashed@{last}"] == [
        each["commit"] for each in howdah("list", "commit", "squashed", "-o", "json").json
    ]


def test_one_transaction_is_open_in_a_context(howdah, id):
    """Another one begins when it is over."""
    ran = howdah("start", "transaction")
    assert 6 == ran.code
    assert f"transaction {id} is open" in ran.err

    howdah("finish", "transaction", id)

    assert 0 == howdah("start", "transaction").code
    howdah("delete", "transaction")


@pytest.mark.parametrize("verb", ["finish", "delete"])
def test_a_dead_transaction_does_not_stay_current(howdah, id, verb, tmp_path):
    """Its id is kept in a file, so it may be older than the server's own memory of it."""
    config = tmp_path / "contexts.json"
    kept = config.read_text()
    howdah("delete", "transaction")
    config.write_text(kept)
    assert 3 == howdah("create", "repo", f"dead-{verb}").code

    assert 3 == howdah(verb, "transaction").code

    assert 0 == howdah("create", "repo", f"dead-{verb}").code


def test_a_transaction_belongs_to_its_server(howdah, id, tmp_path):
    """With another one, changes happen at once."""
    with running_server(tmp_path / "other") as other:
        words = ("--address", other.grpc_address)
        howdah("create", "repo", "elsewhere", *words)

        assert 0 == howdah("inspect", "repo", "elsewhere", *words).code
    assert [] == howdah("inspect", "transaction", "-o", "json").json["requests"]
    howdah("delete", "transaction")


@pytest.mark.parametrize("verb", ["finish", "inspect", "delete", "stop"])
def test_without_a_transaction_one_must_be_named(howdah, verb):
    """The way out is said."""
    ran = howdah(verb, "transaction")

    assert 2 == ran.code
    assert "no transaction is named" in ran.err

# SPDX-License-Identifier: Apache-2.0
"""A server for each module, and the official client of it, unmodified."""

import itertools

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs

from howdah.testing.server import running_server

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    return Client(host=server.host, port=server.grpc_port)


@pytest.fixture
def repo(client):
    """A new repo of its own name."""
    made = pfs.Repo.from_uri(f"repo-of-tests-{next(_numbers)}")
    client.pfs.create_repo(repo=made)
    return made

# SPDX-License-Identifier: Apache-2.0
"""A real server, and a client of it by each of the two ways."""

import pytest

from howdah.client import Client
from howdah.testing.server import running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["direct", "through"])
def client(server, request):
    with Client(server.grpc_address, direct=request.param) as client:
        yield client


@pytest.fixture
def repo(client, request):
    """The name of a repo of this test alone."""
    name = f"r{abs(hash(request.node.nodeid)) % 10**12}"
    client.create_repo(name)
    return name

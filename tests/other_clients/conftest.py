# SPDX-License-Identifier: Apache-2.0
"""Servers and users of `pachctl` for the tests of this folder."""

import pytest

from howdah.testing.server import running_server
from tests.other_clients.pachctl import Pachctl


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server without workers for each module."""
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture
def pachctl(server):
    """A user of that server, whose context is new."""
    return Pachctl(server.grpc_address)

# SPDX-License-Identifier: Apache-2.0
"""One lake for all wrong calls: none of them may change it."""

import pytest

from howdah.testing.server import running_server
from tests.bad_input.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as server:
        world = World(server, tmp_path_factory.mktemp("local"))
        yield world
        world.close()


@pytest.fixture
def unchanged(world):
    """Whatever the test did: the server answers, and the lake is as it was."""
    yield
    assert world.seen == world.look()

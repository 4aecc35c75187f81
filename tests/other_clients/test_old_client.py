# SPDX-License-Identifier: Apache-2.0
"""python-pachyderm, the client before the official one, unmodified: the steps of `scripts/old_client.py`."""

import pytest

from howdah.testing.server import running_server
from tests.other_clients.environments import python_of, steps_of, told

SCRIPT = "old_client.py"


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """How each step failed."""
    python, folder = python_of("python-pachyderm"), tmp_path_factory.mktemp("client")
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as server:
        return told(python, SCRIPT, server.grpc_address, server.lake_id, str(folder), folder=folder)


@pytest.mark.slow
@pytest.mark.parametrize("step", steps_of(SCRIPT))
def test_the_old_client_does(failures, step):
    """Each step of the script by its name."""
    assert "" == failures[step]

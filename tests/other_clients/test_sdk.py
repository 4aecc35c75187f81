# SPDX-License-Identifier: Apache-2.0
"""The official Python client of two lines, unmodified, each in its own Python: the steps of `scripts/sdk.py`."""

import sys

import pytest

from howdah.testing.server import running_server
from tests.other_clients.environments import python_of, steps_of, told

SCRIPT = "sdk.py"


@pytest.fixture(scope="module", params=["2.10", "2.12"])
def failures(request, tmp_path_factory):
    """How each step failed; 2.12 is a dependency of these tests, 2.10 lives apart."""
    python = sys.executable if request.param == "2.12" else python_of("pachyderm-sdk")
    folder = tmp_path_factory.mktemp("client")
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as server:
        return told(python, SCRIPT, server.grpc_address, str(folder), folder=folder)


@pytest.mark.slow
@pytest.mark.parametrize("step", steps_of(SCRIPT))
def test_the_official_client_does(failures, step):
    """Each step of the script by its name."""
    assert "" == failures[step]

# SPDX-License-Identifier: Apache-2.0
"""A server, and raw calls to it, for the modules that want one."""

import pytest

from howdah.testing.server import running_server
from tests.apis.wired import Wire


@pytest.fixture(scope="module")
def wire(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as server:
        made = Wire(server)
        with made.channel:
            yield made

# SPDX-License-Identifier: Apache-2.0
"""Commands run inside the test's process, against a real server."""

import json
from dataclasses import dataclass

import pytest

from howdah.cli.main import run
from howdah.testing.server import running_server


@dataclass(frozen=True)
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture
def howdah(server, monkeypatch, capfd, tmp_path):
    """Runs a command line; its words are given one by one. Contexts are of this test alone."""
    monkeypatch.setenv("HOWDAH_ADDRESS", server.grpc_address)
    monkeypatch.setenv("HOWDAH_CONFIG", str(tmp_path / "contexts.json"))

    def call(*words):
        capfd.readouterr()
        code = run(words)
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return call


@pytest.fixture
def repo(howdah, request):
    """The name of a repo of this test alone."""
    name = f"r{abs(hash(request.node.nodeid)) % 10**12}"
    assert 0 == howdah("create", "repo", name).code
    return name

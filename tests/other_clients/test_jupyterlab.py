# SPDX-License-Identifier: Apache-2.0
"""The server half of jupyterlab-pachyderm, unmodified: the steps of `scripts/jupyter.py`, and its own tests."""

import json
import re

import pytest

from howdah.testing.server import running_server
from tests.other_clients.environments import CLIENTS, python_of, ran, steps_of, told

CLIENT = "jupyterlab-pachyderm"
SCRIPT = "jupyter.py"

# Of its own tests those that cannot pass yet, by what they want.
WANTS_LOGIN = {"test_auth_config"}


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """How each step failed."""
    python, folder = python_of(CLIENT), tmp_path_factory.mktemp("client")
    with running_server(tmp_path_factory.mktemp("lake")) as server:
        mount = {"PFS_MOUNT_DIR": str(folder / "pfs")}
        return told(python, SCRIPT, server.grpc_address, str(folder), folder=folder, environment=mount)


@pytest.mark.slow
@pytest.mark.parametrize("step", steps_of(SCRIPT))
def test_the_jupyter_extension_does(failures, step):
    """Each step of the script by its name."""
    assert "" == failures[step]


@pytest.mark.full
def test_its_own_tests_pass_but_for_what_they_want_of_the_server(tmp_path):
    """They are in its package, publishing of notebooks as pipelines among them; what is not served yet is listed."""
    python, home = python_of(CLIENT), tmp_path / "home"
    with running_server(tmp_path / "lake", workers=1) as server:
        here = {"pachd_address": f"grpc://{server.grpc_address}"}
        (home / ".pachyderm").mkdir(parents=True)
        for name in ("config.json", "auth_config.json"):
            config = {"v2": {"active_context": "here", "contexts": {"here": here}}}
            (home / ".pachyderm" / name).write_text(json.dumps(config))
        (home / "pytest.ini").write_text("[pytest]\n")
        words = ["-m", "pytest", "-q", "-rA", "--asyncio-mode=auto", "-p", "no:cacheprovider"]
        words += ["-c", str(home / "pytest.ini"), "--pyargs", "jupyterlab_pachyderm.tests"]
        # From above its package: it names its notebooks from where it was started.
        done = ran(
            python,
            words,
            folder=CLIENTS / CLIENT,
            environment={"HOME": str(home), "PFS_MOUNT_DIR": str(tmp_path / "pfs")},
        )

    ended = re.findall(r"^(PASSED|FAILED|ERROR) \S*::(\w+)", done.stdout, re.MULTILINE)
    assert WANTS_LOGIN == {name for how, name in ended if how != "PASSED"}, done.stdout[-5000:]
    assert 27 == len(ended)

# SPDX-License-Identifier: Apache-2.0
"""What is loaded: the library of container engines takes a quarter of a second and some MB."""

import ast
import subprocess
import sys

import pytest

from howdah.engine import LABEL
from howdah.engine.address import owners
from howdah.errors import Unavailable

LOADED = "import sys; print('docker' in sys.modules)"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import howdah.server.app, howdah.server.executions, howdah.engine", "False"),
        ("import howdah.cli.create_pipeline, howdah.cli.run_local, howdah.cli.local_run", "False"),
        ("import howdah.engine; howdah.engine.Engine", "True"),
    ],
)
def test_the_library_is_loaded_with_its_first_use(code, expected):
    """A server or command that uses no containers never does."""
    ran = subprocess.run([sys.executable, "-c", f"{code}; {LOADED}"], capture_output=True, text=True, check=True)

    assert expected == ran.stdout.strip()


@pytest.mark.slow
def test_what_is_left_on_an_engine_is_found_without_the_library(hosts, tmp_path):
    """Every server asks that when it starts; other containers are not told."""
    host = hosts("docker")
    code = f"import howdah.engine; print(howdah.engine.EngineAt({host.address!r}).owners())"
    with host.start(tmp_path, labels={LABEL: "loading/run/1"}) as container, host.start(tmp_path) as other:
        ran = subprocess.run([sys.executable, "-c", f"{code}; {LOADED}"], capture_output=True, text=True, check=True)

        found = ast.literal_eval(ran.stdout.splitlines()[0])

    assert "loading/run/1" == found[container.id]
    assert other.id not in found
    assert "False" == ran.stdout.splitlines()[1]


@pytest.mark.parametrize("url", ["unix:///nowhere", "nothing"])
def test_an_engine_that_is_away_does_not_tell_what_it_has(url):
    """That is no empty answer."""
    with pytest.raises(Unavailable, match="does not say which containers it has"):
        owners(url)

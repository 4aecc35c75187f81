# SPDX-License-Identifier: Apache-2.0
"""What is loaded: the library of container engines takes a quarter of a second and some MB."""

import subprocess
import sys

import pytest

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

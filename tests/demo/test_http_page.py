# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/http.md, typed in as they stand there: only the server's address is another."""

import json
import os
import re
import shutil
import subprocess

import pytest

from howdah.testing.server import running_server
from tests.house.house import ROOT

PAGE = (ROOT / "docs" / "http.md").read_text()
ADDRESS = "http://127.0.0.1:1600"


def typed_in():
    """All that a reader of the page types, as one script."""
    return "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))


@pytest.mark.slow
def test_the_examples_work_as_written(tmp_path):
    """Each command succeeds and answers what the page says."""
    if shutil.which("curl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no curl here: apt-get install curl")
    with running_server(tmp_path / "lake") as server:
        script = typed_in().replace(ADDRESS, server.http_address)
        done = subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    lines = done.stdout.splitlines()
    (error,) = re.findall(r"```json\n(.*)\n```", PAGE)
    assert (0, "") == (done.returncode, done.stderr)
    assert ["{}", "plays"] == [lines[0], json.loads(lines[1])["description"]]
    assert 2 == json.loads(lines[2])["major"]
    assert "to be or not to be" in lines
    assert error in lines
    assert "the deadline has passed; give more time" == json.loads(lines[-2])["error"]["message"]
    assert "openapi" in json.loads(lines[-1])
    assert "3.1.0" == json.loads((tmp_path / "openapi.json").read_text())["openapi"]

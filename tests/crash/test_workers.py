# SPDX-License-Identifier: Apache-2.0
"""Workers that are killed while the server lives: others come, and go on at once."""

import os
import time

import pytest

from howdah.client import Client
from howdah.model.states import JobState
from howdah.testing.server import running_server
from tests.crash.pipelines import USER_VARIABLE
from tests.crash.processes import kill_groups, marked, working_on

PATIENCE_SECONDS = 20  # less than a claim lasts, much more than a worker takes to start


@pytest.mark.slow
def test_a_job_goes_on_as_soon_as_its_killed_workers_are_replaced(tmp_path):
    """What they had claimed is given back when they die, not when their claims run out."""
    mark = f"{USER_VARIABLE}={tmp_path.name}-{os.getpid()}"
    variable, _, value = mark.partition("=")
    with running_server(tmp_path / "lake", workers=2) as server, Client(server.grpc_address) as client:
        client.create_repo("r")
        client.put_file("r@master", "/a", b"a")
        client.create_pipeline(
            {
                "pipeline": {"name": "p"},
                "transform": {"cmd": ["sleep", "0.5"], "env": {variable: value}},
                "input": {"pfs": {"repo": "r", "glob": "/*"}},
            }
        )
        [job] = client.list_jobs("p")
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and not marked(mark):
            time.sleep(0.01)

        kill_groups([each for each in working_on(tmp_path / "lake") if "howdah.worker" in each.command.split()])

        assert JobState.SUCCESS is client.wait_job(job.job, timeout=PATIENCE_SECONDS).state

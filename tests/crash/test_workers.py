# SPDX-License-Identifier: Apache-2.0
"""Workers that are killed while the server lives: others come, and go on at once."""

import os
import sys
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


BATCH = """
import os, time
import grpc
from howdah.wire.stubs import pachyderm_worker_pb2 as pb, pachyderm_worker_pb2_grpc as services
worker = services.WorkerStub(grpc.insecure_channel("localhost:" + os.environ["PPS_WORKER_GRPC_PORT"]))
while True:
    env = dict(each.split("=", 1) for each in worker.NextDatum(pb.NextDatumRequest()).env)
    os.symlink(env["r"], "/pfs/out/" + os.path.basename(env["r"]))
    time.sleep(0.3)
"""


@pytest.mark.slow
def test_a_killed_worker_takes_its_process_that_stays_up_with_it(tmp_path):
    """What was handed in is kept, the rest is done by the next worker's process; at the end none of them is alive."""
    mark = f"{USER_VARIABLE}={tmp_path.name}-{os.getpid()}"
    variable, _, value = mark.partition("=")
    with running_server(tmp_path / "lake", workers=1) as server, Client(server.grpc_address) as client:
        client.create_repo("r")
        for number in range(8):
            client.put_file("r@master", f"/{number}", b"%d" % number)
        client.create_pipeline(
            {
                "pipeline": {"name": "p"},
                "transform": {"cmd": [sys.executable, "-c", BATCH], "datumBatching": True, "env": {variable: value}},
                "input": {"pfs": {"repo": "r", "glob": "/*"}},
                "datumSetSpec": {"number": 8},
            }
        )
        [job] = client.list_jobs("p")
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and not client.inspect_job(job.job).processed:
            time.sleep(0.01)
        first = {process.key for process in marked(mark)}

        kill_groups([each for each in working_on(tmp_path / "lake") if "howdah.worker" in each.command.split()])
        ended = client.wait_job(job.job, timeout=PATIENCE_SECONDS)
        second = {process.key for process in marked(mark)}

    assert (JobState.SUCCESS, 8) == (ended.state, ended.processed)
    assert first
    assert not first & second
    assert [] == marked(mark)

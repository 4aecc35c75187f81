# SPDX-License-Identifier: Apache-2.0
"""The official Python client in a container: `batch_all_datums` in an image without a network or anything of ours."""

import subprocess
import sys

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

from howdah.server.executions import ExecutionSettings
from howdah.testing.server import running_server
from tests.clients.test_official_batching import CODE
from tests.house.house import ROOT
from tools import engines


@pytest.mark.full
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_one_process_of_an_image_does_all_datums(engine, hosts, tmp_path):
    """It imports the client from its image, and asks for datums as it would in a Pachyderm worker."""
    host, root = hosts(engine), tmp_path / "image"
    subprocess.run([sys.executable, ROOT / "examples/roots.py", root, "shell", "python:pachyderm-sdk"], check=True)
    image = engines.take(host.address, "sdk", root, ("ENV PATH=/usr/bin:/bin",))
    repo, pipeline = pfs.Repo(name="words", type="user"), pps.Pipeline(name="shout")

    execution = ExecutionSettings(engine=host.address, network="none")
    with running_server(tmp_path / "lake", workers=1, execution=execution) as server:
        client = Client(host=server.host, port=server.grpc_port)
        client.pfs.create_repo(repo=repo)
        with client.pfs.commit(branch=pfs.Branch(repo=repo, name="master")) as commit:
            for number in range(20):
                commit.put_file_from_bytes(path=f"/{number:02d}", data=b"word %d" % number)
        client.pps.create_pipeline(
            pipeline=pipeline,
            transform=pps.Transform(image=image, cmd=["python3", "-c", CODE], datum_batching=True),
            input=pps.Input(pfs=pps.PfsInput(repo=repo.name, name="words", glob="/*")),
            datum_tries=1,
        )
        job = client.pps.inspect_job(job=next(client.pps.list_job(pipeline=pipeline)).job, wait=True, details=True)
        lines = [message.message for message in client.pps.get_logs(job=job.job) if message.user]
        with client.pfs.pfs_file(pfs.File.from_uri("shout@master:/07")) as file:
            seventh = file.read()

    assert (pps.JobState.JOB_SUCCESS, 20, b"WORD 7") == (job.state, job.data_processed, seventh), job.reason
    assert 1 == lines.count("loading the model")

# SPDX-License-Identifier: Apache-2.0
"""The official Python client's `batch_all_datums` in user code, unmodified, on a real worker."""

import sys

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

from howdah.testing.server import running_server

CODE = """
import os
from pachyderm_sdk import batch_all_datums

print("loading the model", flush=True)

@batch_all_datums
def shout():
    name = os.path.basename(os.environ["words"])
    with open(os.environ["words"]) as words:
        text = words.read()
    if "bad" in text:
        raise ValueError("no good: " + name)
    with open("/pfs/out/" + name, "w") as out:
        out.write(text.upper())

shout()
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as server:
        yield Client(host=server.host, port=server.grpc_port)


def run(client, name, files, **transform):
    """The first job of a batching pipeline over these files, when it has ended."""
    repo = pfs.Repo(name=f"words-{name}", type="user")
    client.pfs.create_repo(repo=repo)
    with client.pfs.commit(branch=pfs.Branch(repo=repo, name="master")) as commit:
        for path, data in files.items():
            commit.put_file_from_bytes(path=path, data=data)
    pipeline = pps.Pipeline(name=name)
    client.pps.create_pipeline(
        pipeline=pipeline,
        transform=pps.Transform(cmd=[sys.executable, "-c", CODE], datum_batching=True, **transform),
        input=pps.Input(pfs=pps.PfsInput(repo=repo.name, name="words", glob="/*")),
        datum_tries=1,
    )
    job = next(client.pps.list_job(pipeline=pipeline)).job
    return client.pps.inspect_job(job=job, wait=True, details=True)


def test_one_process_does_all_datums_of_a_job(client):
    """It is started once; each datum has its files, its variables and its output."""
    job = run(client, "shout", {f"/{number:02d}": b"word %d" % number for number in range(20)})
    lines = [message.message for message in client.pps.get_logs(job=job.job) if message.user]
    with client.pfs.pfs_file(pfs.File.from_uri("shout@master:/07")) as file:
        seventh = file.read()

    assert (pps.JobState.JOB_SUCCESS, 20, b"WORD 7") == (job.state, job.data_processed, seventh)
    assert 1 == lines.count("loading the model")


def test_an_exception_is_the_datums_failure(client):
    """The client reports it; the others are done, and the reason is what was raised."""
    job = run(client, "fails", {"/a": b"good", "/b": b"bad", "/c": b"good"})

    assert (pps.JobState.JOB_FAILURE, 2, 1) == (job.state, job.data_processed, job.data_failed)
    assert "its command reported: ValueError('no good: b')" in job.reason


def test_a_recovered_datum_is_told_from_a_failed_one(client):
    """The job succeeds; the datum is listed as recovered, and has no output."""
    job = run(client, "mends", {"/a": b"good", "/b": b"bad"}, err_cmd=["true"])
    states = {info.data[0].file.path: pps.DatumState(info.state).name for info in client.pps.list_datum(job=job.job)}

    assert (pps.JobState.JOB_SUCCESS, 1, 1) == (job.state, job.data_processed, job.data_recovered)
    assert {"/a": "SUCCESS", "/b": "RECOVERED"} == states
    assert ["/a"] == [info.file.path for info in client.pfs.list_file(file=pfs.File.from_uri("mends@master:/"))]

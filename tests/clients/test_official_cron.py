# SPDX-License-Identifier: Apache-2.0
"""The official Python client, unmodified: cron inputs, reruns, restarts, alerts and filters, with a real worker."""

import re
from datetime import UTC, datetime

import grpc
import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

from howdah.testing.server import running_server

COPY = ["sh", "-c", "cp /pfs/*/* /pfs/out/"]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as server:
        yield Client(host=server.host, port=server.grpc_port)


def create(client, name, source, cmd=COPY, **fields):
    pipeline = pps.Pipeline(name=name)
    client.pps.create_pipeline(pipeline=pipeline, transform=pps.Transform(cmd=cmd), input=source, **fields)
    return pipeline


def newest(client, pipeline):
    job = next(client.pps.list_job(pipeline=pipeline)).job
    return client.pps.inspect_job(job=job, wait=True)


def words(client, name):
    """A repo with two files."""
    repo = pfs.Repo.from_uri(name)
    client.pfs.create_repo(repo=repo)
    with client.pfs.commit(branch=pfs.Branch(repo=repo, name="master")) as commit:
        commit.put_file_from_bytes(path="/a", data=b"alpha")
        commit.put_file_from_bytes(path="/b", data=b"beta")
    return pps.Input(pfs=pps.PfsInput(repo=name, glob="/*"))


def test_cron_is_run_by_hand(client):
    """Each tick is a datum, found below /pfs/<name>."""
    source = pps.Input(cron=pps.CronInput(name="tick", spec="@every 1000h", start=datetime.now(UTC)))
    pipeline = create(client, "hourly", source)

    client.pps.run_cron(pipeline=pipeline)
    first = newest(client, pipeline)
    client.pps.run_cron(pipeline=pipeline)
    second = newest(client, pipeline)

    assert (1, 0) == (first.data_processed, first.data_skipped)
    assert (1, 1) == (second.data_processed, second.data_skipped)
    head = pfs.Commit.from_uri("hourly@master")
    names = [info.file.path for info in client.pfs.list_file(file=pfs.File(commit=head, path="/"))]
    assert 2 == len([name for name in names if re.fullmatch(r"/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", name)])


def test_a_pipeline_without_cron_input_is_not_run(client):
    """The expression is the one of the client's own tests."""
    pipeline = create(client, "still", words(client, "words"))

    with pytest.raises(grpc.RpcError, match=r"pipeline.*have a cron input"):
        client.pps.run_cron(pipeline=pipeline)


def test_a_running_datum_begins_again(client, tmp_path):
    """The worker ends the user code and runs the datum once more."""
    # The first run of a datum waits for ever, the second finds that there was one.
    script = "test -e $HOWDAH_TEST_MARK && exit 0; touch $HOWDAH_TEST_MARK; echo begun; sleep 3600"
    source = words(client, "slow-words")
    source.pfs.glob = "/"
    pipeline = pps.Pipeline(name="slow")
    mark = str(tmp_path / "begun")
    client.pps.create_pipeline(
        pipeline=pipeline,
        transform=pps.Transform(cmd=["sh", "-c", script], env={"HOWDAH_TEST_MARK": mark}),
        input=source,
    )
    job = next(client.pps.list_job(pipeline=pipeline)).job
    for message in client.pps.get_logs(job=job, follow=True):
        if message.user and message.message == "begun":
            break

    client.pps.restart_datum(job=job, data_filters=["/"])
    info = client.pps.inspect_job(job=job, wait=True)

    assert (pps.JobState.JOB_SUCCESS, 1) == (info.state, info.data_processed)
    with pytest.raises(grpc.RpcError, match=rf"datum matching filter \[.*\] could not be found for job ID {job.id}"):
        client.pps.restart_datum(job=job, data_filters=["/a"])


def test_a_rerun_and_what_is_told_of_it(client):
    """Its job skips what succeeded; filters find it, and nothing needs to be looked at."""
    pipeline = create(client, "twice", words(client, "twice-words"))
    newest(client, pipeline)

    client.pps.rerun_pipeline(pipeline=pipeline)
    again = newest(client, pipeline)
    client.pps.rerun_pipeline(pipeline=pipeline, reprocess=True)
    anew = newest(client, pipeline)

    found = client.pps.list_job(pipeline=pipeline, history=-1, jq_filter='.data_skipped == "2"')
    assert [(2, 0), (0, 2)] == [(job.data_skipped, job.data_processed) for job in (again, anew)]
    assert [again.job.id] == [info.job.id for info in found]
    assert [] == list(client.pps.check_status(all=True))
    counted = client.pps.pipelines_summary().summaries
    assert ["default"] == [each.project.name for each in counted]
    assert 0 == counted[0].failed_pipelines

# SPDX-License-Identifier: Apache-2.0
"""What random messages have found: each was a defect of the server once, and is the caller's error or harmless now."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from howdah.testing.server import running_server
from howdah.wire.stubs import howdah_v1_pb2 as howdah
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs.howdah_v1_pb2_grpc import LakeStub, WorkStub
from howdah.wire.stubs.pfs_v2_pb2_grpc import APIStub as PfsStub
from howdah.wire.stubs.pps_v2_pb2_grpc import APIStub as PpsStub

WAIT = 20.0  # seconds; reached only by a failing test
BIG = 2**63 - 1


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    with (
        running_server(tmp_path_factory.mktemp("lake")) as server,
        grpc.insecure_channel(server.grpc_address) as opened,
    ):
        yield opened


def code_and_text(call):
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value.code(), error.value.details()


NEVER = [Timestamp(nanos=-1), Timestamp(seconds=BIG), Timestamp(seconds=-BIG)]


@pytest.mark.parametrize("moment", NEVER)
def test_a_time_that_no_calendar_has_is_refused(channel, moment):
    """In whatever call it comes."""
    job = pps.Job(pipeline=pps.Pipeline(name="p"), id="0" * 32)
    lines = howdah.AppendLogsRequest(job=job, worker_id="w", lines=[howdah.LogLine(at=moment)])
    commits = pfs.ListCommitRequest(repo=pfs.Repo(name="r"), started_time=moment)
    calls = [
        lambda: WorkStub(channel).AppendLogs(lines, timeout=WAIT),
        lambda: list(PfsStub(channel).ListCommit(commits, timeout=WAIT)),
        lambda: list(PpsStub(channel).ListJobSet(pps.ListJobSetRequest(paginationMarker=moment), timeout=WAIT)),
    ]

    outcomes = [code_and_text(each) for each in calls]

    assert [grpc.StatusCode.INVALID_ARGUMENT] * 3 == [code for code, _ in outcomes]
    assert all("is out of range" in text for _, text in outcomes)


def test_a_spec_with_a_time_out_of_range_is_refused(channel):
    """It cannot be written as JSON, which a spec is kept as."""
    request = pps.CreatePipelineRequest(pipeline=pps.Pipeline(name="p"), datum_timeout=Duration(seconds=BIG))

    code, text = code_and_text(lambda: PpsStub(channel).CreatePipeline(request, timeout=WAIT))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert text.startswith("could not make effective spec: a value cannot be written as JSON")


@pytest.mark.parametrize("size", [1, 2, BIG])
def test_a_page_far_beyond_the_last_is_empty(channel, size):
    """However far."""
    repos = pfs.ListRepoRequest(page=pfs.RepoPage(page_size=size, page_index=BIG))
    pipelines = pps.ListPipelineRequest(page=pps.PipelinePage(page_size=size, page_index=BIG))

    assert [] == list(PfsStub(channel).ListRepo(repos, timeout=WAIT))
    assert [] == list(PpsStub(channel).ListPipeline(pipelines, timeout=WAIT))


def test_a_name_with_a_line_end_leaves_the_text_one_line(channel):
    """Clients match texts by expressions that end at a line's end."""
    request = howdah.RenewWriteRequest(lease_id="a\nb")

    code, text = code_and_text(lambda: LakeStub(channel).RenewWrite(request, timeout=WAIT))

    assert grpc.StatusCode.ABORTED == code
    assert text.startswith("lease a\\nb has expired")

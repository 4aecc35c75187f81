# SPDX-License-Identifier: Apache-2.0
"""A server that is killed while lines of logs move into objects: each is there once, before and after."""

import os
import threading
from datetime import UTC, datetime

import grpc
import pytest

from howdah.client import Client
from howdah.model.upkeep import Fault
from howdah.wire.convert import timestamp
from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.wire.stubs import pfs_v2_pb2, pps_v2_pb2
from howdah.wire.stubs.howdah_v1_pb2_grpc import WorkStub
from tests.crash.servers import SERVER, CrashServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="processes are found by /proc"),
]
BLOCKS, LINES = 24, 200  # of a kilobyte: more than one object takes
SPEC = {
    "pipeline": {"name": "talk"},
    "transform": {"cmd": ["true"]},
    "input": {"pfs": {"repo": "in", "glob": "/"}},
}


@pytest.mark.parametrize("failpoint", ["logs.stored", "logs.moved"])
def test_a_kill_while_lines_move_neither_loses_nor_doubles_one(failpoint, tmp_path):
    """What was acknowledged is read in its order, once; the next server moves what the first one did not."""
    root = tmp_path / "lake"
    first = CrashServer(root, "one", "nobody=one", failpoint)
    first.wait_ready()
    with Client(first.address) as client:
        client.create_repo("in")
        client.create_pipeline(SPEC)
        client.wait_commit("talk@master", timeout=60)
        job = next(client.list_jobs("talk")).job
        said = say(first.address, job, 0)
        reached = first.wait_for_failpoint(threading.Event())
        first.kill(SERVER)

    second = CrashServer(root, "two", "nobody=two")
    second.wait_ready()
    try:
        with Client(second.address) as client:
            before = read(client, job)
            said_then = say(second.address, job, BLOCKS)
            after = read(client, job)
            faults = [each for each in client.check() if isinstance(each, Fault)]
    finally:
        second.kill(SERVER)

    assert reached.startswith(failpoint)
    assert said == before
    assert said + said_then == after
    assert [] == faults


def say(address, job, begin):
    """Send blocks of lines as a worker does; the lines."""
    named = pps_v2_pb2.Pipeline(name="talk", project=pfs_v2_pb2.Project(name="default"))
    said = []
    with grpc.insecure_channel(address) as channel:
        for block in range(begin, begin + BLOCKS):
            texts = [f"{block:05d} {number:05d} {'x' * 1_000}" for number in range(LINES)]
            lines = [wire.LogLine(at=timestamp(datetime.now(UTC)), user=True, message=text) for text in texts]
            request = wire.AppendLogsRequest(job=pps_v2_pb2.Job(pipeline=named, id=job.id), worker_id="w", lines=lines)
            WorkStub(channel).AppendLogs(request, timeout=30)
            said += texts
    return said


def read(client, job):
    return [line.message for line in client.logs(job=job) if line.user]

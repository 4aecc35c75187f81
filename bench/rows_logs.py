# SPDX-License-Identifier: Apache-2.0
"""Rows about logs: lines of many datums in one pipeline, the last of them, and those of one datum."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import grpc

from bench.figures import Figure, Row
from bench.ground import Ground, quiet
from bench.lakes import Lake
from bench.rows_pipelines import pipeline, put_files
from howdah.client import Client
from howdah.model.refs import Job
from howdah.wire.convert import timestamp
from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.wire.stubs import pfs_v2_pb2, pps_v2_pb2
from howdah.wire.stubs.howdah_v1_pb2_grpc import WorkStub

__all__ = ["ROWS"]

_LINES = 10  # of each datum
_BATCH = 200  # datums whose lines a worker sends together
_READS = 15


def many_lines(ground: Ground) -> list[Figure]:
    """Append lines as workers do, then read from both ends of what they made: objects and rows."""
    datums = ground.scale.log_datums
    with ground.fresh_lake("words") as lake, lake.client() as client:
        put_files(client, "words", [0], 0)
        client.create_pipeline(pipeline("talk", "words", "/", "true"))
        client.wait_commit("talk@master", timeout=60)
        job = next(client.list_jobs("talk")).job
        quiet()
        begin = time.perf_counter()
        append(lake, job, datums)
        seconds = time.perf_counter() - begin
        wanted = f"{datums // 3:032x}"
        last = samples(lambda: len(list(client.logs(pipeline="talk", tail=100))), 100)
        one = samples(lambda: len(list(client.logs(job=job, datum=wanted))), _LINES)
        found = _scan(client, job)
    rate = Figure("lines that are appended in a second", datums * _LINES / seconds, "lines/s")
    return [
        Figure.of(last, "ms", label="the last 100 lines of the pipeline", at_most=100),
        Figure.of(one, "ms", label="the lines of one datum", at_most=200),
        rate,
        Figure("a regular expression over all of them", found, "s"),
    ]


def append(lake: Lake, job: Job, datums: int) -> None:
    """The lines of so many datums, in batches as a worker sends them."""
    project = pfs_v2_pb2.Project(name=job.pipeline.project)
    named = pps_v2_pb2.Job(pipeline=pps_v2_pb2.Pipeline(name=job.pipeline.name, project=project), id=job.id)
    with grpc.insecure_channel(lake.address) as channel:
        stub = WorkStub(channel)
        for first in range(0, datums, _BATCH):
            at = timestamp(datetime.now(UTC))
            lines = [
                wire.LogLine(
                    at=at, datum_id=f"{datum:032x}", user=True, message=f"step {step} of datum {datum} is done"
                )
                for datum in range(first, min(datums, first + _BATCH))
                for step in range(_LINES)
            ]
            stub.AppendLogs(wire.AppendLogsRequest(job=named, worker_id="bench", lines=lines), timeout=60)


def samples(read: Callable[[], int], expected: int) -> list[float]:
    """The milliseconds of some reads, each of which must find so many lines."""
    found = []
    for _ in range(_READS):
        begin = time.perf_counter()
        count = read()
        found.append((time.perf_counter() - begin) * 1000)
        if count != expected:
            raise RuntimeError(f"{count} lines instead of {expected}")
    return found


def _scan(client: Client, job: Job) -> float:
    begin = time.perf_counter()
    if len(list(client.logs(job=job, pattern="step 9 of datum 77 "))) != 1:
        raise RuntimeError("a line was not found")
    return time.perf_counter() - begin


ROWS = [
    Row(
        "logs", "1,000,000 lines of 100,000 datums in one job: the last of them, and those of one datum", "", many_lines
    )
]

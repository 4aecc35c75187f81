# SPDX-License-Identifier: Apache-2.0
"""Rows about many commits on one branch, and about a datum of very many files: neither may make the next one slower."""

import time

from bench.data import small_content
from bench.figures import Figure, Row
from bench.ground import Ground
from bench.pairs import timed
from bench.rows_pipelines import Opened, pipeline
from howdah.client import Client

__all__ = ["ROWS"]

_PART = 100  # commits at each end that are compared
_SAMPLES = 5
_WAIT_SECONDS = 600.0


def append_many(ground: Ground) -> list[Figure]:
    """A commit for each small file, by one client; the last hundred beside the first."""
    count = ground.scale.one_each
    with ground.fresh_lake("many") as lake, lake.client() as client:
        client.put_file("many@warm", "/0", b"the client and the server have loaded what they need")
        samples = [
            timed(lambda number=number: client.put_file("many@master", f"/{number:05d}", small_content(number))) * 1000
            for number in range(count)
        ]
        files = sum(1 for _ in client.list_files("many@master", "/"))
    if files != count:
        raise RuntimeError(f"the head has {files} files instead of {count}")
    first, last = sum(samples[:_PART]), sum(samples[-_PART:])
    note = f"{last / _PART:.1f} ms beside {first / _PART:.1f} ms a commit"
    return [
        Figure("the last hundred over the first", last / first, "times", at_most=1.2, note=note),
        Figure.of(samples, "ms", label="a commit"),
    ]


def plan_many(ground: Ground) -> list[Figure]:
    """Change one file of very many that are one datum; from just before the finish until the job is planned."""
    count = ground.scale.planned
    with ground.fresh_lake("wide") as lake, lake.client() as client:
        with client.commit("wide@master") as commit:
            for number in range(count):
                commit.put(f"/{number // 1000:03d}/{number % 1000:03d}", small_content(number))
        client.create_pipeline(pipeline("all", "wide", "/", 'ls -R "$in" | wc -l > /pfs/out/files'))
        client.wait_commit("all@master", timeout=_WAIT_SECONDS)
        samples = [planned(client, number) for number in range(_SAMPLES)]
    return [Figure.of(samples, "s", at_most=1)]


def planned(client: Client, number: int) -> float:
    """The seconds until the job of a commit of one changed file is planned; it is stopped then."""
    with Opened(client, "wide") as opened:
        client.put_file(opened.name, f"/000/{number:03d}", small_content(number, 1))
        opened.finish()
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        job = next(client.list_jobs("all"))
        if job.job.id == opened.id and job.started_at is not None:
            client.stop_job(job.job)
            return job.started_at.timestamp() - opened.finished_at
        time.sleep(0.005)
    raise RuntimeError("the job was not planned")


ROWS = [
    Row(
        "append-many", "1,000 commits of one small file each on one branch: the last hundred", "the first", append_many
    ),
    Row("plan-200k", "200,000 files under glob `/`: commit finished to job planned", "", plan_many),
]

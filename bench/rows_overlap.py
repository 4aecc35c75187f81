# SPDX-License-Identifier: Apache-2.0
"""Rows about one worker: it moves bytes while user code runs; and what a datum costs a process that stays up."""

import os
import random
import subprocess
import sys
from typing import Any

from bench.buckets import bucket_lake
from bench.figures import Figure, Row
from bench.ground import Ground, quiet
from bench.lakes import Lake
from bench.pairs import timed
from bench.rows_pipelines import Opened, put_files
from howdah.client import Client
from howdah.client.values import JobInfo

__all__ = ["ROWS"]

_WAIT_SECONDS = 900.0
_CODE_SECONDS = 0.2
# Other bytes come out than went in, so that all of them are stored.
_SCRIPT = (
    f"sleep {_CODE_SECONDS} & tr '\\000-\\377' '\\001-\\377\\000' < \"$in\" > \"${{OUT:-/pfs/out}}/${{in##*/}}\"; wait"
)
_BATCH = """
import os
import grpc
from howdah.wire.stubs import pachyderm_worker_pb2 as pb, pachyderm_worker_pb2_grpc as services
worker = services.WorkerStub(grpc.insecure_channel("localhost:" + os.environ["PPS_WORKER_GRPC_PORT"]))
while True:
    env = dict(each.split("=", 1) for each in worker.NextDatum(pb.NextDatumRequest()).env)
    with open(env["in"], "rb") as words, open("/pfs/out/" + os.path.basename(env["in"]), "w") as out:
        out.write(str(len(words.read().split())))
"""


def _pipeline(name: str, repo: str, transform: dict[str, Any]) -> dict[str, Any]:
    return {
        "pipeline": {"name": name},
        "transform": transform,
        "input": {"pfs": {"repo": repo, "glob": "/*", "name": "in"}},
        "parallelism_spec": {"constant": 1},
    }


def overlap(ground: Ground) -> list[Figure]:
    """One worker, big datums: its job beside all downloads, then all user code, then all uploads, by a client.

    In a bucket, as a lake of such datums would be; and in a folder, whose bytes move so fast that user code is nearly
    all of the sum: there the job is held against user code alone, which no overlap can beat.
    """
    with bucket_lake(ground, "big", "turned") as lake:
        wall, phases = _job_and_phases(ground, lake)
        in_bucket = Figure(
            "in a bucket: sum of the phases over the job",
            sum(phases) / wall,
            "times",
            at_least=1.6,
            note=_note(wall, phases),
        )
    with ground.fresh_lake("big", "turned") as lake:
        wall, phases = _job_and_phases(ground, lake)
        in_folder = Figure(
            "in a folder: the job over user code alone",
            wall / phases[1],
            "times",
            at_most=1.1,
            note=_note(wall, phases),
        )
    return [in_bucket, in_folder]


def _job_and_phases(ground: Ground, lake: Lake) -> tuple[float, tuple[float, float, float]]:
    """The seconds of the job, and of the three phases without a worker and without what its cache has."""
    count, size = ground.scale.big_datums, ground.scale.big_datum_bytes
    with lake.client() as client:
        client.create_pipeline(_pipeline("turn", "big", {"cmd": ["sh", "-c", _SCRIPT]}))
        job = _run(client, "turn", lambda commit: _put_big(client, commit, count, size))
    quiet()
    if "HOWDAH_CACHE" in os.environ:
        os.environ["HOWDAH_CACHE"] = str(ground.place.fresh("cache"))
    with lake.client() as client:
        return _seconds(job), _one_after_another(ground, client, count)


def _note(wall: float, phases: tuple[float, float, float]) -> str:
    down, code, up = phases
    return f"the job {wall:.1f} s; downloads {down:.1f} s, user code {code:.1f} s, uploads {up:.1f} s"


def _one_after_another(ground: Ground, client: Client, count: int) -> tuple[float, float, float]:
    """The seconds of the three phases, without a worker."""
    folder = ground.place.fresh("phases")
    before, after = folder / "in", folder / "out"
    for each in (before, after):
        each.mkdir(parents=True)
    names = [f"{number:05d}" for number in range(count)]

    def download() -> None:
        for name in names:
            (before / name).write_bytes(client.get_file("big@master", f"/{name}"))

    def run() -> None:
        for name in names:
            env = {**os.environ, "in": str(before / name), "OUT": str(after)}
            subprocess.run(["sh", "-c", _SCRIPT], env=env, check=True)

    def upload() -> None:
        for name in names:
            with client.modify("turned@master") as writer:
                writer.put(f"/{name}", (after / name).read_bytes())

    seconds = timed(download), timed(run), timed(upload)
    ground.place.away(folder)
    return seconds


def batching(ground: Ground) -> list[Figure]:
    """Small datums by one worker: one process for all of them, beside one for each."""
    count = ground.scale.datums
    transforms = {
        "one process": {"cmd": [sys.executable, "-c", _BATCH], "datumBatching": True},
        "one each": {"cmd": ["sh", "-c", 'wc -w < "$in" > "/pfs/out/${in##*/}"']},
    }
    figures = []
    with ground.fresh_lake("words") as lake, lake.client() as client:
        for number, (label, transform) in enumerate(transforms.items()):
            name = f"count{number}"
            client.create_pipeline(_pipeline(name, "words", transform))
            job = _run(client, name, lambda commit, version=number: put_files(client, commit, range(count), version))
            figures.append(Figure(f"{label}, datums a second", job.processed / _seconds(job), "/s"))
            client.delete_pipeline(name)
    return figures


def _run(client: Client, pipeline: str, put: Any) -> JobInfo:
    """The job of one commit that `put` fills, when it has ended."""
    repo = "big" if pipeline == "turn" else "words"
    client.wait_commit(f"{pipeline}@master", timeout=_WAIT_SECONDS)
    with Opened(client, repo) as commit:
        put(commit.name)
        quiet()
        timed(commit.finish_and_wait)
    return next(client.list_jobs(pipeline))


def _put_big(client: Client, commit: str, count: int, size: int) -> None:
    numbers = random.Random(count)
    with client.modify(commit) as writer:
        for number in range(count):
            writer.put(f"/{number:05d}", numbers.randbytes(size))


def _seconds(job: JobInfo) -> float:
    assert job.started_at is not None
    assert job.finished_at is not None
    return (job.finished_at - job.started_at).total_seconds()


ROWS = [
    Row(
        "overlap",
        "200 datums of 20 MB with 0.2 s of user code each, one worker",
        "downloads, user code, uploads one after another",
        overlap,
    ),
    Row("batching", "1,000 small datums by one worker, one process for all or one for each", "", batching),
]

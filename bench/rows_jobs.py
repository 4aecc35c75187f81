# SPDX-License-Identifier: Apache-2.0
"""Rows about many pipelines and many jobs: a chain, pages of jobs, a start over all of them, a commit that all read.

The lake of many jobs is filled in this process, through the layers below the APIs and without a scheduler, so that
commits make jobs which nobody runs; all but the newest of each pipeline are stopped, and those are run by steps.
The newest read nothing that matches, so they end with SUCCESS and no datum. All else is asked of a server.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice, pairwise
from typing import Any, Final

import grpc

from bench.figures import Figure, Row
from bench.ground import Ground, quiet
from bench.lakes import Lake, memory_of
from bench.pairs import timed
from bench.rows_pipelines import Opened, pipeline, put_files
from howdah.model.refs import CommitRef, Job, Pipeline, Repo
from howdah.model.spec import parse_spec
from howdah.model.states import is_terminal
from howdah.pfs.writes import Put
from howdah.pps import jobs
from howdah.server.app import Opened as OpenedLake
from howdah.server.app import opened
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pb
from howdah.wire.stubs.pps_v2_pb2_grpc import APIStub

__all__ = ["ROWS"]

LINKS: Final = 10
_PAGE: Final = 100
_RUNS: Final = 20
_PASSES: Final = 5
_STARTS: Final = 3
_IDLE_SECONDS: Final = 5.0
_TOGETHER: Final = 500  # jobs that are stopped in one transaction
_WAIT_SECONDS: Final = 600.0
MB = 1e6


def chain(ground: Ground) -> list[Figure]:
    """Ten pipelines, each reads the one before; their own time is what workers measured of `cp`."""
    names = ["source", *(f"link-{number}" for number in range(LINKS))]
    specs = [pipeline(name, above, "/*", 'cp "$in" /pfs/out/') for above, name in pairwise(names)]
    with ground.fresh_lake("source") as lake, lake.client() as client:
        put_files(client, "source", [0], 0)
        by_calls = timed(lambda: [client.create_pipeline(spec) for spec in specs])
        client.wait_commit(f"link-{LINKS - 1}@master", timeout=_WAIT_SECONDS)
        beyond, own = [], []
        for number in range(_PASSES):
            with Opened(client, "source") as commit:
                put_files(client, commit.name, [number + 1], 0)
                quiet()
                whole = commit.finish_and_wait()
            stats = [job.stats.process_time.total_seconds() for job in client.inspect_job_set(commit.id)]
            own.append(sum(stats))
            beyond.append(whole - own[-1])
        last = len(list(client.list_files(f"link-{LINKS - 1}@master", "/")))
    if last != _PASSES + 1:
        raise RuntimeError(f"{last} files came through instead of {_PASSES + 1}")
    with ground.fresh_lake("source") as lake:
        file = ground.place.fresh("chain.json")
        file.write_text("\n".join(map(json.dumps, specs)))
        by_command = timed(lambda: lake.howdah("create", "pipeline", "-f", file))
    note = f"user code itself took {max(own):.2f} s at most"
    return [
        Figure("created by 10 calls of the client", by_calls, "s", at_most=2),
        Figure("created by `create pipeline -f` of one file, the whole process", by_command, "s", at_most=2),
        Figure.of(beyond, "s", label="a commit through all ten, beyond the user code's own time", at_most=3, note=note),
    ]


def many_jobs(ground: Ground) -> list[Figure]:
    """A tenth of the pipelines have half of the jobs, so that one pipeline alone has more than a page."""
    pipelines, wanted = ground.scale.pipelines, ground.scale.jobs
    busy, wide = pipelines // 10, pipelines - pipelines // 10
    busy_commits, wide_commits = wanted // 2 // busy - 1, wanted // 2 // wide - 1
    figures: list[Figure] = []

    def fill(lake: OpenedLake) -> None:
        for name, commits in (("busy", busy_commits), ("wide", wide_commits)):
            repo = Repo("default", name)
            lake.pfs.catalog.repos.create(repo)
            lake.pfs.writes.modify(CommitRef(repo, "master"), [Put("/0", [b"0"])])
            samples = [timed(lambda spec=spec: _make(lake, spec)) for spec in _specs(name, busy, wide)]
            if name == "wide":
                figures.append(_growth(samples))
            for number in range(commits):
                lake.pfs.writes.modify(CommitRef(repo, "master"), [Put(f"/{number + 1}", [b"%d" % number])])
        _end_all(lake)

    with served(ground, fill) as lake:
        figures += _restarts(lake)
        figures += _pages(lake)
        figures += _pipelines(lake, pipelines)
        figures.append(_wide_commit(lake, wide))
    return figures


@contextmanager
def served(ground: Ground, fill: Callable[[OpenedLake], None]) -> Iterator[Lake]:
    """A server on a lake that was filled before it started."""
    root = ground.place.fresh("jobs")
    with opened(root, workers=2) as lake:
        begin = time.perf_counter()
        fill(lake)
        ground.say(f"made the jobs in {time.perf_counter() - begin:.1f} s")
    with Lake.running(root) as running:
        yield running
    shutil.rmtree(root)


def _specs(repo: str, busy: int, wide: int) -> Iterator[str]:
    for number in range(busy if repo == "busy" else wide):
        yield json.dumps(pipeline(f"{repo}-{number:04d}", repo, "/none-*", "true"))


def _make(lake: OpenedLake, spec: str) -> None:
    lake.pps.pipelines.create(parse_spec(spec), spec)


def _growth(samples: list[float]) -> Figure:
    part = max(1, len(samples) // 10)
    first, last = (sorted(some)[len(some) // 2] for some in (samples[:part], samples[-part:]))
    note = f"{first * 1000:.1f} ms at first, {last * 1000:.1f} ms at last; {sum(samples):.1f} s for {len(samples)}"
    label = "making a pipeline, the last tenth of them over the first"
    return Figure(label, last / first, "times", at_most=3, note=note)


def _end_all(lake: OpenedLake) -> None:
    """Stop every job but the newest of each pipeline, and run those."""
    seen: set[Pipeline] = set()
    old: list[Job] = []
    for info in lake.pps.jobs.list():
        if info.job.pipeline in seen:
            old.append(info.job)
        seen.add(info.job.pipeline)
    rest = iter(reversed(old))
    while some := list(islice(rest, _TOGETHER)):
        with lake.db.write() as tx:
            for job in some:
                jobs.stop(tx, job)
    lake.pps.scheduler.settle()
    if any(not is_terminal(info.state) for info in lake.pps.jobs.list()):
        raise RuntimeError("jobs are left that have not ended")


def _restarts(lake: Lake) -> list[Figure]:
    ready = []
    for _ in range(_STARTS):
        quiet()
        ready.append(lake.restart())
    time.sleep(_IDLE_SECONDS)
    return [
        Figure.of(ready, "s", label="a restart is ready", at_most=5),
        Figure("memory of the idle server", memory_of(lake.pid) / MB, "MB"),
    ]


def _pages(lake: Lake) -> list[Figure]:
    """A page of jobs in all the ways that it is asked for, over gRPC, one call each."""
    requests: dict[str, dict[str, Any]] = {
        "of all": {},
        "of all, with details": {"details": True},
        "of a project": {"projects": [pfs.Project(name="default")]},
        "of a pipeline": {"pipeline": _named("busy-0000")},
        "of a pipeline, with details": {"pipeline": _named("busy-0000"), "details": True},
        "of all, oldest first": {"reverse": True},
        "of all, those that succeeded (jq)": {"jqFilter": 'select(.state == "JOB_SUCCESS")'},
    }
    figures = []
    with grpc.insecure_channel(lake.address) as channel:
        api = APIStub(channel)
        for label, fields in requests.items():
            request = pb.ListJobRequest(history=-1, number=_PAGE, **fields)
            with suppress(Unsupported):
                samples = [_timed_page(api, request) * 1000 for _ in range(_RUNS)]
                figures.append(Figure.of(samples, "ms", label=f"{_PAGE} jobs {label}", at_most=100))
    return figures


class Unsupported(Exception):
    """The server does not do this."""


def _timed_page(api: Any, request: pb.ListJobRequest) -> float:
    begin = time.perf_counter()
    try:
        found = len(list(api.ListJob(request)))
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise Unsupported from error
        raise
    seconds = time.perf_counter() - begin
    if not found:
        raise RuntimeError(f"no job was listed for {request}")
    return seconds


def _named(name: str) -> pb.Pipeline:
    return pb.Pipeline(name=name, project=pfs.Project(name="default"))


def _pipelines(lake: Lake, count: int) -> list[Figure]:
    with lake.client() as client:
        found = len(list(client.list_pipelines()))
        if found != count:
            raise RuntimeError(f"{found} pipelines were listed instead of {count}")
        samples = [timed(lambda: list(client.list_pipelines())) * 1000 for _ in range(_RUNS)]
    return [Figure.of(samples, "ms", label="all pipelines, by our client", at_most=300)]


def _wide_commit(lake: Lake, readers: int) -> Figure:
    """Start, finish and results of a commit that most of the pipelines read."""
    with lake.client() as client:
        begin = time.perf_counter()
        commit = Opened(client, "wide")
        started = time.perf_counter() - begin
        done = commit.finish_and_wait()
    note = f"of which its start {started:.2f} s; {readers} jobs"
    label = "a commit that most pipelines read, until all their outputs are finished"
    return Figure(label, started + done, "s", note=note)


ROWS = [
    Row("chain", "ten pipelines, each reads the one before", "", chain),
    Row(
        "jobs",
        "1,000 pipelines with 20,000 jobs: a restart, pages of jobs, a commit that 900 pipelines read",
        "",
        many_jobs,
        long=True,
    ),
]

# SPDX-License-Identifier: Apache-2.0
"""Rows about jobs of a million datums: planned, listed while they run, and run again when little or nothing changed.

The servers have no workers of their own. What makes the million is one worker of the bench, which claims sets of some
thousand datums by gRPC and hands each in at once.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.batch_worker import BatchWorker
from bench.data import small_content
from bench.figures import Figure, Row
from bench.ground import Ground
from bench.lakes import Lake
from bench.pairs import timed
from bench.rows_million import path_of
from bench.rows_pipelines import Opened
from howdah.client import Client
from howdah.model.refs import Job
from howdah.model.states import DatumState, JobState

__all__ = ["ROWS"]

_SECONDS_MAX: Final = 3_600.0
_PAGE: Final = 100
_AGAIN: Final = 10
_SAMPLES: Final = 3
_FAILS_EACH: Final = 1_000  # one datum of so many fails where pages are listed
_WANTED: Final = (DatumState.FAILED, DatumState.SUCCESS, DatumState.STARTING, DatumState.SKIPPED)
GB: Final = 1e9


@dataclass
class Planned:
    """A lake with a job that is planned."""

    lake: Lake
    job: Job
    seconds: float
    peak: int  # resident bytes of the server, the most that it had until then


@dataclass
class Processed(Planned):
    """A lake whose million datums are done."""

    objects: int = 0  # that the job left
    finish_seconds: float = 0.0
    finish_peak: int = 0


def crossed(ground: Ground) -> Planned:
    """The lake of a cross of two inputs, 1,000 files each; its job is planned, and none of it was done."""

    def make() -> Planned:
        folders = ground.scale.folders
        lake = ground.lake("a cross of a million datums", lambda lake: _two_inputs(lake, folders), "--workers", "0")
        inputs = [{"pfs": {"repo": name, "glob": "/*", "name": name}} for name in ("left", "right")]
        return Planned(lake, *_planned(lake, {"cross": inputs}, ground.scale.million))

    return ground.shared("the plan of a cross of a million datums", make)


def processed(ground: Ground) -> Processed:
    """The lake of a million files, each of which was a datum and is done."""

    def make() -> Processed:
        scale = ground.scale
        lake = ground.lake(
            "a million datums", lambda lake: _million(lake, scale.million, scale.folders), "--workers", "0"
        )
        files = sum(1 for _ in lake.objects())
        job, seconds, peak = _planned(lake, {"pfs": {"repo": "million", "glob": "/*/*"}}, scale.million)
        found = Processed(lake, job, seconds, peak)
        with BatchWorker(lake.address) as worker, lake.client() as client:
            begin = time.perf_counter()
            worker.work(scale.million)
            ground.say(f"claimed, made and handed in {scale.million:,} datums in {time.perf_counter() - begin:.0f} s")
            found.finish_seconds = timed(lambda: _succeeded(client.wait_job(job, timeout=_SECONDS_MAX)))
        found.finish_peak = peak_memory(lake)
        found.objects = sum(1 for _ in lake.objects()) - files
        return found

    return ground.shared("a million processed datums", make)


def plan_cross(ground: Ground) -> list[Figure]:
    """From the creation of the pipeline until its job runs."""
    return _plan_figures(crossed(ground))


def plan_glob(ground: Ground) -> list[Figure]:
    """The same of one input: every file of a million is a datum."""
    return _plan_figures(processed(ground))


def pages(ground: Ground) -> list[Figure]:
    """Hand in half of the cross, one of 1,000 failed; then pages of each state, from the first and from the middle."""
    found = crossed(ground)
    with BatchWorker(found.lake.address) as worker, found.lake.client() as client:
        half = ground.scale.million // 2
        worker.work(half, fails=lambda number: number % _FAILS_EACH == 0)
        job = client.inspect_job(found.job)
        if job.state is not JobState.RUNNING:
            raise RuntimeError(f"job {found.job} is in state {job.state.name} instead of RUNNING")
        middle = "8" + "0" * 31
        return [_page_figure(client, found.job, state, middle) for state in _WANTED]


def one_changed(ground: Ground) -> list[Figure]:
    """Change one file of the million: from the finish of the commit to that of the output; our worker runs it."""
    found = processed(ground)
    samples = []
    with BatchWorker(found.lake.address) as worker, found.lake.client() as client:
        for version in range(1, _SAMPLES + 1):
            number = ground.scale.million * version // (_SAMPLES + 1)
            path = path_of(number, ground.scale.folders)
            with _working(worker):
                samples.append(_commit(client, path, small_content(number, version)))
            job = next(client.list_jobs("each"))
            if (job.processed, job.carried_over) != (1, ground.scale.million - 1):
                raise RuntimeError(f"job {job.job} ran {job.processed} and carried over {job.carried_over}")
    return [Figure.of(samples, "s", at_most=15)]


def nothing_changed(ground: Ground) -> list[Figure]:
    """Commit a file that the pattern does not see: nothing is to be run."""
    found = processed(ground)
    with found.lake.client() as client:
        samples = [_commit(client, f"/unseen-{number}", b"unseen") for number in range(_SAMPLES)]
        job = next(client.list_jobs("each"))
        if job.processed:
            raise RuntimeError(f"job {job.job} ran {job.processed} datums")
    return [Figure.of(samples, "s", at_most=5)]


def objects(ground: Ground) -> list[Figure]:
    """Everything that plan, hand-ins and finish stored, garbage included."""
    found = processed(ground)
    note = (
        f"finished in {found.finish_seconds:.0f} s after the last hand-in; "
        f"the server held at most {found.finish_peak / GB:.2f} GB until then"
    )
    return [Figure("objects that the job left", found.objects, "objects", at_most=20_000, note=note)]


def peak_memory(lake: Lake) -> int:
    """The most bytes that the server was resident with since it was started."""
    for line in Path(f"/proc/{lake.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell the peak of memory")


def _plan_figures(found: Planned) -> list[Figure]:
    return [
        Figure("created to planned", found.seconds, "s", at_most=30),
        Figure("memory of the server at its peak", found.peak, "bytes", at_most=GB),
    ]


def _page_figure(client: Client, job: Job, state: DatumState, middle: str) -> Figure:
    """Milliseconds of a page of datums in a state."""

    def page(after: str) -> None:
        found = list(client.list_datums(job, states=[state], after=after, number=_PAGE))
        wrong = [datum.id for datum in found if datum.state is not state or datum.id <= after]
        if wrong:
            raise RuntimeError(f"datum {wrong[0]} is not one of those that were asked for")

    samples = [timed(lambda: page("")) * 1000 for _ in range(_AGAIN)]
    samples += [timed(lambda: page(middle)) * 1000 for _ in range(_AGAIN)]
    return Figure.of(samples, "ms", label=f"a page of {state.name}", at_most=200)


def _commit(client: Client, path: str, content: bytes) -> float:
    """Commit one file; the seconds from the finish of the commit until all that follows from it is finished."""
    commit = Opened(client, "million")
    client.put_file(commit.name, path, content)
    return commit.finish_and_wait()


@contextmanager
def _working(worker: BatchWorker) -> Iterator[None]:
    """One datum is done beside the block."""
    thread = threading.Thread(target=worker.work, args=(1,))
    thread.start()
    yield
    thread.join()


def _succeeded(job: Any) -> None:
    if job.state is not JobState.SUCCESS:
        raise RuntimeError(f"job {job.job} ended as {job.state.name}: {job.reason}")


def _planned(lake: Lake, source: dict[str, Any], datums: int) -> tuple[Job, float, int]:
    """Create a pipeline on a server that was just started: its job, the seconds until it runs, the peak of memory."""
    lake.restart()
    spec = {
        "pipeline": {"name": "each"},
        "transform": {"cmd": ["true"]},
        "input": source,
        "datum_set_spec": {"number": max(50, datums // 200)},
    }
    with lake.client() as client:
        begin = time.perf_counter()
        client.create_pipeline(spec)
        while (job := next(client.list_jobs("each"))).state in (JobState.CREATED, JobState.STARTING):
            if time.perf_counter() - begin > _SECONDS_MAX:
                raise RuntimeError(f"job {job.job} was not planned in {_SECONDS_MAX:.0f} s")
            time.sleep(0.02)
        seconds = time.perf_counter() - begin
    if (job.state, job.datums) != (JobState.RUNNING, datums):
        raise RuntimeError(f"job {job.job} is in state {job.state.name} with {job.datums} datums: {job.reason}")
    return job.job, seconds, peak_memory(lake)


def _two_inputs(lake: Lake, count: int) -> None:
    with lake.client() as client:
        for repo in ("left", "right"):
            _fill(client, repo, [f"/{number:04d}" for number in range(count)])


def _million(lake: Lake, count: int, folders: int) -> None:
    with lake.client() as client:
        _fill(client, "million", [path_of(number, folders) for number in range(count)])


def _fill(client: Client, repo: str, paths: Sequence[str]) -> None:
    client.create_repo(repo)
    with client.commit(f"{repo}@master") as commit:
        for number, path in enumerate(paths):
            commit.put(path, small_content(number))


ROWS = [
    Row("plan-million", "plan a cross of 1,000 by 1,000 files: 1,000,000 datums", "", plan_cross, long=True),
    Row("datum-page", "100 datums of one state out of 1,000,000, while their job runs", "", pages, long=True),
    Row("plan-million-glob", "plan `/*/*` over 1,000,000 files", "", plan_glob, long=True),
    Row(
        "million-objects",
        "a job of 1,000,000 small datums, done in sets of 5,000: what it stores",
        "",
        objects,
        long=True,
    ),
    Row(
        "million-one-changed",
        "1 changed file among 1,000,000 processed datums, until the output",
        "",
        one_changed,
        long=True,
    ),
    Row("million-nothing-changed", "a commit that touches none of 1,000,000 datums", "", nothing_changed, long=True),
]

# SPDX-License-Identifier: Apache-2.0
"""Rows about pipelines: what a datum costs beside `xargs`, and how soon work follows a commit.

Workers are those that a server starts by itself: one for each core.
"""

import statistics
import threading
import time
from collections.abc import Iterable
from typing import Any

from bench.data import small_content
from bench.figures import Figure, Row, quantile
from bench.ground import Ground, quiet, shell
from bench.lakes import Lake, memory_of, process_tree
from bench.pairs import alternate, timed
from howdah.client import Client

__all__ = ["ROWS"]

_WAIT_SECONDS = 600.0
_SAMPLES = 5
MB = 1e6


def pipeline(name: str, repo: str, glob: str, script: str) -> dict[str, Any]:
    """A pipeline of one shell line over one repo, on two workers."""
    return {
        "pipeline": {"name": name},
        "transform": {"cmd": ["sh", "-c", script]},
        "input": {"pfs": {"repo": repo, "glob": glob, "name": "in"}},
        "parallelism_spec": {"constant": 2},
    }


def beside_xargs(ground: Ground) -> list[Figure]:
    """From the finish of a commit of new files to its finished output, beside `xargs -P2` over the same."""
    count = ground.scale.datums
    with ground.fresh_lake("words") as lake, lake.client() as client:
        put_files(client, "words", range(10), 999)
        client.create_pipeline(pipeline("count", "words", "/*", 'wc -w < "$in" > "/pfs/out/${in##*/}"'))
        client.wait_commit("count@master", timeout=_WAIT_SECONDS)

        def ours(number: int) -> float:
            with Opened(client, "words") as commit:
                put_files(client, commit.name, range(count), number)
                quiet()
                seconds = commit.finish_and_wait()
            if (files := len(list(client.list_files("count@master", "/")))) < count:
                raise RuntimeError(f"{files} outputs instead of {count}")
            return seconds

        def baseline(number: int) -> float:
            return xargs(ground, count, number)

        return [alternate(baseline, ours, pairs=ground.scale.pairs).figure(at_most=3)]


def xargs(ground: Ground, count: int, version: int) -> float:
    """The same commands over files in a folder; the seconds until their outputs are durable."""
    folder = ground.place.fresh("xargs")
    for name in ("in", "out"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        (folder / "in" / f"{number:05d}").write_bytes(small_content(number, version))
    quiet()
    line = "ls in | xargs -P2 -I{} sh -c 'wc -w < in/{} > out/{}' && sync"
    seconds = timed(lambda: shell(line, folder))
    ground.place.away(folder)
    return seconds


def one_more(ground: Ground) -> list[Figure]:
    """Add one file to a repo whose 10,000 files are processed, some times; each time until the output is finished."""
    count = ground.scale.processed
    with ground.fresh_lake("words") as lake, lake.client() as client:
        put_files(client, "words", range(count), 0)
        client.create_pipeline(pipeline("count", "words", "/*", 'wc -w < "$in" > "/pfs/out/${in##*/}"'))
        first = timed(lambda: client.wait_commit("count@master", timeout=_WAIT_SECONDS))
        samples = []
        for number in range(_SAMPLES):
            with Opened(client, "words") as commit:
                put_files(client, commit.name, [count + number], 0)
                samples.append(commit.finish_and_wait())
        job = next(client.list_jobs("count"))
    note = (
        f"the first {count:,} took {first:.1f} s; the last job ran {job.processed} and carried over {job.carried_over}"
    )
    return [Figure.of(samples, "s", at_most=1, note=note)]


def first_output(ground: Ground) -> list[Figure]:
    """User code writes its clock; from just before the finish of the commit to that."""
    with ground.fresh_lake("ticks") as lake, lake.client() as client:
        put_files(client, "ticks", [0], 0)
        client.create_pipeline(pipeline("clock", "ticks", "/", "date +%s.%N > /pfs/out/clock"))
        client.wait_commit("clock@master", timeout=_WAIT_SECONDS)
        samples = []
        for number in range(ground.scale.starts):
            with Opened(client, "ticks") as commit:
                put_files(client, commit.name, [number + 1], 0)
                commit.finish_and_wait()
            samples.append((float(client.get_file("clock@master", "/clock")) - commit.finished_at) * 1000)
        note = memory(lake)
    return [Figure.of(samples, "ms", at_most=150, note=note)]


def steady(ground: Ground) -> list[Figure]:
    """Two pipelines on one repo, one commit of one new file a second; how long until both outputs are finished."""
    seconds = ground.scale.full_seconds
    with ground.fresh_lake("feed") as lake, lake.client() as client:
        put_files(client, "feed", [0], 0)
        for name, script in (("words", "wc -w"), ("sums", "cksum")):
            client.create_pipeline(pipeline(name, "feed", "/*", f'{script} < "$in" > "/pfs/out/${{in##*/}}"'))
            client.wait_commit(f"{name}@master", timeout=_WAIT_SECONDS)
        lags = [0.0] * seconds
        waiting = []
        begin = time.perf_counter() + 1
        for number in range(seconds):
            time.sleep(max(0.0, begin + number - time.perf_counter()))
            commit = Opened(client, "feed")
            put_files(client, commit.name, [number + 1], 0)
            finished = commit.finish()
            thread = threading.Thread(target=_note_lag, args=(commit, finished, lags, number))
            thread.start()
            waiting.append(thread)
        for thread in waiting:
            thread.join()
        note = memory(lake)
    part = max(1, seconds // 5)
    growth = statistics.median(lags[-part:]) / statistics.median(lags[:part])
    late = f"99 of 100 within {quantile(lags, 0.99):.2f} s, the longest {max(lags):.2f} s"
    return [
        Figure("lag, its last fifth over its first", growth, "times", at_most=1.25, note=note),
        Figure.of(lags, "s", label="commit to both results", note=late),
        Figure("commit to both results, 99 of 100", quantile(lags, 0.99), "s"),
    ]


def _note_lag(commit: "Opened", finished: float, lags: list[float], number: int) -> None:
    commit.wait()
    lags[number] = time.perf_counter() - finished


class Opened:
    """An open commit on the master branch of a repo."""

    def __init__(self, client: Client, repo: str) -> None:
        self._client = client
        self._commit = client.start_commit(f"{repo}@master")
        self.id = self._commit.id
        self.name = f"{repo}@{self.id}"
        self.finished_at = 0.0
        """The clock's time just before the commit was finished."""

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.finished_at:
            self.finish()

    def finish(self) -> float:
        """Finish it; the performance counter just before."""
        self.finished_at = time.time()
        begin = time.perf_counter()
        self._client.finish_commit(self.name)
        return begin

    def wait(self) -> None:
        """Wait for everything that follows from it.

        Raises:
            RuntimeError: something of it ended badly.
        """
        for info in self._client.wait_commit_set(self._commit.id, timeout=_WAIT_SECONDS):
            if info.error:
                raise RuntimeError(f"{info.commit}: {info.error}")

    def finish_and_wait(self) -> float:
        """The seconds of both."""
        begin = self.finish()
        self.wait()
        return time.perf_counter() - begin


def put_files(client: Client, commit: str, numbers: Iterable[int], version: int) -> None:
    """Put small files into an open commit, or onto the master branch of a repo."""
    with client.modify(commit if "@" in commit else f"{commit}@master") as writer:
        for number in numbers:
            writer.put(f"/{number:05d}", small_content(number, version))


def memory(lake: Lake) -> str:
    """What the server and its workers hold, in words."""
    others = [memory_of(pid) for pid in process_tree(lake.pid)[1:]]
    own = memory_of(lake.pid)
    return f"the server holds {own / MB:.0f} MB then, its {len(others)} other processes {sum(others) / MB:.0f} MB"


ROWS = [
    Row("datums", "1,000 datums `wc -w < in > out`, 2 workers", "`xargs -P2` of the same commands", beside_xargs),
    Row("one-more", "1 new file among 10,000 processed datums, until the output commit is finished", "", one_more),
    Row("first-output", "commit finished to first user code running (warm pool)", "", first_output),
    Row(
        "steady",
        "two pipelines attached, one commit a second for 5 minutes: the lag does not grow",
        "",
        steady,
        long=True,
    ),
]

# SPDX-License-Identifier: Apache-2.0
"""Rows about a repo of a million files, 1,000 folders of 1,000 files with 1,000 bytes each.

The files are made in memory and put by our client, in one commit: a million real ones would take longer to make
and to remove than everything else here. Our client reads and writes the store directly, as it does for a
user of the same machine; where it says "through the server", every byte passes through gRPC.
"""

import random
import time
from bisect import bisect_right
from collections.abc import Callable
from functools import partial

from bench.data import SEED, small_content
from bench.figures import Figure, Row, quantile
from bench.ground import Ground
from bench.lakes import Lake
from bench.pairs import timed
from howdah.client import Client

__all__ = ["ROWS"]

HEAD = "million@master"
_FIRSTS = 5
_AGAIN = 15
_CLOCK_STEP_NS = 8_000_000  # a file's time may lie so much before the moment of its writing


def million(ground: Ground) -> Lake:
    """The lake with the million."""
    scale = ground.scale

    def fill(lake: Lake) -> None:
        with lake.client() as client:
            client.create_repo("million")
            with client.commit(HEAD) as commit:
                for number in range(scale.million):
                    commit.put(path_of(number, scale.folders), small_content(number))

    return ground.lake("a million files", fill)


def path_of(number: int, folders: int) -> str:
    """The path of one of the million."""
    return f"/{number // folders:03d}/{number % folders:03d}"


def commits(ground: Ground) -> list[Figure]:
    """Start, put one file, finish; so often, each time another file. Then what each commit had stored."""
    lake, scale = million(ground), ground.scale
    database = lake.database_bytes()
    chosen = random.Random(SEED).sample(range(scale.million), scale.commits)
    samples, starts = [], []
    with lake.client() as client:
        client.inspect_file(HEAD, "/")
        for number in chosen:
            starts.append(time.time_ns())
            samples.append(timed(partial(change, client, number, 1, scale.folders)) * 1000)
    sizes = stored_by(lake, starts)
    grown = (lake.database_bytes() - database) / scale.commits
    with lake.client(direct=False) as client:
        single = [timed(partial(put_once, client, n, scale.folders)) * 1000 for n in chosen[:_AGAIN]]
    note = f"99 of 100 within {quantile(samples, 0.99):.0f} ms"
    stored = f"median {quantile(sizes, 0.5) / 1024:.0f} KiB; the database grows by {grown:,.0f} bytes for each"
    return [
        Figure.of(samples, "ms", label="start, put, finish", at_most=50, note=note),
        Figure("objects of the largest", max(sizes) + grown, "bytes", at_most=256 << 10, note=stored),
        Figure.of(single, "ms", label="as one call, through the server"),
    ]


def change(client: Client, number: int, version: int, folders: int) -> None:
    """One commit of one file."""
    with client.commit(HEAD) as commit:
        commit.put(path_of(number, folders), small_content(number, version))


def put_once(client: Client, number: int, folders: int) -> None:
    """The same without an open commit."""
    client.put_file(HEAD, path_of(number, folders), small_content(number, 2))


def stored_by(lake: Lake, starts: list[int]) -> list[int]:
    """The bytes of the objects that were written after each start and before the next."""
    sizes = [0] * len(starts)
    for size, written in lake.objects():
        at = bisect_right(starts, written + _CLOCK_STEP_NS) - 1
        if at >= 0:
            sizes[at] += size
    return sizes


def difference(ground: Ground) -> list[Figure]:
    """Commit one more change, and ask where the head differs from its parent."""
    lake, scale = million(ground), ground.scale
    with lake.client() as client:
        change(client, scale.million // 2, 3, scale.folders)

    def ask(client: Client) -> None:
        files = [pair for pair in client.diff_files(HEAD + ":/") if pair.new and not pair.new.path.endswith("/")]
        if len(files) != 1:
            raise RuntimeError(f"{len(files)} files differ instead of 1")

    return asked(lake, "", ask, 50)


def listings(ground: Ground) -> list[Figure]:
    """List `/`, glob `/*`, and read one page of a folder."""
    lake, folders = million(ground), ground.scale.folders

    def check(count: int) -> None:
        if count != folders:
            raise RuntimeError(f"{count} entries came instead of {folders}")

    folder = path_of(ground.scale.million // 2, folders).rpartition("/")[0]
    return [
        *asked(lake, "list /", lambda client: check(len(list(client.list_files(HEAD, "/")))), 300),
        *asked(lake, "glob /*", lambda client: check(len(list(client.glob_files(HEAD, "/*")))), 500),
        *asked(lake, "a page", lambda client: check(len(list(client.list_files(HEAD, folder, number=folders)))), 150),
    ]


def glob_all(ground: Ground) -> list[Figure]:
    """Everything as a table of columns, by a client that has read nothing yet."""
    lake, scale = million(ground), ground.scale
    samples = []
    for _ in range(3):
        with lake.client() as client:
            begin = time.perf_counter()
            rows = client.glob_table(HEAD, "/**").num_rows
            samples.append(time.perf_counter() - begin)
        if rows < scale.million + scale.folders:
            raise RuntimeError(f"{rows} rows came instead of {scale.million} files and {scale.folders} folders")
    return [Figure.of(samples, "s", at_most=5)]


def random_reads(ground: Ground) -> list[Figure]:
    """Read files whole, one after the other, in random order; what came is looked at."""
    lake, scale = million(ground), ground.scale
    numbers = random.Random(SEED + 1)
    samples = []
    with lake.client() as client:
        for _ in range(scale.reads):
            number = numbers.randrange(scale.million)
            begin = time.perf_counter()
            content = client.get_file(HEAD, path_of(number, scale.folders))
            samples.append((time.perf_counter() - begin) * 1000)
            if len(content) != 1_000 or int(content[:12]) != number:
                raise RuntimeError(f"file {number} has other bytes")
    note = f"99 of 100 within {quantile(samples, 0.99):.1f} ms"
    return [Figure.of(samples, "ms", at_most=5, note=note)]


def asked(lake: Lake, label: str, ask: Callable[[Client], object], at_most: float) -> list[Figure]:
    """Milliseconds of a question: the first of a new client, asked again, and through the server."""

    def first() -> float:
        with lake.client() as client:
            client.is_direct  # noqa: B018 - looks for the store, once for each client
            return timed(lambda: ask(client)) * 1000

    def again(direct: bool | None) -> list[float]:
        with lake.client(direct=direct) as client:
            ask(client)
            return [timed(lambda: ask(client)) * 1000 for _ in range(_AGAIN)]

    prefix = label + ", " if label else ""
    return [
        Figure.of([first() for _ in range(_FIRSTS)], "ms", label=f"{prefix}first of a client", at_most=at_most),
        Figure.of(again(None), "ms", label=f"{prefix}again", at_most=at_most),
        Figure.of(again(False), "ms", label=f"{prefix}through the server", at_most=at_most),
    ]


ROWS = [
    Row(
        "million-commits",
        "change 1 of 1,000,000 files, commit, 1,000 times (local gRPC); bytes each",
        "",
        commits,
    ),
    Row("million-diff", "diff of two million-file commits, 1 difference", "", difference),
    Row(
        "million-list",
        "a tree of 1,000 by 1,000 files: list `/` with sizes and hashes; glob `/*`; a 1,000-file page of one folder",
        "",
        listings,
    ),
    Row("million-glob", "glob `/**` of all million by our client", "", glob_all),
    Row("million-reads", "10,000 random reads of small files out of the million", "", random_reads),
]

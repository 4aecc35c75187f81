# SPDX-License-Identifier: Apache-2.0
"""Rows about looking after a lake: garbage collection and usage in the lake of the million."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from bench.figures import Figure, Row
from bench.ground import Ground
from bench.lakes import Lake, memory_of
from bench.rows_million import HEAD, change, million

__all__ = ["ROWS"]

_EVERY_SECONDS = 0.02
_COMPARED = ["million", "million@master", HEAD]


def collection(ground: Ground) -> list[Figure]:
    """Delete a copy of some of the files, collect garbage, and look at the server's memory meanwhile."""
    lake, scale = million(ground), ground.scale
    with lake.client() as client:
        made = sum(1 for _ in client.list_commits("million"))
        for number in range(made, scale.commits):
            change(client, number * 7 % scale.million, 4, scale.folders)
        client.create_repo("garbage")
        client.put_file("garbage@master", "/file", b"nobody needs this" * 1_000)
        client.delete_repo("garbage")
        lake.restart()
    with lake.client() as client, watched(lake) as peak:
        begin = time.perf_counter()
        done = client.collect_garbage(keep=timedelta())
        seconds = time.perf_counter() - begin
    counts = (done.named.objects, done.thrown_away.objects, done.removed.objects)
    note = "{} objects needed, {} thrown away, {} removed".format(*counts)
    if not done.thrown_away.objects or done.missing:
        raise RuntimeError(note)
    return [
        Figure("", seconds, "s", at_most=30, note=note),
        Figure("memory of the server", peak[0] / 1e6, "MB", at_most=1000),
    ]


def usage(ground: Ground) -> list[Figure]:
    """`howdah du` of all repos, and of one repo, branch and commit."""
    lake = million(ground)
    figures = []
    with lake.client() as client:
        for label, targets in (("all repos", []), ("a repo, a branch, a commit", _COMPARED)):
            begin = time.perf_counter()
            client.usage(*targets)
            figures.append(Figure(label, time.perf_counter() - begin, "s"))
    return figures


@contextmanager
def watched(lake: Lake) -> Iterator[list[int]]:
    """The most memory that the server's process has inside the block."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY_SECONDS):
            peak[0] = max(peak[0], memory_of(lake.pid))

    thread = threading.Thread(target=watch, name="memory")
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


ROWS = [
    Row("gc", "garbage collection of a lake of 1,000,000 files and 1,000 commits", "", collection, long=True),
    Row("du", "what repos hold and what they hold alone, in the same lake", "", usage, long=True),
]

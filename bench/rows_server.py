# SPDX-License-Identifier: Apache-2.0
"""Rows about the server and the command as processes: how soon they answer, and what an idle server holds."""

import shutil
import time

from bench.figures import Figure, Row
from bench.ground import Ground, quiet
from bench.lakes import Lake, memory_of, process_tree
from bench.pairs import timed

__all__ = ["ROWS"]

MB = 1e6
_STARTS = 5
_IDLE_SECONDS = 3.0  # what starting leaves behind is given back by then
_RUNS = 20


def server(ground: Ground) -> list[Figure]:
    """Start servers over new roots, and one again over its root; look at the memory of each when it idles."""
    first, again, own, workers = [], [], [], []
    for _ in range(_STARTS):
        lake = Lake(ground.place.fresh("lake"))
        try:
            quiet()
            first.append(lake.start())
            time.sleep(_IDLE_SECONDS)
            own.append(float(memory_of(lake.pid)))
            workers.append(float(sum(map(memory_of, process_tree(lake.pid)[1:]))))
            again.append(lake.restart())
        finally:
            lake.stop()
        shutil.rmtree(lake.root)
    together = [(left + right) / MB for left, right in zip(own, workers, strict=True)]
    note = f"the server itself {max(own) / MB:.0f} MB, its other processes {max(workers) / MB:.0f} MB"
    return [
        Figure.of(first, "s", label="ready, on a new root", at_most=2),
        Figure.of(again, "s", label="ready, on the same root again", at_most=2),
        Figure.of(together, "MB", label="idle memory", at_most=200, note=note),
    ]


def list_repo(ground: Ground) -> list[Figure]:
    """The whole process, from its start to its end."""
    with ground.fresh_lake("images", "labels", "models") as lake:
        lake.howdah("list", "repo")
        samples = [timed(lambda: lake.howdah("list", "repo")) * 1000 for _ in range(_RUNS)]
    return [Figure.of(samples, "ms", at_most=300)]


ROWS = [
    Row("server", "a server is ready (/readyz answers); memory when it idles", "", server),
    Row("list-repo", "`howdah list repo` on a running server, the whole process", "", list_repo),
]

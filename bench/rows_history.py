# SPDX-License-Identifier: Apache-2.0
"""Rows about taking commits out of the history of the repo of a million files."""

from bench.figures import Figure, Row
from bench.ground import Ground
from bench.pairs import timed
from bench.rows_million import HEAD, change, million
from howdah.client import Client

__all__ = ["ROWS"]

_TIMES = 10


def squash_one(ground: Ground) -> list[Figure]:
    """Squash the parent of the head, again and again, and look whether the million is still there."""
    lake, scale = million(ground), ground.scale
    with lake.client() as client:
        before = client.inspect_file(HEAD, "/").size_bytes
        for number in range(_TIMES + 1):
            change(client, number, 4, scale.folders)
        samples = [timed(lambda: squash_parent(client)) * 1000 for _ in range(_TIMES)]
        if before != client.inspect_file(HEAD, "/").size_bytes:
            raise RuntimeError("the head has another size than before")
    return [Figure.of(samples, "ms", at_most=1000)]


def squash_parent(client: Client) -> None:
    """Take out the commit before the head.

    Raises:
        RuntimeError: something else went.
    """
    removed = client.squash_commit(HEAD + "^")
    if len(removed.commits) != 1:
        raise RuntimeError(f"{len(removed.commits)} commits went instead of 1")


ROWS = [
    Row("squash-one", "squash one commit of the million-file repo", "", squash_one),
]

# SPDX-License-Identifier: Apache-2.0
"""Rows about the official Python client, unmodified: bytes that pass through gRPC, and many short streams."""

from functools import partial
from pathlib import Path

from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs

from bench import data
from bench.figures import Figure, Row
from bench.ground import Ground
from bench.lakes import Lake
from bench.pairs import timed

__all__ = ["ROWS"]

_REPEATS = 3
MB = 1e6


def big_file(ground: Ground) -> list[Figure]:
    """`put_file_from_file` in a commit of its own, then `get_file`, whose pieces are counted and dropped."""
    source = ground.big_file()
    size = source.stat().st_size
    put, got = [], []
    for _ in range(_REPEATS):
        with ground.fresh_lake("bench") as lake:
            put.append(size / MB / ground.timed(partial(_put, lake, source), size))
            got.append(size / MB / ground.timed(partial(_get, lake, size), 0))
    return [
        Figure.of(put, "MB/s", label="put", at_least=200),
        Figure.of(got, "MB/s", label="got", at_least=200),
    ]


def many_streams(ground: Ground) -> list[Figure]:
    """`put_files` of a folder into an open commit, which is then finished."""
    folder = ground.shared("a folder for put_files", lambda: _folder(ground))
    samples = []
    for _ in range(_REPEATS):
        with ground.fresh_lake("bench") as lake:
            samples.append(timed(partial(_put_files, lake, folder)))
    return [Figure.of(samples, "s", at_most=10)]


def _client(lake: Lake) -> Client:
    host, _, port = lake.address.partition(":")
    return Client(host=host, port=int(port))


def _put(lake: Lake, source: Path) -> None:
    client = _client(lake)
    with client.pfs.commit(branch=pfs.Branch.from_uri("bench@master")) as commit, open(source, "rb") as file:
        commit.put_file_from_file(path="/big", file=file)


def _get(lake: Lake, size: int) -> None:
    pieces = _client(lake).pfs.get_file(file=pfs.File.from_uri("bench@master:/big"))
    if (got := sum(len(piece.value) for piece in pieces)) != size:
        raise RuntimeError(f"{got} bytes came instead of {size}")


def _put_files(lake: Lake, folder: Path) -> None:
    with _client(lake).pfs.commit(branch=pfs.Branch.from_uri("bench@master")) as commit:
        commit.put_files(source=folder, path="/")


def _folder(ground: Ground) -> Path:
    folder = ground.place.fresh("streams")
    folder.mkdir()
    for number, content in enumerate(data.small_files(ground.scale.streams)):
        (folder / f"{number:04d}.txt").write_bytes(content)
    return folder


ROWS = [
    Row("official-big", "2 GiB put and got by the official client", "", big_file),
    Row(
        "official-streams",
        "1,000 files by the official client's `put_files` (a stream each) into one open commit",
        "",
        many_streams,
    ),
]

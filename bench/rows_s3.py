# SPDX-License-Identifier: Apache-2.0
"""Rows about a lake in a bucket: put and get of a big file by the command, beside a bare upload and download.

Both sides talk to moto's server on the same machine, new for each pair and side: it keeps all that it is sent.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import data
from bench.buckets import BUCKET, bucket, bucket_lake
from bench.figures import Figure, Row
from bench.ground import Ground, shell
from bench.pairs import alternate
from tools.moto_server import REPOSITORY

__all__ = ["ROWS"]


def put(ground: Ground) -> list[Figure]:
    """`howdah put file` into a new lake beside a multipart upload."""
    source = _source(ground)

    def ours(_: int) -> float:
        with bucket_lake(ground, "bench") as lake:
            return ground.timed(lambda: lake.howdah("put", "file", "bench@master:/big", "-f", source), 0)

    def baseline(_: int) -> float:
        with bucket() as endpoint:
            return ground.timed(lambda: _bare("put", source, endpoint), 0)

    return [alternate(baseline, ours, pairs=ground.scale.pairs, runs_max=1).figure(at_most=1.5)]


def get(ground: Ground) -> list[Figure]:
    """`howdah get file` beside a download; nothing of it is in the cache yet."""
    source = _source(ground)

    def ours(_: int) -> float:
        with bucket_lake(ground, "bench") as lake:
            lake.howdah("put", "file", "bench@master:/big", "-f", source)
            return _fetched(
                ground, source, lambda target: lake.howdah("get", "file", "bench@master:/big", "-o", target)
            )

    def baseline(_: int) -> float:
        with bucket() as endpoint:
            _bare("put", source, endpoint)
            return _fetched(ground, source, lambda target: _bare("get", target, endpoint))

    return [alternate(baseline, ours, pairs=ground.scale.pairs, runs_max=1).figure(at_most=1.5)]


def _source(ground: Ground) -> Path:
    size = ground.scale.bucket_bytes
    path = ground.shared("the file for buckets", lambda: data.big_file(ground.place.root / "for-buckets", size))
    shell(f"cat {path.name} > /dev/null", path.parent)
    return path


def _fetched(ground: Ground, source: Path, fetch: Callable[[Path], object]) -> float:
    target = ground.place.fresh("fetched")
    seconds = ground.timed(lambda: fetch(target), source.stat().st_size)
    shell(f"cmp {source} {target}", target.parent)
    target.unlink()
    return seconds


def _bare(way: str, file: Path, endpoint: str) -> None:
    command = [sys.executable, "-m", "bench.bare_s3", way, str(file), BUCKET, endpoint]
    subprocess.run(command, check=True, cwd=REPOSITORY)


ROWS = [
    Row("s3-put", "put one 1 GiB incompressible file into a lake in a bucket", "a bare multipart upload", put),
    Row("s3-get", "get it back, nothing in the cache", "a bare download + fsync", get),
]

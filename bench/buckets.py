# SPDX-License-Identifier: Apache-2.0
"""Buckets of moto's server, and lakes in them. Each server is new: it keeps all that it is sent."""

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench.ground import Ground
from bench.lakes import Lake
from tools.moto_server import KEYS, moto_server

__all__ = ["BUCKET", "bucket", "bucket_lake"]

BUCKET = "bench-bucket"


@contextmanager
def bucket() -> Iterator[str]:
    """The endpoint of a new server with one empty bucket; its keys are in the environment."""
    with moto_server() as endpoint:
        request = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")
        urllib.request.urlopen(request).close()
        os.environ.update(KEYS)
        yield endpoint


@contextmanager
def bucket_lake(ground: Ground, *repos: str) -> Iterator[Lake]:
    """A lake in a new bucket, with some repos and an empty cache."""
    root = ground.place.fresh("lake")
    cache = ground.place.fresh("cache")
    os.environ["HOWDAH_CACHE"] = str(cache)
    with bucket() as endpoint, Lake.running(root, "--store", f"s3://{BUCKET}/lake?endpoint={endpoint}") as lake:
        for repo in repos:
            lake.howdah("create", "repo", repo)
        yield lake
    del os.environ["HOWDAH_CACHE"]
    for folder in (root, cache):
        ground.place.away(folder)

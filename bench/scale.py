# SPDX-License-Identifier: Apache-2.0
"""How big everything is: the sizes that the table speaks of, and small ones that only try the bench itself."""

from dataclasses import dataclass
from typing import Final

__all__ = ["SCALES", "Scale"]


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of one run. The names of the numbers are those of the table at full scale."""

    name: str
    file_bytes: int  # the big file
    bucket_bytes: int  # the file that goes into a bucket
    files: int  # of 1 to 10 KB, in folders of 1,000
    streams: int  # small files by the official client, a stream each
    folders: int  # of the million: so many folders of as many files
    commits: int  # of one file each, on the million
    reads: int  # of one small file each, out of the million
    datums: int  # beside xargs
    processed: int  # that one more file is added to
    starts: int  # commits of which the first output is timed
    sample_bytes: int  # cut to learn how long chunks are
    metadata_bytes: int  # of the file of synthetic chunks
    full_seconds: int  # of one commit a second
    searched: int  # commits that are searched for a path
    history: int  # commits of one branch, listed by pages
    repos: int  # listed by pages
    edits: int  # of the big file, one after the other
    version_files: int  # of 5 MB, some of which change in each version
    versions: int
    one_each: int  # commits of one small file each, on one branch
    planned: int  # small files that are one datum
    log_datums: int  # that print ten lines each
    big_datums: int  # of so many bytes, each with a moment of user code
    big_datum_bytes: int
    pipelines: int
    jobs: int  # of all of them together
    contained: int  # datums of one pipeline in a container
    pairs: int = 5

    @property
    def million(self) -> int:
        """Files in the tree of folders."""
        return self.folders * self.folders


SCALES: Final = {
    "full": Scale(
        name="full",
        file_bytes=2 << 30,
        bucket_bytes=1 << 30,
        files=100_000,
        streams=1_000,
        folders=1_000,
        commits=1_000,
        reads=10_000,
        datums=1_000,
        processed=10_000,
        starts=25,
        sample_bytes=1 << 30,
        metadata_bytes=64 << 30,
        full_seconds=300,
        searched=10_000,
        history=100_000,
        repos=10_000,
        edits=100,
        version_files=100,
        versions=20,
        one_each=1_000,
        planned=200_000,
        log_datums=100_000,
        big_datums=200,
        big_datum_bytes=20_000_000,
        pipelines=1_000,
        jobs=20_000,
        contained=200,
    ),
    "small": Scale(
        name="small",
        file_bytes=64 << 20,
        bucket_bytes=64 << 20,
        files=2_000,
        streams=50,
        folders=100,
        commits=30,
        reads=300,
        datums=40,
        processed=200,
        starts=5,
        sample_bytes=64 << 20,
        metadata_bytes=4 << 30,
        full_seconds=10,
        searched=500,
        history=2_000,
        repos=300,
        edits=5,
        version_files=10,
        versions=4,
        one_each=200,
        planned=5_000,
        log_datums=2_000,
        big_datums=30,
        big_datum_bytes=20_000_000,
        pipelines=20,
        jobs=400,
        contained=20,
        pairs=2,
    ),
}

# SPDX-License-Identifier: Apache-2.0
"""Lines by what their datum read: which datums of a job have files of given paths or hashes among their inputs."""

import base64
from collections.abc import Sequence

from howdah.errors import NotFound
from howdah.model.refs import Job
from howdah.pps.datums import Datums
from howdah.pps.infos import DatumInfo, LogLine
from howdah.pps.log_query import Passes

__all__ = ["reads_of"]


def reads_of(datums: Datums, files: Sequence[str]) -> Passes:
    """Whether a line is of a datum that reads all the files: each a path, or a hash in hex or base64.

    The datums of a job are listed once, when its first line comes. Those of a job that is gone cannot be found.
    """
    known: dict[Job, frozenset[str]] = {}

    def passes(line: LogLine) -> bool:
        if not line.datum_id or line.pipeline is None:
            return False
        job = Job(line.pipeline, line.job_id)
        if job not in known:
            known[job] = _readers(datums, job, files)
        return line.datum_id in known[job]

    return passes


def _readers(datums: Datums, job: Job, files: Sequence[str]) -> frozenset[str]:
    try:
        return frozenset(info.id for info in datums.list(job) if all(_reads(info, each) for each in files))
    except NotFound:
        return frozenset()


def _reads(info: DatumInfo, wanted: str) -> bool:
    for part in info.inputs:
        names = {part.file.path, part.file.path.strip("/"), part.file.hash.hex()}
        if wanted in names or wanted.strip("/") in names or wanted == base64.b64encode(part.file.hash).decode():
            return True
    return False

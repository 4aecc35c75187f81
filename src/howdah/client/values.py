# SPDX-License-Identifier: Apache-2.0
"""Answers that have no value in `howdah.model`: pipelines, jobs, datums, logs and provenance as a caller sees them.

All are frozen. A time that has not come is None; a text that there is not is empty.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from howdah.model.files import FileInfo
from howdah.model.infos import CommitInfo
from howdah.model.logs import LogLevel, Speaker
from howdah.model.refs import Commit, File, Job, Pipeline
from howdah.model.states import DatumState, JobState, PipelineState

__all__ = [
    "CommitSetInfo",
    "DatumInfo",
    "DroppedLines",
    "ExecutionInfo",
    "FileDiff",
    "FileVersion",
    "InputFile",
    "JobInfo",
    "LogLine",
    "MetadataEdit",
    "PipelineAlert",
    "PipelineInfo",
    "ProcessStats",
    "Progress",
    "Provenance",
    "ServerVersion",
    "Sighting",
    "TransactionInfo",
    "Transferred",
    "Written",
]

Progress = Callable[[int, int], None]
"""Told how many more bytes and files are done; called often, from the threads that work."""


class FileDiff(NamedTuple):
    """A path at which two commits differ; None on the side that has nothing there."""

    new: FileInfo | None
    old: FileInfo | None


class Transferred(NamedTuple):
    """How much was put or got; `replaced` is how many local files it was written over."""

    files: int
    bytes: int
    replaced: int = 0


class Written(NamedTuple):
    """What a writer has put. The bytes of `known` files were stored already; 0 where only the server can tell."""

    files: int
    bytes: int
    known: int


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file or directory as a commit left it; `info` is None for a commit that removed it."""

    commit: Commit
    finished_at: datetime | None
    info: FileInfo | None


class Sighting(NamedTuple):
    """A commit that changed a path, or with `found` off the last one of a search; and how many it has looked at."""

    commit: Commit
    searched: int
    found: bool


@dataclass(frozen=True, slots=True)
class MetadataEdit:
    """A change of the metadata of one thing: first `replace` all, then `delete`, `add` and `edit` keys.

    `kind` is project, repo, branch, commit, pipeline or cluster, which needs no name. `add` refuses a key that is
    there, `edit` does not mind.
    """

    kind: str
    name: str = ""
    replace: Mapping[str, str] | None = None
    delete: Sequence[str] = ()
    add: Mapping[str, str] = field(default_factory=dict)
    edit: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommitSetInfo:
    """A commit set with the commits that it made, each after those it depends on."""

    id: str
    commits: tuple[CommitInfo, ...]


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """A server: the protocol's version that it speaks, its own, and the lake that it serves."""

    protocol: str
    howdah: str  # empty for another implementation of the protocol
    lake_id: str
    store_url: str


@dataclass(frozen=True, slots=True)
class TransactionInfo:
    """A transaction: what was asked for in it, in words, and beside each the commit that it starts, if it does."""

    id: str
    requests: tuple[str, ...]
    commits: tuple[Commit | None, ...]
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """How user code runs: `execution` is process or container.

    `image` is as the spec has it, `digest` the same exactly, empty until it is known. `note` is what to know of it: why
    it is no container, or that a tag has moved.
    """

    execution: str
    image: str
    digest: str
    note: str


@dataclass(frozen=True, slots=True)
class PipelineInfo:
    """A pipeline at one version of its spec. `spec` is the effective one, `user_spec` the text as it was given."""

    pipeline: Pipeline
    version: int
    state: PipelineState | None
    stopped: bool
    reason: str
    last_job_state: JobState | None
    description: str
    cmd: tuple[str, ...]
    image: str
    output_branch: str
    parallelism: int
    created_at: datetime | None
    updated_at: datetime | None
    user_spec: str
    spec: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    execution: ExecutionInfo | None = None  # known where one pipeline is asked for
    spec_commit: Commit | None = None


class PipelineAlert(NamedTuple):
    """A pipeline that somebody should look at, and what there is to know of it."""

    pipeline: Pipeline
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """What work took. CPU time and memory are those of user code, 0 if not known; memory is the most of one process."""

    download_time: timedelta
    process_time: timedelta
    upload_time: timedelta
    download_bytes: int
    upload_bytes: int
    cpu_time: timedelta = timedelta()
    memory_max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class JobInfo:
    """A job. The counts are of datums; `carried_over` are those that had succeeded before."""

    job: Job
    pipeline_version: int
    state: JobState
    reason: str
    output_commit: Commit | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    datums: int
    processed: int
    carried_over: int
    failed: int
    recovered: int
    stats: ProcessStats
    execution: ExecutionInfo | None = None  # known where one job is asked for

    @property
    def took(self) -> timedelta | None:
        """From its start to its end; None until then, and for one that never started."""
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input of a datum: the file or directory, and its size and hash. `name` is that of the input, where known."""

    name: str
    file: File
    size_bytes: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class DatumInfo:
    """A datum; of no job when it is only a preview. `reason` says why it failed."""

    id: str
    job: Job | None
    state: DatumState
    inputs: tuple[InputFile, ...]
    stats: ProcessStats
    image: str
    tries: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that user code printed (`user`), or that the worker or the server had to say."""

    at: datetime | None
    pipeline: Pipeline | None
    job_id: str
    datum_id: str
    worker_id: str
    user: bool
    message: str
    level: LogLevel = LogLevel.INFO

    @property
    def speaker(self) -> Speaker:
        """Who said it; `MASTER` are planner and scheduler, and the server in its own log."""
        if self.user:
            return Speaker.USER
        return Speaker.WORKER if self.worker_id else Speaker.MASTER


@dataclass(frozen=True, slots=True)
class DroppedLines:
    """Lines of a log that are not there any more, because of their age or number: how many, and until when."""

    dropped_lines: int
    dropped_until: datetime | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made an output file; `job` is None for a file that no pipeline wrote."""

    file: File
    size_bytes: int
    hash: bytes
    job: Job | None
    datum_id: str
    pipeline_version: int
    cmd: tuple[str, ...]
    image: str
    inputs: tuple[InputFile, ...]

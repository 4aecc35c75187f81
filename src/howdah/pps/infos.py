# SPDX-License-Identifier: Apache-2.0
"""What is known of pipelines, jobs and datums, and what workers are given and give: values, whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from howdah.model.files import FileInfo
from howdah.model.logs import LogLevel, Speaker
from howdah.model.refs import Branch, Commit, Job, Pipeline
from howdah.model.spec import PipelineSpec
from howdah.model.states import DatumState, JobState, PipelineState
from howdah.pps.executions import AS_PROCESS, Execution

__all__ = [
    "Claim",
    "DatumInfo",
    "DatumInput",
    "DatumResult",
    "FileProvenance",
    "GivenSecret",
    "JobInfo",
    "JobInput",
    "LogLine",
    "PipelineInfo",
    "ProcessStats",
]


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """How long things took, and how many bytes they moved: of one datum, or summed up over a job."""

    download_ms: int = 0
    process_ms: int = 0
    upload_ms: int = 0
    download_bytes: int = 0
    upload_bytes: int = 0


@dataclass(frozen=True, slots=True)
class PipelineInfo:
    """A pipeline at one of its versions. `state`, `stopped` and `last_job_state` are those of now."""

    pipeline: Pipeline
    version: int
    spec: PipelineSpec
    user_spec: str  # as it was given
    effective_spec: str  # as JSON, with all defaults of when it was given
    spec_commit: Commit
    state: PipelineState
    reason: str
    stopped: bool
    last_job_state: JobState | None
    salt: str
    created_at: datetime
    updated_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
    execution: Execution = AS_PROCESS


@dataclass(frozen=True, slots=True)
class JobInput:
    """What a job reads under one name: the commit of a branch, and the fileset of that commit."""

    name: str
    branch: Branch
    commit: Commit
    root: bytes


@dataclass(frozen=True, slots=True)
class JobInfo:
    """A job. Counts grow while it runs; times are None until they happen; inputs are known once it is planned.

    `containment` says how workers kept user code in, as they told it; "" until one has.
    """

    job: Job
    version: int
    output_commit: Commit
    output_branch: str
    meta_commit: Commit | None
    state: JobState
    reason: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    restart: int
    datums_total: int
    datums_processed: int
    datums_skipped: int
    datums_failed: int
    datums_recovered: int
    stats: ProcessStats
    inputs: tuple[JobInput, ...] = ()
    containment: str = ""
    execution: Execution = AS_PROCESS


@dataclass(frozen=True, slots=True)
class DatumInput:
    """One part of a datum: a file or directory, the commit it is read from, and the name it has below /pfs."""

    name: str
    commit: Commit | None
    file: FileInfo


@dataclass(frozen=True, slots=True)
class DatumInfo:
    """A datum of a job, or of an input that is only tried out (then without job, in state UNKNOWN).

    `image` is that in which it ran, exactly; empty if it did not, or not in a container.
    """

    id: str
    job: Job | None
    state: DatumState
    inputs: tuple[DatumInput, ...]
    key: str = ""
    reason: str = ""
    tries: int = 0
    stats: ProcessStats = ProcessStats()
    image: str = ""


@dataclass(frozen=True, slots=True)
class DatumResult:
    """What became of one datum, as its worker tells it: SUCCESS, FAILED or RECOVERED."""

    id: str
    state: DatumState
    reason: str = ""
    tries: int = 1
    stats: ProcessStats = ProcessStats()


@dataclass(frozen=True, slots=True)
class Claim:
    """A datum set that a worker has for `seconds`, until it renews: datums number `first` to `first + count - 1`.

    They are the rows of the fileset `todo_root`; each is a file `/<datum id>` with a JSON object that has the
    datum's key and inputs (see `pps.plan`).
    """

    set_id: int
    fence: int
    seconds: int
    job: Job
    version: int
    spec: str  # the effective spec, as JSON
    output_commit: Commit
    inputs: tuple[JobInput, ...]
    todo_root: bytes
    first: int
    count: int
    spec_commit_id: str = ""
    secrets: tuple["GivenSecret", ...] = ()
    image: str = ""  # in which user code runs, exactly; empty for a process


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """A secret that user code is given: as `files` in the folder `mount_path`, as `value` of a variable, or both.

    It is held in memory, goes over the worker's link, and is nowhere written down.
    """

    mount_path: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    env_var: str = ""
    value: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class FileProvenance:
    """What made an output file: the datum, the job in which it ran, the code, and the files it read."""

    job: Job
    datum_id: str
    version: int
    cmd: tuple[str, ...]
    image: str
    inputs: tuple[DatumInput, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that user code printed (`user`), that a worker or the scheduler has to say, or of the server itself."""

    at: datetime
    message: str
    user: bool = False
    datum_id: str = ""
    worker_id: str = ""
    job_id: str = ""
    level: LogLevel = LogLevel.UNSET  # of one that is kept: as it was said, or found in the line
    pipeline: Pipeline | None = None  # None in the server's own log

    @property
    def speaker(self) -> Speaker:
        """Who said it."""
        if self.user:
            return Speaker.USER
        return Speaker.WORKER if self.worker_id else Speaker.MASTER

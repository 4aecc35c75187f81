# SPDX-License-Identifier: Apache-2.0
"""A pipeline's spec as frozen values: every field that the protocol's CreatePipelineRequest has.

Field names are those of the protocol. Values are plain here; `model.spec.parse` makes them from text,
and `model.spec.rules` fills in defaults and refuses what makes no sense.
"""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, unique
from typing import Any

from howdah.model.spec.codec import INT32, UINT64, Pairs, encode, wire
from howdah.model.spec.inputs import Input, encode_input, read_input, respell_input

__all__ = [
    "BranchField",
    "CommitField",
    "DatumSetSpec",
    "Determined",
    "Egress",
    "FileFormat",
    "FileFormatType",
    "GpuSpec",
    "Metadata",
    "ObjectStorageEgress",
    "ParallelismSpec",
    "PipelineField",
    "PipelineSpec",
    "ProjectField",
    "RepoField",
    "ResourceSpec",
    "SchedulingSpec",
    "SecretMount",
    "Service",
    "Spout",
    "SqlDatabaseEgress",
    "SqlSecret",
    "TaintEffect",
    "TfJob",
    "Toleration",
    "TolerationOperator",
    "Transform",
]


@dataclass(frozen=True, slots=True)
class ProjectField:
    """A project, as specs name it."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class PipelineField:
    """A pipeline, as specs name it."""

    project: ProjectField = ProjectField()
    name: str = ""


@dataclass(frozen=True, slots=True)
class RepoField:
    """A repo, as specs name it."""

    name: str = ""
    type: str = ""
    project: ProjectField | None = None


@dataclass(frozen=True, slots=True)
class BranchField:
    """A branch, as specs name it."""

    repo: RepoField | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class CommitField:
    """A commit, as specs name it."""

    repo: RepoField | None = None
    id: str = ""
    branch: BranchField | None = None


@dataclass(frozen=True, slots=True)
class TfJob:
    """Never supported, by anybody."""

    tf_job: str = ""


@dataclass(frozen=True, slots=True)
class SecretMount:
    """A secret for user code, as a file or in the environment."""

    name: str = ""
    key: str = ""
    mount_path: str = ""
    env_var: str = ""


@dataclass(frozen=True, slots=True)
class Transform:
    """What to run."""

    image: str = ""
    cmd: tuple[str, ...] = ()  # executed as it is, not by a shell
    stdin: tuple[str, ...] = ()  # lines
    err_cmd: tuple[str, ...] = ()
    err_stdin: tuple[str, ...] = ()
    env: Pairs = ()
    secrets: tuple[SecretMount, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    accept_return_code: tuple[int, ...] = ()  # besides 0
    debug: bool = False
    user: str = ""
    working_dir: str = ""
    dockerfile: str = ""
    memory_volume: bool = False
    datum_batching: bool = False


@dataclass(frozen=True, slots=True)
class ParallelismSpec:
    """How many workers at most."""

    constant: int = wire(default=0, bounds=UINT64)


@dataclass(frozen=True, slots=True)
class DatumSetSpec:
    """How much a worker claims at once; 0 leaves it to the planner."""

    number: int = 0
    size_bytes: int = 0
    per_worker: int = 0


@dataclass(frozen=True, slots=True)
class GpuSpec:
    """Which graphics processors, and how many."""

    type: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """What a container asks for, or may use."""

    cpu: float = 0.0
    memory: str = ""
    gpu: GpuSpec | None = None
    disk: str = ""


@dataclass(frozen=True, slots=True)
class SchedulingSpec:
    """Where containers may run."""

    node_selector: Pairs = ()
    priority_class_name: str = ""


@unique
class TolerationOperator(IntEnum):
    """How a toleration's value is compared."""

    EMPTY = 0
    EXISTS = 1
    EQUAL = 2


@unique
class TaintEffect(IntEnum):
    """Which effect of a taint is tolerated."""

    ALL_EFFECTS = 0
    NO_SCHEDULE = 1
    PREFER_NO_SCHEDULE = 2
    NO_EXECUTE = 3


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint of nodes that containers stand."""

    key: str = ""
    operator: TolerationOperator = TolerationOperator.EMPTY
    value: str = ""
    effect: TaintEffect = TaintEffect.ALL_EFFECTS
    toleration_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """Annotations and labels of what runs."""

    annotations: Pairs = ()
    labels: Pairs = ()


@dataclass(frozen=True, slots=True)
class Service:
    """User code that answers requests."""

    internal_port: int = wire(default=0, bounds=INT32)
    external_port: int = wire(default=0, bounds=INT32)
    ip: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Spout:
    """User code that runs for ever and writes commits."""

    service: Service | None = None


@dataclass(frozen=True, slots=True)
class ObjectStorageEgress:
    """Files go to an object store."""

    url: str = ""


@unique
class FileFormatType(IntEnum):
    """How files hold rows."""

    UNKNOWN = 0
    CSV = 1
    JSON = 2
    PARQUET = 3


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How files hold rows, and of which columns."""

    type: FileFormatType = FileFormatType.UNKNOWN
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlSecret:
    """Where the password of a database is."""

    name: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class SqlDatabaseEgress:
    """Files go to the tables of a database."""

    url: str = ""
    file_format: FileFormat | None = None
    secret: SqlSecret | None = None


@dataclass(frozen=True, slots=True)
class Egress:
    """Where a job's output goes besides its commit."""

    url: str = wire(default="", json="URL")
    object_storage: ObjectStorageEgress | None = None
    sql_database: SqlDatabaseEgress | None = None


@dataclass(frozen=True, slots=True)
class Determined:
    """Work spaces of a training service."""

    workspaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """A pipeline's effective spec. Equal specs do the same work: an update with an equal one changes nothing."""

    pipeline: PipelineField = PipelineField()
    description: str = ""
    transform: Transform = Transform()
    input: Input | None = field(
        default=None, metadata={"read": read_input, "write": encode_input, "respell": respell_input}
    )
    output_branch: str = ""
    parallelism_spec: ParallelismSpec = ParallelismSpec()
    autoscaling: bool = False
    maximum_expected_uptime: timedelta | None = None
    datum_set_spec: DatumSetSpec | None = None
    datum_timeout: timedelta | None = None  # for one try
    job_timeout: timedelta | None = None
    datum_tries: int = 0  # in all
    reprocess_spec: str = ""  # until_success | every_job
    on_code_change: str = ""  # keep | rerun; of howdah alone
    egress: Egress | None = None
    s3_out: bool = False
    service: Service | None = None
    spout: Spout | None = None
    tf_job: TfJob | None = None
    resource_requests: ResourceSpec | None = None
    resource_limits: ResourceSpec | None = None
    sidecar_resource_requests: ResourceSpec | None = None
    sidecar_resource_limits: ResourceSpec | None = None
    scheduling_spec: SchedulingSpec | None = None
    tolerations: tuple[Toleration, ...] = ()
    pod_spec: str = ""
    pod_patch: str = ""
    metadata: Metadata | None = None
    determined: Determined | None = None
    salt: str = ""
    spec_commit: CommitField | None = None
    # Of the request that brought the spec, not of the spec.
    update: bool = wire(default=False, hidden=True)
    reprocess: bool = wire(default=False, hidden=True)
    dry_run: bool = wire(default=False, hidden=True)

    @property
    def project(self) -> str:
        """The project that the pipeline is in."""
        return self.pipeline.project.name

    @property
    def name(self) -> str:
        """The pipeline's name, which is its output repo's too."""
        return self.pipeline.name

    @property
    def parallelism(self) -> int:
        """How many workers at most; at least 1."""
        return self.parallelism_spec.constant

    @property
    def runs_every_time(self) -> bool:
        """Whether datums run in each job, also those that succeeded before."""
        return self.reprocess_spec == "every_job"

    def to_tree(self) -> dict[str, Any]:
        """The spec as JSON has it (durations as seconds, integers as numbers), without what is absent or zero."""
        return encode(self)

    def to_json(self) -> str:
        """The canonical text: equal specs have equal texts, and `parse_spec` reads it back to an equal spec."""
        return json.dumps(encode(self), ensure_ascii=False, separators=(",", ":"))

# SPDX-License-Identifier: Apache-2.0
"""Every error that howdah raises on purpose: one tree, grouped by what the caller will do about it.

    HowdahError
      NotFound        ask for something else
      AlreadyExists   choose another name, or accept what is there
      Conflict        read again, then retry
      BadRequest      fix the call
      Refused         not in this state
      Unavailable     wait, then retry the same call
      Unsupported     use another way; this server does not do it
      Damaged         stored bytes are missing or wrong: restore them

`kind` is stable and goes over the wire; the text is for people and may change. No code looks at the
text. Each API has one table that maps this tree (`apis.grpc.errors`, `cli.exits`); nothing else does.
"""

from enum import StrEnum, unique

__all__ = [
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "Damaged",
    "ErrorKind",
    "HowdahError",
    "NotFound",
    "Refused",
    "Unavailable",
    "Unsupported",
]


@unique
class ErrorKind(StrEnum):
    """Machine codes of errors. Append only: a code that was released keeps its meaning for ever."""

    PROJECT_NOT_FOUND = "project_not_found"
    REPO_NOT_FOUND = "repo_not_found"
    BRANCH_NOT_FOUND = "branch_not_found"
    COMMIT_NOT_FOUND = "commit_not_found"
    COMMIT_SET_NOT_FOUND = "commit_set_not_found"
    FILE_NOT_FOUND = "file_not_found"
    FILESET_NOT_FOUND = "fileset_not_found"
    PIPELINE_NOT_FOUND = "pipeline_not_found"
    JOB_NOT_FOUND = "job_not_found"
    DATUM_NOT_FOUND = "datum_not_found"
    LAKE_NOT_FOUND = "lake_not_found"
    TRANSACTION_NOT_FOUND = "transaction_not_found"
    CONTEXT_NOT_FOUND = "context_not_found"
    URL_NOT_FOUND = "url_not_found"
    CACHE_ENTRY_NOT_FOUND = "cache_entry_not_found"
    RETENTION_NOT_FOUND = "retention_not_found"
    SECRET_NOT_FOUND = "secret_not_found"

    PROJECT_EXISTS = "project_exists"
    REPO_EXISTS = "repo_exists"
    PIPELINE_EXISTS = "pipeline_exists"
    LOCAL_FILE_EXISTS = "local_file_exists"
    CONTEXT_EXISTS = "context_exists"
    RETENTION_EXISTS = "retention_exists"
    SECRET_EXISTS = "secret_exists"

    WRITE_CONFLICT = "write_conflict"
    CLAIM_LOST = "claim_lost"
    LEASE_EXPIRED = "lease_expired"
    DELETED_MEANWHILE = "deleted_meanwhile"

    BAD_NAME = "bad_name"
    BAD_PATH = "bad_path"
    BAD_PATTERN = "bad_pattern"
    BAD_REFERENCE = "bad_reference"
    BAD_SPEC = "bad_spec"
    BAD_ARGUMENT = "bad_argument"
    PATH_COLLISION = "path_collision"
    DAG_INVALID = "dag_invalid"

    COMMIT_FINISHED = "commit_finished"
    COMMIT_OPEN = "commit_open"
    OUTPUT_BRANCH = "output_branch"
    HAS_DEPENDANTS = "has_dependants"
    HAS_NO_CHILDREN = "has_no_children"
    COMMIT_FORGOTTEN = "commit_forgotten"
    JOB_FINISHED = "job_finished"
    BAD_MOVE = "bad_move"
    PIPELINE_STOPPED = "pipeline_stopped"
    NOT_A_FILE = "not_a_file"
    LAKE_LOCKED = "lake_locked"
    OPEN_ADDRESS = "open_address"
    READ_ONLY = "read_only"
    TRANSACTION_OPEN = "transaction_open"
    URL_REFUSED = "url_refused"
    LABEL_EXISTS = "label_exists"
    LAKE_MISMATCH = "lake_mismatch"
    STORE_UNFIT = "store_unfit"
    SECRETS_KEY = "secrets_key"
    NO_ENGINE = "no_engine"

    UNREACHABLE = "unreachable"
    IMAGE_NOT_FOUND = "image_not_found"
    ENGINE_REFUSED = "engine_refused"
    BUSY = "busy"
    NO_SPACE = "no_space"
    STORE_FAILED = "store_failed"
    URL_FAILED = "url_failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"

    UNSUPPORTED = "unsupported"
    FORMAT_UNKNOWN = "format_unknown"

    OBJECT_MISSING = "object_missing"
    OBJECT_CORRUPT = "object_corrupt"


class HowdahError(Exception):
    """The base of the tree: a stable `kind` and one line of text that names object, state and way out."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    def __reduce__(self) -> tuple[type["HowdahError"], tuple[ErrorKind, str]]:
        return (type(self), (self.kind, self.message))


class NotFound(HowdahError):
    """The named thing does not exist; ask for something else."""


class AlreadyExists(HowdahError):
    """The name is taken; choose another, or accept what is there."""


class Conflict(HowdahError):
    """Somebody else was faster; read again, then retry."""


class BadRequest(HowdahError):
    """The call itself is wrong, whatever the state; fix it."""


class Refused(HowdahError):
    """The call is right but not in this state; the text says which state would allow it."""


class Unavailable(HowdahError):
    """A passing fault; wait, then repeat the same call."""


class Unsupported(HowdahError):
    """This version does not do it; the text names the way that works."""


class Damaged(HowdahError):
    """Stored bytes are missing or not what their name says; the text names the object and what refers to it."""

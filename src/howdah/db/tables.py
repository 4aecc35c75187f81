# SPDX-License-Identifier: Apache-2.0
"""Every table of the lake's metadata, in one place. The same schema, step by step: `db/migrations/versions`.

A table's statements live in the one domain module that owns it (`pfs.*`, `pps.*`, `db.events`), not here.
States and kinds are the integers of `howdah.model`; roots are 32-byte fileset names of `howdah.storage`.
A change here needs a new migration; a test compares the two.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from howdah.db.columns import KEY, Json, surrogate_key
from howdah.db.times import Moment

__all__ = [
    "branch",
    "branch_provenance",
    "branch_trigger",
    "cache_entry",
    "cache_file_set",
    "commit",
    "commit_change",
    "commit_provenance",
    "commit_touched",
    "cron",
    "datum_result",
    "datum_result_state",
    "datum_set",
    "event",
    "file_set",
    "job",
    "lake",
    "lake_label",
    "lease",
    "log_chunk",
    "log_part",
    "log_segment",
    "log_source",
    "metadata",
    "pipeline",
    "pipeline_autoscaled",
    "pipeline_version",
    "project",
    "repo",
    "retention",
    "secret",
    "spec_default",
    "transaction",
    "transaction_request",
]

# Every constraint has a name of its own, so that a later migration can drop it on any database.
_NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
# Numbers of rows that are gone are not given again: an old reference finds nothing, never a stranger.
_NUMBERED: Final[dict[str, Any]] = {"sqlite_autoincrement": True}
ID_LENGTH: Final = 32  # hex digits of a UUID: commit sets, leases

metadata = MetaData(naming_convention=_NAMES)


def _reference(name: str, table: str, *, cascade: bool = False, **options: Any) -> Column[int]:
    """A column with the key of a row of `table`; with `cascade` its row goes when that row goes."""
    options.setdefault("nullable", False)
    return Column(name, KEY, ForeignKey(f"{table}.id", ondelete="CASCADE" if cascade else None), **options)


def _number(name: str) -> Column[int]:
    """A count or size that starts at zero; 64 bits."""
    return Column(name, BigInteger, nullable=False, default=0)


def _text(name: str) -> Column[str]:
    """A text that is empty until said otherwise."""
    return Column(name, Text, nullable=False, default="")


def _flag(name: str) -> Column[bool]:
    """A yes or no that is no until said otherwise."""
    return Column(name, Boolean, nullable=False, default=False)


def _moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """A time, in UTC; nullable when it may not have come yet."""
    return Column(name, Moment, nullable=nullable)


def _labels() -> Column[Any]:
    """The user's own keys and values."""
    return Column("metadata", Json, nullable=False, default=dict)


# Which lake this database belongs to: one row.
lake = Table(
    "lake",
    metadata,
    Column("lake_id", String(ID_LENGTH), primary_key=True),
    _text("store_url"),
)

project = Table(
    "project",
    metadata,
    surrogate_key(),
    Column("name", String, nullable=False),
    _text("description"),
    _moment("created_at"),
    _labels(),
    UniqueConstraint("name"),
    **_NUMBERED,
)

repo = Table(
    "repo",
    metadata,
    surrogate_key(),
    _reference("project_id", "project"),
    Column("name", String, nullable=False),
    Column("type", String, nullable=False),
    _text("description"),
    _moment("created_at"),
    _labels(),
    UniqueConstraint("project_id", "name", "type"),
    **_NUMBERED,
)

branch = Table(
    "branch",
    metadata,
    surrogate_key(),
    _reference("repo_id", "repo", cascade=True),
    Column("name", String, nullable=False),
    _reference("head_id", "commit_", nullable=True, index=True),
    Column("trigger", Json),
    _moment("created_at"),
    _moment("updated_at"),
    _labels(),
    UniqueConstraint("repo_id", "name"),
    **_NUMBERED,
)

# Direct provenance alone. `never` is the protocol's propagation_spec.never: the upstream moves without us.
branch_provenance = Table(
    "branch_provenance",
    metadata,
    _reference("branch_id", "branch", cascade=True, primary_key=True),
    _reference("upstream_id", "branch", primary_key=True, index=True),
    Column("position", Integer, nullable=False, default=0),
    _flag("never"),
)

# What the trigger of a branch has been asked about: the newest commit (its key; it may be gone), and the last tick.
branch_trigger = Table(
    "branch_trigger",
    metadata,
    _reference("branch_id", "branch", cascade=True, primary_key=True, autoincrement=False),
    Column("seen", BigInteger, nullable=False),
    _moment("ticked_at"),
)

# `commit` is a word of SQL, hence the table's name.
commit = Table(
    "commit_",
    metadata,
    surrogate_key(),
    _reference("repo_id", "repo", cascade=True),
    Column("set_id", String(ID_LENGTH), nullable=False),
    Column("branch_name", String, nullable=False),  # the branch it was made on; that branch may be gone
    _reference("parent_id", "commit_", nullable=True, index=True),
    Column("origin", Integer, nullable=False),
    _text("description"),
    _text("error"),
    _moment("started_at"),
    _moment("ready_at", nullable=True),
    _moment("finishing_at", nullable=True),
    _moment("finished_at", nullable=True),
    _text("created_by"),
    _moment("updated_at"),
    Column("root", LargeBinary),  # the total fileset; set when finishing ends
    Column("partial_root", LargeBinary),  # open commit: its base with every change up to partial_seq merged
    Column("partial_seq", Integer),
    Column("files", BigInteger),
    Column("size_bytes", BigInteger),
    _flag("forgotten"),
    _labels(),
    UniqueConstraint("repo_id", "set_id"),
    Index(None, "repo_id", "id"),
    Index(None, "set_id"),
    **_NUMBERED,
)

commit_provenance = Table(
    "commit_provenance",
    metadata,
    _reference("commit_id", "commit_", cascade=True, primary_key=True),
    _reference("upstream_id", "commit_", primary_key=True, index=True),
)

# Hashes of the few paths in which a commit differs from its parent; no row when they are many, or not known.
commit_touched = Table(
    "commit_touched",
    metadata,
    _reference("commit_id", "commit_", cascade=True, primary_key=True, autoincrement=False),
    Column("parent_id", BigInteger),
    Column("paths", LargeBinary, nullable=False),
)

commit_change = Table(
    "commit_change",
    metadata,
    _reference("commit_id", "commit_", cascade=True, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("lease_id", String(ID_LENGTH), nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("owner", Text, nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    Index(None, "expires_at"),
)

# `transaction` is a word of SQL, hence the table's name. `version` is the number of its requests so far.
transaction = Table(
    "transaction_",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("version", Integer, nullable=False),
    _moment("started_at"),
    Index(None, "started_at"),
)

# What was asked for, in order, as the API that took it wrote it down.
transaction_request = Table(
    "transaction_request",
    metadata,
    Column("transaction_id", ForeignKey("transaction_.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

# `body` is the change that the file set stands for, `root` what it makes of nothing: what is read in it.
file_set = Table(
    "file_set",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("root", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _number("files"),
    _number("size_bytes"),
    _moment("created_at"),
    _moment("expires_at"),
    Index(None, "expires_at"),
)

# What callers remember under a key of their own. `used_at` is when it was put or got last: the oldest go first.
cache_entry = Table(
    "cache_entry",
    metadata,
    Column("key", String, primary_key=True),
    Column("tag", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
    _moment("used_at"),
    Index(None, "tag"),
    Index(None, "used_at"),
)

# The file sets that an entry names: they do not expire while it is there.
cache_file_set = Table(
    "cache_file_set",
    metadata,
    Column("key", ForeignKey("cache_entry.key", ondelete="CASCADE"), primary_key=True),
    Column("file_set_id", ForeignKey("file_set.id"), primary_key=True, index=True),
)

# The user's own keys and values for the lake as a whole.
lake_label = Table(
    "lake_label",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

# `target` is the text of what a rule is of; it names the project, and the repo if it is not of the whole project.
retention = Table(
    "retention",
    metadata,
    surrogate_key(),
    Column("target", String, nullable=False),
    _reference("project_id", "project", cascade=True),
    _reference("repo_id", "repo", cascade=True, nullable=True),
    Column("rule", Text, nullable=False),
    _moment("created_at"),
    UniqueConstraint("target"),
    **_NUMBERED,
)

# What specs of a project leave out; the row without a project holds for all of them.
spec_default = Table(
    "spec_default",
    metadata,
    surrogate_key(),
    _reference("project_id", "project", cascade=True, nullable=True),
    Column("body", Text, nullable=False),
    _moment("created_at"),
    UniqueConstraint("project_id"),
    **_NUMBERED,
)

# Values are in `sealed` alone, encrypted by the key with the fingerprint `key`, which is not in this database.
secret = Table(
    "secret",
    metadata,
    surrogate_key(),
    Column("name", String, nullable=False),
    Column("type", String, nullable=False),
    Column("version", String(ID_LENGTH), nullable=False),
    Column("key", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    _moment("created_at"),
    UniqueConstraint("name"),
    **_NUMBERED,
)

pipeline = Table(
    "pipeline",
    metadata,
    surrogate_key(),
    _reference("project_id", "project"),
    Column("name", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    _text("reason"),
    _flag("stopped"),
    _text("salt"),
    _moment("created_at"),
    _moment("updated_at"),
    Column("done_root", LargeBinary),
    _labels(),
    _flag("deleted"),
    UniqueConstraint("project_id", "name"),
    **_NUMBERED,
)

# How far the schedule of a cron input has come; `repo_made` when its repo was made for it, and goes with the pipeline.
cron = Table(
    "cron",
    metadata,
    _reference("pipeline_id", "pipeline", cascade=True, primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    _moment("ticked_at"),
    _flag("repo_made"),
)

pipeline_version = Table(
    "pipeline_version",
    metadata,
    _reference("pipeline_id", "pipeline", cascade=True, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("user_spec", Text, nullable=False),
    Column("effective_spec", Text, nullable=False),
    Column("spec_set_id", String(ID_LENGTH), nullable=False),
    _moment("created_at"),
    _text("created_by"),
)

# The pipelines whose present version has `autoscaling`: those that rest in STANDBY when they have no work.
pipeline_autoscaled = Table(
    "pipeline_autoscaled",
    metadata,
    _reference("pipeline_id", "pipeline", cascade=True, primary_key=True, autoincrement=False),
)

job = Table(
    "job",
    metadata,
    surrogate_key(),
    _reference("pipeline_id", "pipeline", cascade=True),
    Column("set_id", String(ID_LENGTH), nullable=False),
    Column("version", Integer, nullable=False),
    _reference("output_commit_id", "commit_", index=True),
    _reference("meta_commit_id", "commit_", nullable=True, index=True),
    Column("state", Integer, nullable=False),
    _text("reason"),
    _moment("created_at"),
    _moment("started_at", nullable=True),
    _moment("finished_at", nullable=True),
    Column("restart", Integer, nullable=False, default=0),
    _number("datums_total"),
    _number("datums_processed"),
    _number("datums_skipped"),
    _number("datums_failed"),
    _number("datums_recovered"),
    _number("download_ms"),
    _number("process_ms"),
    _number("upload_ms"),
    _number("download_bytes"),
    _number("upload_bytes"),
    Column("plan_root", LargeBinary),
    Column("results_root", LargeBinary),
    Column("base_done", LargeBinary),
    Column("detail", Json, nullable=False, default=dict),
    UniqueConstraint("pipeline_id", "set_id"),
    Index(None, "state", "pipeline_id", "id"),
    Index(None, "pipeline_id", "id"),
    Index(None, "set_id"),
    **_NUMBERED,
)

# Datums first … first + datum_count - 1 of the job's plan. `state`: 0 waiting, 1 claimed, 2 done.
# `fence` grows with each claim; a result that carries an older one is refused.
datum_set = Table(
    "datum_set",
    metadata,
    surrogate_key(),
    _reference("job_id", "job", cascade=True),
    Column("position", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("datum_count", Integer, nullable=False),  # not "count": a row's own method has that name
    Column("state", Integer, nullable=False, default=0),
    _text("worker"),
    Column("fence", Integer, nullable=False, default=0),
    _moment("claimed_until", nullable=True),
    Column("attempts", Integer, nullable=False, default=0),
    Index(None, "job_id", "state", "position"),
    **_NUMBERED,
)

# Batches as workers handed them in, until the job's results are merged.
datum_result = Table(
    "datum_result",
    metadata,
    surrogate_key(),
    _reference("datum_set_id", "datum_set", cascade=True, index=True),
    Column("job_id", KEY, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _moment("at"),
    Index(None, "job_id", "id"),
    **_NUMBERED,
)

# Which datums of a job's todo a batch brought, and in which states: one row for each state that is in it. So a state
# is looked for without reading batches that have none of it.
datum_result_state = Table(
    "datum_result_state",
    metadata,
    _reference("result_id", "datum_result", cascade=True, primary_key=True),
    Column("state", Integer, primary_key=True, autoincrement=False),
    Column("job_id", KEY, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("datum_count", Integer, nullable=False),
    Index(None, "job_id", "state", "first"),
)

# Who logs are of: a job (the server itself is job 0 of pipeline 0), by names that outlive it. `dropped_…`: what is
# not there any more, because of the rules for logs.
log_source = Table(
    "log_source",
    metadata,
    surrogate_key(),
    Column("pipeline_id", KEY, nullable=False),
    Column("job_id", KEY, nullable=False),
    _text("project"),
    _text("pipeline"),
    Column("set_id", String(ID_LENGTH), nullable=False, default="", index=True),
    _number("dropped_lines"),
    _moment("dropped_until", nullable=True),
    UniqueConstraint("pipeline_id", "job_id"),
    Index(None, "project", "pipeline"),
    **_NUMBERED,
)

# The latest lines, as they came; they move into segments. Logs outlive their job. Nothing ever filled `body_object`.
log_chunk = Table(
    "log_chunk",
    metadata,
    surrogate_key(),
    Column("pipeline_id", KEY, nullable=False),
    Column("job_id", KEY, index=True),
    _moment("first_at"),
    _moment("last_at"),
    Column("lines", Integer, nullable=False),
    Column("body_object", LargeBinary),
    Column("body", LargeBinary),
    Index(None, "pipeline_id", "id"),
    **_NUMBERED,
)

# Older lines of all jobs: the chunk `object` has what rows first_chunk … last_chunk of `log_chunk` had.
log_segment = Table(
    "log_segment",
    metadata,
    surrogate_key(),
    Column("first_chunk", KEY, nullable=False),
    Column("last_chunk", KEY, nullable=False),
    _moment("first_at"),
    _moment("last_at"),
    Column("lines", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("object", LargeBinary, nullable=False),
    **_NUMBERED,
)

# Where lines of one job are in a segment, and (`datums`, a filter) which datums they may be of.
log_part = Table(
    "log_part",
    metadata,
    surrogate_key(),
    _reference("segment_id", "log_segment", cascade=True, index=True),
    Column("pipeline_id", KEY, nullable=False),
    Column("job_id", KEY, nullable=False, index=True),
    Column("last_chunk", KEY, nullable=False),
    _moment("first_at"),
    _moment("last_at"),
    Column("lines", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    Column("datums", LargeBinary),
    Index(None, "pipeline_id", "last_at"),
    **_NUMBERED,
)

event = Table(
    "event",
    metadata,
    surrogate_key("n"),
    _moment("at"),
    Column("subject", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Json, nullable=False),
    **_NUMBERED,
)

# SPDX-License-Identifier: Apache-2.0
"""Every table of the lake's metadata, under one name. The same schema, step by step: `db/migrations/versions`.

Those of versioned files are written here, those of pipelines in `db.pps_tables`. A table's statements live in the one
domain module that owns it (`pfs.*`, `pps.*`, `db.events`). States and kinds are the integers of `howdah.model`; roots
are 32-byte fileset names of `howdah.storage`. A change here needs a new migration; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from howdah.db.columns import (
    ID_LENGTH,
    NUMBERED,
    Json,
    flag,
    labels,
    metadata,
    moment,
    number,
    reference,
    surrogate_key,
    text,
)
from howdah.db.pps_tables import (
    cron,
    datum_result,
    datum_result_state,
    datum_set,
    job,
    log_chunk,
    log_part,
    log_segment,
    log_source,
    pipeline,
    pipeline_autoscaled,
    pipeline_execution,
    pipeline_version,
    secret,
    spec_default,
)

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
    "pipeline_execution",
    "pipeline_version",
    "project",
    "repo",
    "retention",
    "secret",
    "spec_default",
    "transaction",
    "transaction_request",
]

# Which lake this database belongs to: one row.
lake = Table(
    "lake",
    metadata,
    Column("lake_id", String(ID_LENGTH), primary_key=True),
    text("store_url"),
)

project = Table(
    "project",
    metadata,
    surrogate_key(),
    Column("name", String, nullable=False),
    text("description"),
    moment("created_at"),
    labels(),
    UniqueConstraint("name"),
    **NUMBERED,
)

repo = Table(
    "repo",
    metadata,
    surrogate_key(),
    reference("project_id", "project"),
    Column("name", String, nullable=False),
    Column("type", String, nullable=False),
    text("description"),
    moment("created_at"),
    labels(),
    UniqueConstraint("project_id", "name", "type"),
    **NUMBERED,
)

branch = Table(
    "branch",
    metadata,
    surrogate_key(),
    reference("repo_id", "repo", cascade=True),
    Column("name", String, nullable=False),
    reference("head_id", "commit_", nullable=True, index=True),
    Column("trigger", Json),
    moment("created_at"),
    moment("updated_at"),
    labels(),
    UniqueConstraint("repo_id", "name"),
    **NUMBERED,
)

# Direct provenance alone. `never` is the protocol's propagation_spec.never: the upstream moves without us.
branch_provenance = Table(
    "branch_provenance",
    metadata,
    reference("branch_id", "branch", cascade=True, primary_key=True),
    reference("upstream_id", "branch", primary_key=True, index=True),
    Column("position", Integer, nullable=False, default=0),
    flag("never"),
)

# What the trigger of a branch has been asked about: the newest commit (its key; it may be gone), and the last tick.
branch_trigger = Table(
    "branch_trigger",
    metadata,
    reference("branch_id", "branch", cascade=True, primary_key=True, autoincrement=False),
    Column("seen", BigInteger, nullable=False),
    moment("ticked_at"),
)

# `commit` is a word of SQL, hence the table's name.
commit = Table(
    "commit_",
    metadata,
    surrogate_key(),
    reference("repo_id", "repo", cascade=True),
    Column("set_id", String(ID_LENGTH), nullable=False),
    Column("branch_name", String, nullable=False),  # the branch it was made on; that branch may be gone
    reference("parent_id", "commit_", nullable=True, index=True),
    Column("origin", Integer, nullable=False),
    text("description"),
    text("error"),
    moment("started_at"),
    moment("ready_at", nullable=True),
    moment("finishing_at", nullable=True),
    moment("finished_at", nullable=True),
    text("created_by"),
    moment("updated_at"),
    Column("root", LargeBinary),  # the total fileset; set when finishing ends
    Column("partial_root", LargeBinary),  # open commit: its base with every change up to partial_seq merged
    Column("partial_seq", Integer),
    Column("files", BigInteger),
    Column("size_bytes", BigInteger),
    flag("forgotten"),
    labels(),
    UniqueConstraint("repo_id", "set_id"),
    Index(None, "repo_id", "id"),
    Index(None, "set_id"),
    **NUMBERED,
)

commit_provenance = Table(
    "commit_provenance",
    metadata,
    reference("commit_id", "commit_", cascade=True, primary_key=True),
    reference("upstream_id", "commit_", primary_key=True, index=True),
)

# Hashes of the few paths in which a commit differs from its parent; no row when they are many, or not known.
commit_touched = Table(
    "commit_touched",
    metadata,
    reference("commit_id", "commit_", cascade=True, primary_key=True, autoincrement=False),
    Column("parent_id", BigInteger),
    Column("paths", LargeBinary, nullable=False),
)

commit_change = Table(
    "commit_change",
    metadata,
    reference("commit_id", "commit_", cascade=True, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("lease_id", String(ID_LENGTH), nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("owner", Text, nullable=False),
    moment("created_at"),
    moment("expires_at"),
    Index(None, "expires_at"),
)

# `transaction` is a word of SQL, hence the table's name. `version` is the number of its requests so far.
transaction = Table(
    "transaction_",
    metadata,
    Column("id", String(ID_LENGTH), primary_key=True),
    Column("version", Integer, nullable=False),
    moment("started_at"),
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
    number("files"),
    number("size_bytes"),
    moment("created_at"),
    moment("expires_at"),
    Index(None, "expires_at"),
)

# What callers remember under a key of their own. `used_at` is when it was put or got last: the oldest go first.
cache_entry = Table(
    "cache_entry",
    metadata,
    Column("key", String, primary_key=True),
    Column("tag", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
    moment("used_at"),
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
    reference("project_id", "project", cascade=True),
    reference("repo_id", "repo", cascade=True, nullable=True),
    Column("rule", Text, nullable=False),
    moment("created_at"),
    UniqueConstraint("target"),
    **NUMBERED,
)

event = Table(
    "event",
    metadata,
    surrogate_key("n"),
    moment("at"),
    Column("subject", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Json, nullable=False),
    **NUMBERED,
)

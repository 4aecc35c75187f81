# SPDX-License-Identifier: Apache-2.0
"""The tables of pipelines: specs, secrets, jobs, datums, logs. Callers find them in `db.tables`, with all others."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from howdah.db.columns import (
    ID_LENGTH,
    KEY,
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

__all__ = [
    "cron",
    "datum_result",
    "datum_result_state",
    "datum_set",
    "job",
    "log_chunk",
    "log_part",
    "log_segment",
    "log_source",
    "pipeline",
    "pipeline_autoscaled",
    "pipeline_execution",
    "pipeline_version",
    "secret",
    "spec_default",
]

# What specs of a project leave out; the row without a project holds for all of them.
spec_default = Table(
    "spec_default",
    metadata,
    surrogate_key(),
    reference("project_id", "project", cascade=True, nullable=True),
    Column("body", Text, nullable=False),
    moment("created_at"),
    UniqueConstraint("project_id"),
    **NUMBERED,
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
    moment("created_at"),
    UniqueConstraint("name"),
    **NUMBERED,
)

pipeline = Table(
    "pipeline",
    metadata,
    surrogate_key(),
    reference("project_id", "project"),
    Column("name", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    text("reason"),
    flag("stopped"),
    text("salt"),
    moment("created_at"),
    moment("updated_at"),
    Column("done_root", LargeBinary),
    labels(),
    flag("deleted"),
    UniqueConstraint("project_id", "name"),
    **NUMBERED,
)

# How far the schedule of a cron input has come; `repo_made` when its repo was made for it, and goes with the pipeline.
cron = Table(
    "cron",
    metadata,
    reference("pipeline_id", "pipeline", cascade=True, primary_key=True, autoincrement=False),
    Column("name", String, primary_key=True),
    moment("ticked_at"),
    flag("repo_made"),
)

pipeline_version = Table(
    "pipeline_version",
    metadata,
    reference("pipeline_id", "pipeline", cascade=True, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("user_spec", Text, nullable=False),
    Column("effective_spec", Text, nullable=False),
    Column("spec_set_id", String(ID_LENGTH), nullable=False),
    moment("created_at"),
    text("created_by"),
)

# The pipelines whose present version has `autoscaling`: those that rest in STANDBY when they have no work.
pipeline_autoscaled = Table(
    "pipeline_autoscaled",
    metadata,
    reference("pipeline_id", "pipeline", cascade=True, primary_key=True, autoincrement=False),
)

# How the user code of a version runs, unless as a process of which there is nothing to know. `digest`: the image,
# exactly; empty until it is known, and never changed then.
pipeline_execution = Table(
    "pipeline_execution",
    metadata,
    reference("pipeline_id", "pipeline", cascade=True, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    text("image"),
    text("digest"),
    text("note"),
)

job = Table(
    "job",
    metadata,
    surrogate_key(),
    reference("pipeline_id", "pipeline", cascade=True),
    Column("set_id", String(ID_LENGTH), nullable=False),
    Column("version", Integer, nullable=False),
    reference("output_commit_id", "commit_", index=True),
    reference("meta_commit_id", "commit_", nullable=True, index=True),
    Column("state", Integer, nullable=False),
    text("reason"),
    moment("created_at"),
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    Column("restart", Integer, nullable=False, default=0),
    number("datums_total"),
    number("datums_processed"),
    number("datums_skipped"),
    number("datums_failed"),
    number("datums_recovered"),
    number("download_ms"),
    number("process_ms"),
    number("upload_ms"),
    number("download_bytes"),
    number("upload_bytes"),
    Column("plan_root", LargeBinary),
    Column("results_root", LargeBinary),
    Column("base_done", LargeBinary),
    Column("detail", Json, nullable=False, default=dict),
    UniqueConstraint("pipeline_id", "set_id"),
    Index(None, "state", "pipeline_id", "id"),
    Index(None, "pipeline_id", "id"),
    Index(None, "set_id"),
    **NUMBERED,
)

# Datums first … first + datum_count - 1 of the job's plan. `state`: 0 waiting, 1 claimed, 2 done.
# `fence` grows with each claim; a result that carries an older one is refused.
datum_set = Table(
    "datum_set",
    metadata,
    surrogate_key(),
    reference("job_id", "job", cascade=True),
    Column("position", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("datum_count", Integer, nullable=False),  # not "count": a row's own method has that name
    Column("state", Integer, nullable=False, default=0),
    text("worker"),
    Column("fence", Integer, nullable=False, default=0),
    moment("claimed_until", nullable=True),
    Column("attempts", Integer, nullable=False, default=0),
    Index(None, "job_id", "state", "position"),
    **NUMBERED,
)

# Batches as workers handed them in, until the job's results are merged.
datum_result = Table(
    "datum_result",
    metadata,
    surrogate_key(),
    reference("datum_set_id", "datum_set", cascade=True, index=True),
    Column("job_id", KEY, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    moment("at"),
    Index(None, "job_id", "id"),
    **NUMBERED,
)

# Which datums of a job's todo a batch brought, and in which states: one row for each state that is in it. So a state
# is looked for without reading batches that have none of it.
datum_result_state = Table(
    "datum_result_state",
    metadata,
    reference("result_id", "datum_result", cascade=True, primary_key=True),
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
    text("project"),
    text("pipeline"),
    Column("set_id", String(ID_LENGTH), nullable=False, default="", index=True),
    number("dropped_lines"),
    moment("dropped_until", nullable=True),
    UniqueConstraint("pipeline_id", "job_id"),
    Index(None, "project", "pipeline"),
    **NUMBERED,
)

# The latest lines, as they came; they move into segments. Logs outlive their job. Nothing ever filled `body_object`.
log_chunk = Table(
    "log_chunk",
    metadata,
    surrogate_key(),
    Column("pipeline_id", KEY, nullable=False),
    Column("job_id", KEY, index=True),
    moment("first_at"),
    moment("last_at"),
    Column("lines", Integer, nullable=False),
    Column("body_object", LargeBinary),
    Column("body", LargeBinary),
    Index(None, "pipeline_id", "id"),
    **NUMBERED,
)

# Older lines of all jobs: the chunk `object` has what rows first_chunk … last_chunk of `log_chunk` had.
log_segment = Table(
    "log_segment",
    metadata,
    surrogate_key(),
    Column("first_chunk", KEY, nullable=False),
    Column("last_chunk", KEY, nullable=False),
    moment("first_at"),
    moment("last_at"),
    Column("lines", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("object", LargeBinary, nullable=False),
    **NUMBERED,
)

# Where lines of one job are in a segment, and (`datums`, a filter) which datums they may be of.
log_part = Table(
    "log_part",
    metadata,
    surrogate_key(),
    reference("segment_id", "log_segment", cascade=True, index=True),
    Column("pipeline_id", KEY, nullable=False),
    Column("job_id", KEY, nullable=False, index=True),
    Column("last_chunk", KEY, nullable=False),
    moment("first_at"),
    moment("last_at"),
    Column("lines", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    Column("datums", LargeBinary),
    Index(None, "pipeline_id", "last_at"),
    **NUMBERED,
)

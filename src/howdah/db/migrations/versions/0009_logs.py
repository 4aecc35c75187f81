# SPDX-License-Identifier: Apache-2.0
"""Logs in objects of the store, with an index of what is where; and whose they are, by names that outlive them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; lines that are there stay in rows until they move. No older version ever moved any."""
    _source()
    _segment()
    _part()
    # Names are known of what still exists; what is gone has lines, but nobody can ask for them by a name.
    op.execute(
        "INSERT INTO log_source (pipeline_id, job_id, project, pipeline, set_id, dropped_lines) "
        "SELECT DISTINCT log_chunk.pipeline_id, log_chunk.job_id, COALESCE(project.name, ''), "
        "COALESCE(pipeline.name, ''), COALESCE(job.set_id, ''), 0 FROM log_chunk "
        "LEFT JOIN pipeline ON pipeline.id = log_chunk.pipeline_id "
        "LEFT JOIN project ON project.id = pipeline.project_id "
        "LEFT JOIN job ON job.id = log_chunk.job_id WHERE log_chunk.job_id IS NOT NULL"
    )


def _source() -> None:
    op.create_table(
        "log_source",
        _number("id"),
        _number("pipeline_id"),
        _number("job_id"),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("set_id", sa.String(32), nullable=False),
        sa.Column("dropped_lines", sa.BigInteger(), nullable=False),
        sa.Column("dropped_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_source")),
        sa.UniqueConstraint("pipeline_id", "job_id", name=op.f("uq_log_source_pipeline_id_job_id")),
        sqlite_autoincrement=True,
    )
    _index("log_source", "set_id")
    _index("log_source", "project", "pipeline")


def _segment() -> None:
    op.create_table(
        "log_segment",
        _number("id"),
        _number("first_chunk"),
        _number("last_chunk"),
        *_moments(),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("object", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_segment")),
        sqlite_autoincrement=True,
    )


def _part() -> None:
    op.create_table(
        "log_part",
        _number("id"),
        _number("segment_id"),
        _number("pipeline_id"),
        _number("job_id"),
        _number("last_chunk"),
        *_moments(),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("datums", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_part")),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["log_segment.id"], name=op.f("fk_log_part_segment_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    _index("log_part", "segment_id")
    _index("log_part", "job_id")
    _index("log_part", "pipeline_id", "last_at")


def _number(name: str) -> sa.Column[int]:
    """A key."""
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _moments() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in ("first_at", "last_at")]


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))

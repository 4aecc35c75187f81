# SPDX-License-Identifier: Apache-2.0
"""Secrets, sealed; and which pipelines rest in STANDBY when they have no work."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. A pipeline that was made with autoscaling has it from now on."""
    op.create_table(
        "secret",
        sa.Column("id", _whole(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret")),
        sa.UniqueConstraint("name", name=op.f("uq_secret_name")),
        sqlite_autoincrement=True,
    )
    owner = sa.ForeignKeyConstraint(
        ["pipeline_id"], ["pipeline.id"], name=op.f("fk_pipeline_autoscaled_pipeline_id"), ondelete="CASCADE"
    )
    autoscaled = op.create_table(
        "pipeline_autoscaled",
        sa.Column("pipeline_id", _whole(), autoincrement=False, nullable=False),
        owner,
        sa.PrimaryKeyConstraint("pipeline_id", name=op.f("pk_pipeline_autoscaled")),
    )
    if found := _autoscaled():
        op.bulk_insert(autoscaled, [{"pipeline_id": key} for key in found])


def _autoscaled() -> list[int]:
    """The keys of the pipelines whose present spec says so."""
    pipeline = sa.table("pipeline", sa.column("id"), sa.column("version"))
    version = sa.table("pipeline_version", sa.column("pipeline_id"), sa.column("version"), sa.column("effective_spec"))
    present = sa.and_(version.c.pipeline_id == pipeline.c.id, version.c.version == pipeline.c.version)
    specs = op.get_bind().execute(sa.select(pipeline.c.id, version.c.effective_spec).join(version, present))
    return [key for key, spec in specs.all() if json.loads(spec).get("autoscaling")]


def _whole() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# SPDX-License-Identifier: Apache-2.0
"""How far the schedules of cron inputs have come."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; no pipeline had a cron input before."""
    op.create_table(
        "cron",
        sa.Column("pipeline_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ticked_at", sa.BigInteger(), nullable=False),
        sa.Column("repo_made", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["pipeline_id"], ["pipeline.id"], name=op.f("fk_cron_pipeline_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pipeline_id", "name", name=op.f("pk_cron")),
    )

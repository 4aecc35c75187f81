# SPDX-License-Identifier: Apache-2.0
"""Defaults of pipelines' specs, for all projects and for each."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; there are no defaults at first."""
    op.create_table(
        "spec_default",
        sa.Column("id", _whole(), nullable=False),
        sa.Column("project_id", _whole(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spec_default")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_spec_default_project_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("project_id", name=op.f("uq_spec_default_project_id")),
        sqlite_autoincrement=True,
    )


def _whole() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")

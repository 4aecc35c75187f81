# SPDX-License-Identifier: Apache-2.0
"""Retention rules of projects, repos and branches."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; there is no rule at first."""
    op.create_table(
        "retention",
        sa.Column("id", _whole(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("project_id", _whole(), nullable=False),
        sa.Column("repo_id", _whole(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention")),
        _belongs("project"),
        _belongs("repo"),
        sa.UniqueConstraint("target", name=op.f("uq_retention_target")),
        sqlite_autoincrement=True,
    )


def _whole() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _belongs(owner: str) -> sa.ForeignKeyConstraint:
    """A rule goes with what it is of."""
    name = op.f(f"fk_retention_{owner}_id")
    return sa.ForeignKeyConstraint([f"{owner}_id"], [f"{owner}.id"], name=name, ondelete="CASCADE")

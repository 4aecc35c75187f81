# SPDX-License-Identifier: Apache-2.0
"""What triggers have seen, which paths a commit touched, and the lake's own labels."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make three tables; what is there stays as it is."""
    op.create_table(
        "branch_trigger",
        sa.Column("branch_id", _whole(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("ticked_at", sa.BigInteger(), nullable=False),
        *_belongs("branch_trigger", "branch_id", "branch"),
    )
    op.create_table(
        "commit_touched",
        sa.Column("commit_id", _whole(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("paths", sa.LargeBinary(), nullable=False),
        *_belongs("commit_touched", "commit_id", "commit_"),
    )
    op.create_table(
        "lake_label",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lake_label")),
    )


def _whole() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _belongs(table: str, column: str, owner: str) -> tuple[sa.PrimaryKeyConstraint, sa.ForeignKeyConstraint]:
    """The constraints of a table with at most one row for each row of `owner`, which goes with that row."""
    return (
        sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"),
    )

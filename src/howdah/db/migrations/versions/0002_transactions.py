# SPDX-License-Identifier: Apache-2.0
"""Transactions: several changes that are collected under an id, then made together."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of transactions and of their requests."""
    op.create_table(
        "transaction_",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transaction_")),
    )
    op.create_index(op.f("ix_transaction__started_at"), "transaction_", ["started_at"], unique=False)
    op.create_table(
        "transaction_request",
        sa.Column("transaction_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", "position", name=op.f("pk_transaction_request")),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["transaction_.id"],
            name=op.f("fk_transaction_request_transaction_id"),
            ondelete="CASCADE",
        ),
    )

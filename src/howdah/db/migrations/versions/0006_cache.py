# SPDX-License-Identifier: Apache-2.0
"""What callers remember under keys of their own, and the file sets that must live as long."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables `cache_entry` and `cache_file_set`."""
    op.create_table(
        "cache_entry",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cache_entry")),
    )
    op.create_index(op.f("ix_cache_entry_tag"), "cache_entry", ["tag"])
    op.create_index(op.f("ix_cache_entry_used_at"), "cache_entry", ["used_at"])
    op.create_table(
        "cache_file_set",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("file_set_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["cache_entry.key"], name=op.f("fk_cache_file_set_key"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["file_set_id"], ["file_set.id"], name=op.f("fk_cache_file_set_file_set_id")),
        sa.PrimaryKeyConstraint("key", "file_set_id", name=op.f("pk_cache_file_set")),
    )
    op.create_index(op.f("ix_cache_file_set_file_set_id"), "cache_file_set", ["file_set_id"])

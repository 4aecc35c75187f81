# SPDX-License-Identifier: Apache-2.0
"""The database knows which lake it belongs to. Empty at first: the next server that opens it says so."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of the one row."""
    op.create_table(
        "lake",
        sa.Column("lake_id", sa.String(32), nullable=False),
        sa.Column("store_url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("lake_id", name=op.f("pk_lake")),
    )

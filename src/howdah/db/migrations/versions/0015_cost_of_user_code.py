# SPDX-License-Identifier: Apache-2.0
"""What the user code of a job cost: its CPU time, and the most memory that one of its processes had."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two numbers to each job; those of jobs that ran before are not known, and 0."""
    for name in ("cpu_us", "memory_max_bytes"):
        op.add_column("job", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))

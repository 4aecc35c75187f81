# SPDX-License-Identifier: Apache-2.0
"""Find jobs by state and pipeline together: neither those that ended nor those of others are looked at."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace an index; it begins with the same column, so whatever used the old one uses the new one."""
    op.drop_index(op.f("ix_job_state"), table_name="job")
    op.create_index(op.f("ix_job_state_pipeline_id_id"), "job", ["state", "pipeline_id", "id"], unique=False)

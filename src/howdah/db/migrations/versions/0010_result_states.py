# SPDX-License-Identifier: Apache-2.0
"""Which states are in a batch of results, so that datums in one state are found without reading all batches."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The numbers of `model.states.DatumState`, as they were written when this was made.
_STATES = {"FAILED": 1, "SUCCESS": 2, "RECOVERED": 5}


def upgrade() -> None:
    """Make the table, and fill it from the batches of jobs that run."""
    op.create_table(
        "datum_result_state",
        sa.Column("result_id", _whole(), nullable=False),
        sa.Column("state", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", _whole(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("datum_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("result_id", "state", name=op.f("pk_datum_result_state")),
        sa.ForeignKeyConstraint(
            ["result_id"],
            ["datum_result.id"],
            name=op.f("fk_datum_result_state_result_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        op.f("ix_datum_result_state_job_id_state_first"),
        "datum_result_state",
        ["job_id", "state", "first"],
        unique=False,
    )
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """A set's batches came in the order of its datums, and what is left of it begins behind them."""
    sets = connection.execute(
        sa.text("SELECT id, first FROM datum_set WHERE id IN (SELECT datum_set_id FROM datum_result)")
    ).all()
    batches = sa.text("SELECT id, job_id, body FROM datum_result WHERE datum_set_id = :key ORDER BY id DESC")
    insert = sa.text(
        "INSERT INTO datum_result_state (result_id, state, job_id, first, datum_count)"
        " VALUES (:result, :state, :job, :first, :count)"
    )
    for key, end in sets:
        for result, job, body in connection.execute(batches, {"key": key}).all():
            header = json.loads(body[4 : 4 + int.from_bytes(body[:4], "little")])
            states = [each["state"] for each in header["results"]]
            end -= len(states)
            for name in sorted(set(states)):
                values = {"result": result, "state": _STATES[name], "job": job, "first": end, "count": len(states)}
                connection.execute(insert, values)


def _whole() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")

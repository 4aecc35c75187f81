# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect datum PIPELINE[@ID] DATUM`: show one datum."""

import click

from howdah.cli.base import command
from howdah.cli.columns import DATUM
from howdah.cli.job_names import NAMED_JOB, a_job
from howdah.cli.session import Session

__all__ = ["inspect_datum"]


@command("datum", "howdah inspect datum edges@4fc0… 91ab…")
@click.argument("job", metavar=NAMED_JOB)
@click.argument("datum")
def inspect_datum(session: Session, job: str, datum: str) -> None:
    """Show one datum of a job: its state, its files, what it took."""
    session.show(session.client.inspect_datum(a_job(session, job), datum), DATUM)

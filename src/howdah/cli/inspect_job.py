# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect job PIPELINE@ID`: show one job."""

import click

from howdah.cli.base import command
from howdah.cli.columns import JOB
from howdah.cli.session import Session

__all__ = ["inspect_job"]


@command("job", "howdah inspect job edges@4fc0…")
@click.argument("job", metavar="PIPELINE@ID")
def inspect_job(session: Session, job: str) -> None:
    """Show one job: its state and why, its datums, what it took."""
    session.show(session.client.inspect_job(job), JOB)

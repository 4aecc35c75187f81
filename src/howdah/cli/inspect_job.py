# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect job PIPELINE[@ID]`: show one job."""

import click

from howdah.cli.base import command
from howdah.cli.columns import JOB
from howdah.cli.job_names import NAMED_JOB, a_job
from howdah.cli.session import Session

__all__ = ["inspect_job"]


@command("job", "howdah inspect job edges", "howdah inspect job edges@4fc0…", "howdah inspect job edges@master^")
@click.argument("job", metavar=NAMED_JOB)
def inspect_job(session: Session, job: str) -> None:
    """Show one job: its state and why, its datums, what it took. Without an id it is the newest one."""
    session.show(session.client.inspect_job(a_job(session, job)), JOB)

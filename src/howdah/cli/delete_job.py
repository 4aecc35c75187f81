# SPDX-License-Identifier: Apache-2.0
"""`howdah delete job PIPELINE@ID`: end a job and forget it."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_job"]


@command("job", "howdah delete job edges@4fc0…", output=False)
@click.argument("job", metavar="PIPELINE@ID")
def delete_job(session: Session, job: str) -> None:
    """End a job and forget it."""
    session.client.delete_job(job)

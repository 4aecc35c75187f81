# SPDX-License-Identifier: Apache-2.0
"""`howdah stop job PIPELINE[@ID]`: end a job."""

import click

from howdah.cli.base import command
from howdah.cli.job_names import NAMED_JOB, a_job
from howdah.cli.session import Session

__all__ = ["stop_job"]


@command("job", "howdah stop job edges@4fc0…", output=False)
@click.argument("job", metavar=NAMED_JOB)
@click.option("-m", "--message", default="", help="Why; it is kept with the job.")
def stop_job(session: Session, job: str, message: str) -> None:
    """End a job. What its datums have done stays done; its output commit is a bad one."""
    session.client.stop_job(a_job(session, job), reason=message)

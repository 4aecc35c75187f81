# SPDX-License-Identifier: Apache-2.0
"""`howdah restart datum PIPELINE[@ID] [FILTER]…`: let what workers are at begin again."""

import click

from howdah.cli.base import command
from howdah.cli.job_names import NAMED_JOB, a_job
from howdah.cli.session import Session

__all__ = ["restart_datum"]


@command("datum", "howdah restart datum edges@4fc0…", "howdah restart datum edges@4fc0… /a.png", output=False)
@click.argument("job", metavar=NAMED_JOB)
@click.argument("filters", metavar="[FILTER]…", nargs=-1)
def restart_datum(session: Session, job: str, filters: tuple[str, ...]) -> None:
    """End user code that runs for datums of a job, and let them begin again.

    A FILTER is the path or the hash of a file of the datum, or the datum's id; all must fit. What has been done stays.
    """
    session.client.restart_datum(a_job(session, job), filters)

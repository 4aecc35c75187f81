# SPDX-License-Identifier: Apache-2.0
"""`howdah subscribe job PIPELINE`: print jobs as they come and go on."""

from itertools import islice

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["subscribe_job"]


@command("job", "howdah subscribe job edges", "howdah subscribe job edges -n 1 -o json")
@click.argument("pipeline")
@click.option("-n", "--number", type=click.IntRange(0), default=0, help="End after so many lines; 0: by Ctrl-C.")
def subscribe_job(session: Session, pipeline: str, number: int) -> None:
    """Print the open jobs of a pipeline, oldest first, and then each new one; again when one goes on."""
    found = session.client.subscribe_jobs(pipeline)
    try:
        session.stream(
            islice(found, number or None),
            lambda info: f"{info.job} {info.state.name} {info.processed + info.carried_over} of {info.datums}",
        )
    finally:
        found.close()

# SPDX-License-Identifier: Apache-2.0
"""`howdah run cron PIPELINE`: let cron inputs tick now."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["run_cron"]


@command("cron", "howdah run cron report", output=False)
@click.argument("pipeline")
def run_cron(session: Session, pipeline: str) -> None:
    """Let the cron inputs of a pipeline tick now, whatever their schedules say."""
    session.client.run_cron(pipeline)

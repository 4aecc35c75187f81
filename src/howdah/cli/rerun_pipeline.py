# SPDX-License-Identifier: Apache-2.0
"""`howdah rerun pipeline PIPELINE`: run a pipeline again."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["rerun_pipeline"]


@command("pipeline", "howdah rerun pipeline edges", "howdah rerun pipeline edges --reprocess", output=False)
@click.argument("pipeline")
@click.option("--reprocess", is_flag=True, help="Run also what had succeeded.")
def rerun_pipeline(session: Session, pipeline: str, reprocess: bool) -> None:
    """Start a job on what a pipeline reads now. Datums that had succeeded stay, unless --reprocess is given.

    It is another version of the same spec, so a job that has not ended is killed.
    """
    session.client.rerun_pipeline(pipeline, reprocess=reprocess)

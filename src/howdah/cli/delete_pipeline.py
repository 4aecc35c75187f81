# SPDX-License-Identifier: Apache-2.0
"""`howdah delete pipeline PIPELINE`: remove a pipeline."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_pipeline"]


@command("pipeline", "howdah delete pipeline edges", "howdah delete pipeline edges --keep-repo", output=False)
@click.argument("pipeline")
@click.option("-f", "--force", is_flag=True, help="Also when others read its output.")
@click.option("--keep-repo", is_flag=True, help="Keep its output as a repo of its own.")
def delete_pipeline(session: Session, pipeline: str, force: bool, keep_repo: bool) -> None:
    """Remove a pipeline with its jobs and its output."""
    session.client.delete_pipeline(pipeline, force=force, keep_repo=keep_repo)

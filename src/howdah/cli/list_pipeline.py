# SPDX-License-Identifier: Apache-2.0
"""`howdah list pipeline`: show the pipelines of a project."""

import click

from howdah.cli.base import command
from howdah.cli.columns import PIPELINES
from howdah.cli.session import Session

__all__ = ["list_pipeline"]


@command("pipeline", "howdah list pipeline")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
@click.option("--history", default=0, help="So many older versions of each, too; -1 for all.")
def list_pipeline(session: Session, everywhere: bool, history: int) -> None:
    """Show the pipelines of a project, the newest first."""
    projects: list[str] | None = [] if everywhere else None
    session.show_all(session.client.list_pipelines(projects=projects, history=history), PIPELINES)

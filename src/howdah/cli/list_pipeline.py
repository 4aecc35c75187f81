# SPDX-License-Identifier: Apache-2.0
"""`howdah list pipeline`: show the pipelines of a project."""

import click

from howdah.cli.base import command
from howdah.cli.columns import PIPELINES
from howdah.cli.names import PIPELINE_STATES, a_filter
from howdah.cli.session import Session

__all__ = ["list_pipeline"]


@command("pipeline", "howdah list pipeline", "howdah list pipeline --state paused --all")
@click.option(
    "-s", "--state", "states", multiple=True, type=click.Choice(PIPELINE_STATES), help="Only those in this state."
)
@click.option("-c", "--commit-set", default="", metavar="ID", help="As this commit set has them.")
@click.option("--jq", default="", metavar="FILTER", help="Only those for which this jq expression holds.")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
@click.option("--history", default=0, help="So many older versions of each, too; -1 for all.")
def list_pipeline(
    session: Session, states: tuple[str, ...], commit_set: str, jq: str, everywhere: bool, history: int
) -> None:
    """Show the pipelines of a project, the newest first."""
    projects: list[str] | None = [] if everywhere else None
    wanted = a_filter("PIPELINE_", states, jq)
    found = session.client.list_pipelines(projects=projects, history=history, jq=wanted, commit_set=commit_set)
    session.show_all(found, PIPELINES)

# SPDX-License-Identifier: Apache-2.0
"""`howdah create pipeline -f SPEC`: make a pipeline."""

import click

from howdah.cli.base import command
from howdah.cli.making_pipelines import from_sources, given_specs, make_pipelines
from howdah.cli.session import Session

__all__ = ["create_pipeline"]


@command(
    "pipeline",
    "howdah create pipeline -f edges.yaml",
    "howdah create pipeline --jsonnet edges.jsonnet --arg src=images --arg suffix=2",
    output=False,
)
@from_sources
@click.option("--reprocess", is_flag=True, help="Run also what had succeeded.")
@click.option("--update", is_flag=True, help="Change it if it exists.")
@click.option("--all-or-nothing", "together", is_flag=True, help="Of several specs make all, in one transaction.")
@click.option("--dry-run", is_flag=True, help="Change nothing; print the effective spec.")
def create_pipeline(
    session: Session,
    source: str | None,
    jsonnet: str | None,
    args: tuple[str, ...],
    reprocess: bool,
    update: bool,
    together: bool,
    dry_run: bool,
) -> None:
    """Make a pipeline from a spec; of a file with several, each."""
    given = given_specs(session, source, jsonnet, args)
    make_pipelines(session, given, update=update, reprocess=reprocess, dry_run=dry_run, together=together)

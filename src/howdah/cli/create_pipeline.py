# SPDX-License-Identifier: Apache-2.0
"""`howdah create pipeline -f SPEC`: make a pipeline."""

import click

from howdah.cli.base import command
from howdah.cli.making_pipelines import from_sources, given_specs, make_pipelines
from howdah.cli.session import Session
from howdah.cli.shipment import Shipment, ships
from howdah.cli.shipping import ship

__all__ = ["create_pipeline"]


@command(
    "pipeline",
    "howdah create pipeline -f edges.yaml",
    "howdah create pipeline --jsonnet edges.jsonnet --arg src=images --arg suffix=2",
    "howdah create pipeline -f edges.yaml --build .",
    output=False,
)
@from_sources
@ships
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
    shipment: Shipment,
) -> None:
    """Make a pipeline from a spec; of a file with several, each.

    With --build its image is built first, from a folder with a Dockerfile (of the name in transform.dockerfile, if one
    is there), gets a tag that says what is in the folder, is pushed to the registry, and stands in the spec. With
    --push-images the image that the spec names gets such a tag, and is pushed. A dry run builds and pushes nothing.
    """
    given = given_specs(session, source, jsonnet, args)
    given = ship(session, given, shipment, update=update, reprocess=reprocess, dry_run=dry_run)
    make_pipelines(session, given, update=update, reprocess=reprocess, dry_run=dry_run, together=together)

# SPDX-License-Identifier: Apache-2.0
"""`howdah create pipeline -f SPEC`: make a pipeline."""

import click

from howdah.cli.base import command
from howdah.cli.columns import pretty
from howdah.cli.input_files import tell_warnings
from howdah.cli.names import specs
from howdah.cli.session import Session

__all__ = ["create_pipeline"]


@command("pipeline", "howdah create pipeline -f edges.yaml", output=False)
@click.option("-f", "--file", "source", required=True, metavar="SPEC", help="JSON or YAML; - is standard input.")
@click.option("--reprocess", is_flag=True, help="Run also what had succeeded.")
@click.option("--update", is_flag=True, help="Change it if it exists.")
@click.option("--dry-run", is_flag=True, help="Change nothing; print the effective spec.")
def create_pipeline(session: Session, source: str, reprocess: bool, update: bool, dry_run: bool) -> None:
    """Make a pipeline from a spec; of a file with several, each."""
    for spec in specs(source):
        effective = session.client.create_pipeline(spec, update=update, reprocess=reprocess, dry_run=dry_run)
        if dry_run:
            session.line(pretty(effective))
        else:
            tell_warnings(session, effective)

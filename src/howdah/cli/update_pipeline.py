# SPDX-License-Identifier: Apache-2.0
"""`howdah update pipeline -f SPEC`: change a pipeline."""

import click

from howdah.cli.base import command
from howdah.cli.columns import pretty
from howdah.cli.input_files import tell_warnings
from howdah.cli.names import specs
from howdah.cli.session import Session

__all__ = ["update_pipeline"]


@command("pipeline", "howdah update pipeline -f edges.yaml", output=False)
@click.option("-f", "--file", "source", required=True, metavar="SPEC", help="JSON or YAML; - is standard input.")
@click.option("--reprocess", is_flag=True, help="Run also what had succeeded.")
@click.option("--dry-run", is_flag=True, help="Change nothing; print the effective spec.")
def update_pipeline(session: Session, source: str, reprocess: bool, dry_run: bool) -> None:
    """Give a pipeline a new spec. What had succeeded stays, unless --reprocess is given."""
    for spec in specs(source):
        effective = session.client.create_pipeline(spec, update=True, reprocess=reprocess, dry_run=dry_run)
        if dry_run:
            session.line(pretty(effective))
        else:
            tell_warnings(session, effective)

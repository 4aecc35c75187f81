# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect file REPO@COMMIT:PATH`: show one file, or what made it."""

import click

from howdah.cli.base import command
from howdah.cli.columns import FILE, PROVENANCE
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["inspect_file"]


@command("file", "howdah inspect file images@master:/a.png", "howdah inspect file edges@master:/a.pgm --provenance")
@click.argument("file", metavar="REPO@COMMIT:PATH")
@click.option("--provenance", is_flag=True, help="Show the job, datum, code and input files that made it.")
def inspect_file(session: Session, file: str, provenance: bool) -> None:
    """Show one file or directory; with --provenance, where it comes from."""
    where = a_file(session, file)
    if provenance:
        session.show(session.client.inspect_provenance(where), PROVENANCE)
    else:
        session.show(session.client.inspect_file(where.commit, where.path), FILE)

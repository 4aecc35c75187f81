# SPDX-License-Identifier: Apache-2.0
"""`howdah list file REPO@COMMIT[:PATH]`: show what lies in a directory."""

import click

from howdah.cli.base import command
from howdah.cli.columns import FILES
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["list_file"]


@command("file", "howdah list file images@master", "howdah list file images@master^:/2026 -n 100")
@click.argument("file", metavar="REPO@COMMIT[:PATH]")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option("--after", default="", metavar="PATH", help="Begin after this path: the last one of the page before.")
def list_file(session: Session, file: str, number: int, after: str) -> None:
    """Show what lies directly in a directory, in order of path."""
    where = a_file(session, file)
    session.show_all(session.client.list_files(where.commit, where.path, after=after, number=number), FILES)

# SPDX-License-Identifier: Apache-2.0
"""`howdah list file REPO@COMMIT[:PATH]`: show what lies in a directory, or how a file came to be."""

from itertools import islice

import click

from howdah.cli.base import command
from howdah.cli.columns import FILES, VERSIONS
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["list_file"]


@command(
    "file",
    "howdah list file images@master",
    "howdah list file images@master^:/2026 -n 100",
    "howdah list file images@master:/a.png --history",
)
@click.argument("file", metavar="REPO@COMMIT[:PATH]")
@click.option("-n", "--number", type=click.IntRange(0), default=0, help="At most so many; 0 for all.")
@click.option("--after", default="", metavar="PATH", help="Begin after this path: the last one of the page before.")
@click.option("--reverse", is_flag=True, help="From the last path to the first; needs -n.")
@click.option("--history", is_flag=True, help="Show the commits that changed the file or directory, the newest first.")
def list_file(session: Session, file: str, number: int, after: str, reverse: bool, history: bool) -> None:
    """Show what lies directly in a directory, in order of path."""
    where = a_file(session, file)
    if reverse and not number:
        raise click.UsageError("a list in reverse is a page; give its size by -n")
    if history:
        if after or reverse:
            raise click.UsageError("a history begins at the commit that is named; leave out --after and --reverse")
        versions = session.client.file_history(where.commit, where.path)
        session.show_all(islice(versions, number) if number else versions, VERSIONS)
        return
    found = session.client.list_files(where.commit, where.path, after=after, number=number, reverse=reverse)
    session.show_all(found, FILES)

# SPDX-License-Identifier: Apache-2.0
"""`howdah copy file FROM TO`: copy files by reference."""

import click

from howdah.cli.base import command
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["copy_file"]


@command("file", "howdah copy file images@staging:/a.png images@master:/a.png", output=False)
@click.argument("source", metavar="REPO@COMMIT:PATH")
@click.argument("target", metavar="REPO@COMMIT:PATH")
@click.option("-a", "--append", is_flag=True, help="Add to what is there instead of replacing it.")
def copy_file(session: Session, source: str, target: str, append: bool) -> None:
    """Copy a file or directory within the lake, from any commit and repo. No bytes move."""
    where = a_file(session, target)
    session.client.copy_file(a_file(session, source), where.commit, where.path, append=append)

# SPDX-License-Identifier: Apache-2.0
"""`howdah glob file REPO@COMMIT:PATTERN`: find files by a pattern."""

from itertools import islice

import click

from howdah.cli.base import command
from howdah.cli.columns import FILES
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["glob_file"]


@command("file", "howdah glob file 'images@master:/**.png'", "howdah glob file 'images@master:/2026/{01,02}/*'")
@click.argument("pattern", metavar="REPO@COMMIT:PATTERN")
@click.option("-n", "--number", type=click.IntRange(0), default=0, help="At most so many; 0 for all.")
def glob_file(session: Session, pattern: str, number: int) -> None:
    """Show all files and directories that match a pattern.

    `*` is any text within a name, `**` also across directories, `?` one character, `[a-c]` one of a class, `{a,b}` one
    of several; `\\` takes the special meaning from the next character.
    """
    where = a_file(session, pattern)
    found = session.client.glob_files(where.commit, where.path)
    session.show_all(islice(found, number) if number else found, FILES)

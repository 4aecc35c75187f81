# SPDX-License-Identifier: Apache-2.0
"""`howdah delete file REPO@COMMIT:PATH`: remove files."""

import click

from howdah.cli.base import command
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["delete_file"]


@command("file", "howdah delete file images@master:/a.png", "howdah delete file -r images@master:/2025", output=False)
@click.argument("file", metavar="REPO@COMMIT:PATH")
@click.option("-r", "--recursive", is_flag=True, help="Remove everything below a directory.")
def delete_file(session: Session, file: str, recursive: bool) -> None:
    """Remove a file from an open commit, or from a branch by a commit of its own. Older commits keep it."""
    where = a_file(session, file)
    info = session.client.inspect_file(where.commit, where.path)
    if info.is_dir and not recursive:
        raise click.UsageError(f"{file} is a directory; remove all that is in it with -r")
    session.client.delete_file(where.commit, where.path, recursive=recursive)

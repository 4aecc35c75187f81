# SPDX-License-Identifier: Apache-2.0
"""`howdah put file REPO@COMMIT[:PATH] -f LOCAL`: write local files into a commit."""

import os
import sys
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.names import a_file
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import CommitWriter

__all__ = ["put_file"]


@command(
    "file",
    "howdah put file images@master -f a.png",
    "howdah put file images@master:/2026 -r -f photos",
    "date | howdah put file log@master:/dates -a -f -",
    output=False,
)
@click.argument("target", metavar="REPO@COMMIT[:PATH]")
@click.option(
    "-f", "--file", "sources", multiple=True, required=True, metavar="LOCAL", help="A file, a folder, or - for stdin."
)
@click.option("-r", "--recursive", is_flag=True, help="LOCAL is a folder: put all files in it.")
@click.option("-a", "--append", is_flag=True, help="Add to what the paths have instead of replacing it.")
def put_file(session: Session, target: str, sources: tuple[str, ...], recursive: bool, append: bool) -> None:
    """Write files into an open commit, or onto a branch as a commit of its own.

    A file goes to PATH; without PATH, or if it ends in a slash, under its own name. With -r the files of the folder
    go below PATH; without PATH, below the folder's name. Of several -f each goes below PATH under its own name.
    All of them are seen together, or none. Files that have not changed are not stored again.
    """
    where = a_file(session, target)
    named = ":" in target
    with (
        session.progress(f"putting to {target}") as progress,
        session.client.modify(where.commit, progress=progress) as writer,
    ):
        for source in sources:
            path = _place(where.path, source, named, recursive, several=len(sources) > 1)
            _put(writer, path, source, recursive, append)


def _place(path: str, source: str, named: bool, recursive: bool, *, several: bool) -> str:
    """Where a source goes."""
    below = several or not named or (path.endswith("/") and not recursive)
    if not below:
        return path
    own = "" if source == "-" else os.path.basename(os.path.abspath(source))
    if not own:
        raise click.UsageError("standard input has no name; say where it goes: REPO@COMMIT:/PATH")
    return f"{path.rstrip('/')}/{own}"


def _put(writer: "CommitWriter", path: str, source: str, recursive: bool, append: bool) -> None:
    if source == "-":
        writer.put(path, sys.stdin.buffer, append=append)
    elif recursive:
        writer.put_folder(path, source, append=append)
    elif os.path.isdir(source):
        raise click.UsageError(f"{source} is a folder; put all files in it with -r")
    else:
        writer.put(path, source, append=append)

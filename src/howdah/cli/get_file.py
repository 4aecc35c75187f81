# SPDX-License-Identifier: Apache-2.0
"""`howdah get file REPO@COMMIT:PATH`: read a file, or fetch files into a local folder."""

import os
import sys

import click

from howdah.cli.base import command
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["get_file"]


@command(
    "file",
    "howdah get file images@master:/a.png > a.png",
    "howdah get file images@master:/a.png -o a.png",
    "howdah get file -r images@master:/2026 -o photos",
    output=False,
)
@click.argument("file", metavar="REPO@COMMIT:PATH")
@click.option("-o", "--output", "to", metavar="LOCAL", help="Write here instead of standard output.")
@click.option("-r", "--recursive", is_flag=True, help="Get all files of a directory, into the folder LOCAL.")
@click.option("--offset", default=0, help="Skip so many bytes.")
@click.option("--length", type=int, help="Give at most so many bytes.")
def get_file(session: Session, file: str, to: str | None, recursive: bool, offset: int, length: int | None) -> None:
    """Read a file to standard output or into a local file; with -r, a directory into a local folder.

    The folder is made if there is none; files of the same names in it are overwritten, others stay. A LOCAL that is a
    folder takes a single file under its own name.
    """
    where = a_file(session, file)
    if recursive:
        if to is None or to == "-" or offset or length is not None:
            raise click.UsageError("with -r name a folder by -o, and give neither --offset nor --length")
        with session.progress(f"getting {file}") as progress:
            session.client.get_folder(where.commit, where.path, to, progress=progress)
        return
    ranged = offset != 0 or length is not None
    if to is not None and to != "-" and not ranged and not _is_special(to):
        local = os.path.join(to, os.path.basename(where.path)) if os.path.isdir(to) else to
        with session.progress(f"getting {file}") as progress:
            session.client.save_file(where.commit, where.path, local, progress=progress)
        return
    pieces = session.client.read_file(where.commit, where.path, offset=offset, length=length)
    if to is None or to == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    else:
        with open(to, "wb") as out:
            out.writelines(pieces)


def _is_special(path: str) -> bool:
    """Whether a path is there and is a pipe or a device, which takes bytes only in order."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)

# SPDX-License-Identifier: Apache-2.0
"""`howdah delete file REPO@COMMIT:PATH`: remove files."""

from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.columns import FILES
from howdah.cli.names import a_file
from howdah.cli.session import Session
from howdah.errors import ErrorKind, NotFound

if TYPE_CHECKING:
    from howdah.model.files import FileInfo
    from howdah.model.refs import File

__all__ = ["delete_file"]


@command(
    "file",
    "howdah delete file images@master:/a.png",
    "howdah delete file -r images@master:/2025",
    "howdah delete file 'images@master:/**.tmp' --dry-run",
)
@click.argument("files", metavar="REPO@COMMIT:PATH...", nargs=-1, required=True)
@click.option("-r", "--recursive", is_flag=True, help="Remove everything below a directory.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
def delete_file(session: Session, files: tuple[str, ...], recursive: bool, dry_run: bool) -> None:
    """Remove files from an open commit, or from a branch by a commit of its own. Older commits keep them.

    PATH is a path, or a pattern of several; a file of exactly that path wins. Several PATHs must be of one commit, and
    go together.
    """
    places = [a_file(session, text) for text in files]
    if any(place.commit != places[0].commit for place in places):
        raise click.UsageError("files of several commits cannot be removed together; call once for each")
    found = [
        each for place, text in zip(places, files, strict=True) for each in _found(session, place, text, recursive)
    ]
    if dry_run:
        session.show_all(found, FILES)
        return
    with session.client.modify(places[0].commit) as writer:
        for info in found:
            writer.delete(info.path, recursive=info.is_dir)
    if session.json:
        session.show_all(found, FILES)


def _found(session: Session, place: "File", text: str, recursive: bool) -> "list[FileInfo]":
    """What a path or pattern means; what lies below a directory that is meant too is not named again."""
    found: list[FileInfo] = []
    for info in session.client.glob_files(place.commit, place.path):
        if info.is_dir and not recursive:
            raise click.UsageError(f"{text} means directory {info.path}; remove all that is in it with -r")
        if not (found and found[-1].is_dir and info.path.startswith(found[-1].path)):
            found.append(info)
    if not found:
        where = session.client.inspect_commit(place.commit).commit
        text = f"file {place.path} not found in repo {where.repo} at commit {where.id}; see: howdah list file {where}"
        raise NotFound(ErrorKind.FILE_NOT_FOUND, text)
    return found

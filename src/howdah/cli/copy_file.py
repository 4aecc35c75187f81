# SPDX-License-Identifier: Apache-2.0
"""`howdah copy file FROM TO`: copy files by reference."""

from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.columns import FILES
from howdah.cli.names import a_file
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.model.files import FileInfo
    from howdah.model.refs import File

__all__ = ["copy_file"]


@command(
    "file",
    "howdah copy file images@staging:/a.png images@master:/a.png",
    "howdah copy file 'images@staging:/2026/*.png' images@master:/best/",
    "howdah copy file 'images@staging:/**.png' images@master:/all/ --dry-run",
)
@click.argument("source", metavar="REPO@COMMIT:PATH")
@click.argument("target", metavar="REPO@COMMIT:PATH")
@click.option("-a", "--append", is_flag=True, help="Add to what is there instead of replacing it.")
@click.option("--dry-run", is_flag=True, help="Show what would be copied, and copy nothing.")
def copy_file(session: Session, source: str, target: str, append: bool, dry_run: bool) -> None:
    """Copy a file or directory within the lake, from any commit and repo. No bytes move.

    The source may be a pattern, in quotes; a file of exactly that path wins. What matches goes into the target, which
    must be a directory then: write it with a slash at its end. Two matches of one name are refused. All of it is
    copied, or nothing.
    """
    start, where = a_file(session, source), a_file(session, target)
    found = _found(session, start) if target.endswith("/") or dry_run else []
    if dry_run:
        session.show_all(found, FILES)
    elif not target.endswith("/"):
        session.client.copy_file(start, where.commit, where.path, append=append)
    else:
        pairs = _places(found, where.path)
        with session.client.modify(where.commit) as writer:
            for path, info in pairs.items():
                writer.copy(_at(start, info.path), path, append=append)


def _found(session: Session, start: "File") -> "list[FileInfo]":
    """What a path or pattern means; what lies below a directory that is meant too goes with that."""
    from howdah.errors import ErrorKind, NotFound

    found: list[FileInfo] = []
    for info in session.client.glob_files(start.commit, start.path):
        if not (found and found[-1].is_dir and info.path.startswith(found[-1].path)):
            found.append(info)
    if not found:
        text = f"file {start.path} not found at commit {start.commit}; see: howdah list file {start.commit}"
        raise NotFound(ErrorKind.FILE_NOT_FOUND, text)
    return found


def _places(found: "list[FileInfo]", folder: str) -> "dict[str, FileInfo]":
    """Where each goes: under its own name, into the directory."""
    places: dict[str, FileInfo] = {}
    for info in found:
        name = info.path.rstrip("/").rpartition("/")[2]
        path = f"{folder.rstrip('/')}/{name}" if name else folder
        if path in places:
            raise click.UsageError(f"{places[path].path} and {info.path} would both become {path}; copy them apart")
        places[path] = info
    return places


def _at(start: "File", path: str) -> "File":
    from howdah.model.refs import File

    return File(start.commit, path.rstrip("/") or "/")

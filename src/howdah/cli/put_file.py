# SPDX-License-Identifier: Apache-2.0
"""`howdah put file REPO@COMMIT[:PATH] -f LOCAL`: write files into a commit."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.names import a_file
from howdah.cli.put_sources import Item, items, place
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import CommitWriter, Split, Written

__all__ = ["put_file"]


@dataclass(frozen=True, slots=True)
class _How:
    """What is done with each source."""

    recursive: bool
    append: bool
    untar: bool
    full_path: bool
    exclude: tuple[str, ...]
    split: "Split | None"


@command(
    "file",
    "howdah put file images@master -f a.png",
    "howdah put file images@master:/2026 -r -f photos --exclude '*.tmp'",
    "date | howdah put file log@master:/dates -a -f -",
    "howdah put file images@master:/ --untar -f photos.tar.zst",
    "howdah put file rows@master:/people --split csv --header-records 1 -f people.csv",
    "howdah put file images@master -i list-of-paths-and-urls.txt",
)
@click.argument("target", metavar="REPO@COMMIT[:PATH]")
@click.option(
    "-f",
    "--file",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="A file, a folder, a pattern of them, a URL, or - for stdin; may be given several times.",
)
@click.option(
    "-i",
    "--input-file",
    "lists",
    multiple=True,
    metavar="LIST",
    help="A file, a URL or - with a source on each line.",
)
@click.option("-r", "--recursive", is_flag=True, help="A folder: put all files in it. A URL: all objects under it.")
@click.option("-a", "--append", is_flag=True, help="Add to what the paths have instead of replacing it.")
@click.option("--untar", is_flag=True, help="Each SOURCE is a tar (gzip, bzip2, xz, zstd): put the files in it.")
@click.option("--full-path", is_flag=True, help="Under the path that was given instead of the name at its end.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="With -r, leave out what matches, as a line of a .gitignore in the folder would; may be given several times.",
)
@click.option(
    "--split",
    type=click.Choice(["json", "line", "csv", "sql"]),
    help="Put each record as a file of its own: PATH/0000000000000000 and so on.",
)
@click.option("--header-records", type=click.IntRange(0), default=0, help="So many records stand before each piece.")
@click.option(
    "--target-file-datums", type=click.IntRange(0), default=0, help="So many records in each piece; 1 if not given."
)
@click.option(
    "--target-file-bytes", type=click.IntRange(0), default=0, help="End a piece when it has so many bytes of records."
)
@click.option(
    "--parallel", type=click.IntRange(1, 64), default=2, help="So many big files of a folder at once. Default: 2."
)
@click.option("--progress/--no-progress", default=True, help="Tell on stderr how it goes on; as a rule it does.")
def put_file(
    session: Session,
    target: str,
    sources: tuple[str, ...],
    lists: tuple[str, ...],
    recursive: bool,
    append: bool,
    untar: bool,
    full_path: bool,
    exclude: tuple[str, ...],
    split: str | None,
    header_records: int,
    target_file_datums: int,
    target_file_bytes: int,
    parallel: int,
    progress: bool,
) -> None:
    """Write files into an open commit, or onto a branch as a commit of its own.

    A file goes to PATH; without PATH, or if it ends in a slash, under its own name. With -r the files of the folder
    go below PATH; without PATH, below the folder's name. Of several sources each goes below PATH under its own name.
    The files of a tar go below PATH. A URL is fetched by the server.

    All of it is seen together, or nothing: a put that is broken off changes nothing. Put again, it does not store again
    what was stored by then, and says how many files that were.

    With --split a file becomes many, in place of what is at PATH: the lines of a text, the rows of a CSV (with
    newlines between quotes), the values of a stream of JSON, or the rows of a dump that pg_dump wrote. Equal beginnings
    make equal pieces, so that a line more makes one new file, and with the glob /* one new datum. The header records,
    and of a dump all text but its rows, stand in each piece.
    """
    found = items(sources, lists)
    pieces = _split(split, header_records, target_file_datums, target_file_bytes)
    how = _How(recursive, append, untar, full_path, exclude, pieces)
    _check(found, how)
    where = a_file(session, target)
    if not progress:
        session.quiet = True
    through = any(item.is_url for item in found)
    try:
        with (
            session.progress(f"putting to {target}") as meter,
            session.client.modify(where.commit, progress=meter, parallel=parallel, through=through) as writer,
        ):
            for item in found:
                _put(writer, _place(where.path, item, how, named=":" in target), item, how)
    except KeyboardInterrupt:
        session.note("interrupted, and nothing has changed; the same command goes on from what is stored by now")
        raise
    _tell(session, writer.written)


def _split(name: str | None, header: int, records: int, size: int) -> "Split | None":
    if name is None:
        if header or records or size:
            raise click.UsageError("what goes into a piece matters only to --split; give that too")
        return None
    from howdah.client import Split

    return Split(name, header_records=header, target_records=records, target_bytes=size)  # type: ignore[arg-type]


def _check(found: Sequence[Item], how: _How) -> None:
    """Refuse what does not go together before anything is put."""
    if how.untar and how.split:
        raise click.UsageError("a file is either a tar or split; give --untar or --split")
    if how.exclude and not how.recursive:
        raise click.UsageError("--exclude is about the files of a folder; give -r too")
    for item in found:
        folder = not item.is_url and os.path.isdir(item.source)
        if folder and not how.recursive:
            raise click.UsageError(f"{item.source} is a folder; put all files in it with -r")
        if (item.is_url or folder) and (how.untar or how.split):
            raise click.UsageError(f"{item.source} is not a local file, as --untar and --split need; fetch it first")


def _place(path: str, item: Item, how: _How, *, named: bool) -> str:
    """Where a source goes; the files of a tar have their paths in it."""
    if how.untar:
        return path
    below = how.recursive and (item.is_url or os.path.isdir(item.source))
    return place(path, item, named=named, below=below, full_path=how.full_path)


def _put(writer: "CommitWriter", path: str, item: Item, how: _How) -> None:
    source = sys.stdin.buffer if item.source == "-" else item.source
    if item.is_url:
        writer.put_url(path, item.source, append=how.append, recursive=how.recursive)
    elif how.split is not None:
        writer.put_split(path, source, how.split, append=how.append)
    elif how.untar:
        writer.put_tar(path, source, append=how.append)
    elif how.recursive and os.path.isdir(item.source):
        writer.put_folder(path, item.source, append=how.append, exclude=how.exclude)
    else:
        writer.put(path, source, append=how.append)


def _tell(session: Session, written: "Written") -> None:
    """Say what was there already; to programs, all that was put."""
    if session.json:
        session.show(written, [])
    elif written.known:
        session.note(f"{written.known} of {written.files} files were there already and were not stored again")

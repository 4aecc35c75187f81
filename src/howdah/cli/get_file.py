# SPDX-License-Identifier: Apache-2.0
"""`howdah get file REPO@COMMIT:PATH`: read a file, or fetch files into a local folder or an archive."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import IO, TYPE_CHECKING, Final

import click

from howdah.cli.base import command
from howdah.cli.names import a_file
from howdah.cli.retry import resumed, retried
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client.ways import Buffer
    from howdah.model.refs import File

__all__ = ["get_file"]

_PATTERN: Final = frozenset("*?[]{}()\\")


@command(
    "file",
    "howdah get file images@master:/a.png > a.png",
    "howdah get file images@master:/a.png -o a.png",
    "howdah get file -r images@master:/2026 -o photos",
    "howdah get file -r 'images@master:/2026/**.png' -o photos",
    "howdah get file --tar images@master:/2026 | ssh host tar x",
    output=False,
)
@click.argument("file", metavar="REPO@COMMIT:PATH")
@click.option("-o", "--output", "to", metavar="LOCAL", help="Write here instead of standard output, which is -.")
@click.option("-r", "--recursive", is_flag=True, help="Get all files of a directory or pattern, into the folder LOCAL.")
@click.option("--tar", is_flag=True, help="Get all files of a directory or pattern, as one tar.")
@click.option("--zip", "zip_", is_flag=True, help="Get all files of a directory or pattern, as one zip.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Skip so many bytes.")
@click.option("--length", type=click.IntRange(0), help="Give at most so many bytes.")
@click.option("--retry", is_flag=True, help="Go on where it stopped when the server or the store was away.")
@click.option("--no-overwrite", is_flag=True, help="Refuse to write over a local file.")
@click.option(
    "--parallel", type=click.IntRange(1, 64), default=2, help="Write so many files of a folder at once. Default: 2."
)
@click.option("--progress/--no-progress", default=True, help="Tell on stderr how it goes on; as a rule it does.")
def get_file(
    session: Session,
    file: str,
    to: str | None,
    recursive: bool,
    tar: bool,
    zip_: bool,
    offset: int,
    length: int | None,
    retry: bool,
    no_overwrite: bool,
    parallel: int,
    progress: bool,
) -> None:
    """Read a file to standard output or into a local file; with -r, many files into a local folder or an archive.

    A LOCAL that is a folder takes a single file under its own name. With -r the folder is made if there is none; the
    files of a directory come at their places below it, those of a pattern at their places below the last directory
    before its first special character. Files of the same names are overwritten, which is told; others stay.

    A file that is got has all its bytes or is not there, whenever this is broken off. Repeat it then; --retry
    does so by itself for up to five minutes.
    """
    if sum((recursive, tar, zip_)) > 1:
        raise click.UsageError("files go into a folder or into one archive; give one of -r, --tar and --zip")
    if recursive and (to is None or to == "-"):
        raise click.UsageError("with -r name a folder by -o; to standard output files go as an archive: --tar, --zip")
    ranged = offset != 0 or length is not None
    if ranged and (recursive or tar or zip_):
        raise click.UsageError(
            "a range of bytes is of one file; leave out --offset and --length, or -r, --tar and --zip"
        )
    if not progress:
        session.quiet = True
    where = a_file(session, file)
    if retry:
        where = _pinned(session, where)
    call = partial(retried, note=session.note) if retry else _once
    if recursive:
        call(lambda: _get_folder(session, where, str(to), no_overwrite, parallel))
    elif tar or zip_:
        # A second attempt may begin anew only where nobody has read the first.
        work = partial(_get_archive, session, where, to, no_overwrite, zip_)
        call(work) if _is_file(to) else work()
    elif _is_file(to) and not ranged:
        call(lambda: _save(session, where, str(to), no_overwrite))
    else:
        _write(session, where, to, no_overwrite, _pieces(session, where, offset, length, retry))


def _once(work: Callable[[], None]) -> None:
    work()


def _pinned(session: Session, where: "File") -> "File":
    """The same file of the commit that its branch has now, so that a second attempt reads the same bytes."""
    return replace(where, commit=session.client.inspect_commit(where.commit).commit)


def _get_folder(session: Session, where: "File", folder: str, no_overwrite: bool, parallel: int) -> None:
    with session.progress(f"getting {where}") as progress:
        got = session.client.get_folder(
            where.commit, where.path, folder, overwrite=not no_overwrite, parallel=parallel, progress=progress
        )
    if got.replaced:
        session.note(f"{got.replaced} of {got.files} files were there and are overwritten")


def _get_archive(session: Session, where: "File", to: str | None, no_overwrite: bool, zip_: bool) -> None:
    get = session.client.get_zip if zip_ else session.client.get_tar
    with _out(session, to, no_overwrite) as out:
        if out.isatty():
            raise click.UsageError("an archive is nothing for a terminal; name a file by -o, or give it to a program")
        get(where.commit, where.path, out)


def _save(session: Session, where: "File", to: str, no_overwrite: bool) -> None:
    local = os.path.join(to, _name(session, where)) if os.path.isdir(to) else to
    replaced = _there(local, no_overwrite)
    with session.progress(f"getting {where}") as progress:
        session.client.save_file(where.commit, where.path, local, progress=progress)
    _tell(session, local, replaced)


def _name(session: Session, where: "File") -> str:
    """A file's own name, also when it was asked for by a pattern."""
    if not _PATTERN & set(where.path):
        return os.path.basename(where.path)
    found = list(islice(session.client.glob_files(where.commit, where.path), 2))
    return found[0].name if len(found) == 1 else os.path.basename(where.path)


def _write(session: Session, where: "File", to: str | None, no_overwrite: bool, pieces: Iterator["Buffer"]) -> None:
    if to is not None and os.path.isdir(to):
        to = os.path.join(to, _name(session, where))
    with _out(session, to, no_overwrite) as out:
        out.writelines(pieces)
        out.flush()


def _pieces(session: Session, where: "File", offset: int, length: int | None, retry: bool) -> Iterator["Buffer"]:
    """The bytes asked for; the first call is made at once, so that what is wrong is told before anything is written."""

    def read(done: int) -> Iterator["Buffer"]:
        left = None if length is None else length - done
        return session.client.read_file(where.commit, where.path, offset=offset + done, length=left)

    return resumed(read, len, session.note) if retry else read(0)


@contextmanager
def _out(session: Session, to: str | None, no_overwrite: bool) -> Iterator[IO[bytes]]:
    """Where bytes go that come in order: standard output, a pipe or device, or a file that appears when it is whole."""
    if to is None or to == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    from howdah.storage.local_files import explained
    from howdah.storage.whole_files import whole_file

    if not _is_file(to):
        with explained(to, writing=True), open(to, "wb") as out:
            yield out
        return
    replaced = _there(to, no_overwrite)
    with whole_file(to) as place, explained(to, writing=True), open(place, "wb") as out:
        yield out
    _tell(session, to, replaced)


def _there(local: str, no_overwrite: bool) -> bool:
    """Whether a file is there that will be overwritten.

    Raises:
        AlreadyExists: it is, and must not be.
    """
    from howdah.storage.local_files import local_error

    there = os.path.lexists(local)
    if there and no_overwrite:
        raise local_error(FileExistsError(), local)
    return there


def _tell(session: Session, local: str, replaced: bool) -> None:
    if replaced:
        session.note(f"{local} was there and is overwritten")


def _is_file(to: str | None) -> bool:
    """Whether a place is or can be a file or folder: not standard output, a pipe or a device."""
    if to is None or to == "-":
        return False
    return not os.path.exists(to) or os.path.isfile(to) or os.path.isdir(to)

# SPDX-License-Identifier: Apache-2.0
"""What `howdah put file` was asked to put: local files and folders, patterns of them, URLs, lists of all these; and
where in the commit each of them goes."""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO, Final
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import click

from howdah.errors import BadRequest, ErrorKind, NotFound, Unavailable

__all__ = ["Item", "is_url", "items", "place"]

_SCHEMES: Final = ("http", "https", "s3", "gs", "gcs", "az", "azblob", "wasb", "minio", "file", "memory")
_LISTED_BY: Final = ("http", "https")
_PATTERN: Final = frozenset("*?[")
_LIST_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Item:
    """One source. `several` says that it goes below the target's path under a name of its own."""

    source: str
    several: bool

    @property
    def is_url(self) -> bool:
        """Whether the server fetches it."""
        return is_url(self.source)


def is_url(source: str) -> bool:
    """Whether a source is a URL and not a local path."""
    scheme, found, _ = source.partition("://")
    return bool(found) and scheme.lower() in _SCHEMES


def items(sources: Sequence[str], lists: Sequence[str]) -> list[Item]:
    """All sources, in order, with those that lists name and patterns match.

    Raises:
        NotFound: a list or a local file is not there, or a pattern matches nothing.
        UsageError: there is no source at all.
    """
    given = [*sources, *(line for listed in lists for line in _lines_of(listed))]
    if not given and lists:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"list {lists[0]} names no file; write one path or URL on each line")
    if not given:
        raise click.UsageError("say what to put: -f FILE, or -i LIST of files")
    found = [each for source in given for each in _matches(source)]
    several = len(found) > 1 or bool(lists) or any(each != source for each, source in zip(found, given, strict=False))
    return [Item(each, several) for each in found]


def place(path: str, item: Item, *, named: bool, below: bool, full_path: bool) -> str:
    """Where a source goes: at the target's path, or below it under its own name.

    `named` says that the target has a path, `below` that what is put has paths of its own.
    """
    under = item.several or not named or (path.endswith("/") and not below)
    if not under and not full_path:
        return path
    own = _full_name(item.source) if full_path else _own_name(item.source)
    if not own:
        raise click.UsageError("standard input has no name; say where it goes: REPO@COMMIT:/PATH")
    return f"{path.rstrip('/')}/{own}"


def _own_name(source: str) -> str:
    if source == "-":
        return ""
    if is_url(source):
        parts = urlsplit(source)
        return unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.netloc
    return os.path.basename(os.path.abspath(source))


def _full_name(source: str) -> str:
    """The path as it was given; what leads upwards has no place in a commit."""
    if source == "-":
        return ""
    path = unquote(urlsplit(source).path) if is_url(source) else source
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise click.UsageError(
            f"{source} leads upwards, and --full-path keeps it as it is; give it from a folder above"
        )
    return "/".join(parts)


def _matches(source: str) -> list[str]:
    """The source itself or, for a pattern that is not the name of a file, the files that match it."""
    if source == "-" or is_url(source) or not _PATTERN & set(source) or os.path.lexists(source):
        return [source]
    found = sorted(glob.glob(source, recursive=True))
    if not found:
        text = f"no local file matches {source!r}; check the pattern, or quote less of it"
        raise NotFound(ErrorKind.FILE_NOT_FOUND, text)
    return found


def _lines_of(listed: str) -> Iterator[str]:
    """The paths and URLs in a list, which is a local file, standard input or behind a URL."""
    with closing(_opened(listed)) as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode().strip("\r\n")
            except UnicodeDecodeError:
                text = f"line {number} of list {listed} is not UTF-8; write it in UTF-8"
                raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from None
            if text.strip():
                yield text


def _opened(listed: str) -> IO[bytes]:
    from howdah.storage.local_files import explained

    if listed == "-":
        return sys.stdin.buffer
    if is_url(listed):
        if urlsplit(listed).scheme not in _LISTED_BY:
            raise click.UsageError(f"a list is read from a file or by http, and {listed} is neither; fetch it first")
        try:
            opened: IO[bytes] = urlopen(listed, timeout=_LIST_SECONDS)
        except (URLError, OSError) as error:
            text = f"list {listed} cannot be fetched ({error}); check the address, then retry"
            raise Unavailable(ErrorKind.UNREACHABLE, " ".join(text.split())) from error
        return opened
    with explained(listed):
        return open(listed, "rb")

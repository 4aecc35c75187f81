# SPDX-License-Identifier: Apache-2.0
"""Put a file as many: grouped records become files with a number for a name, while the source is read."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Final

from howdah.client.records import csv_rows, json_values, lines
from howdah.client.sources import file_path, pieces_of
from howdah.client.split import Split
from howdah.client.sql_dump import Section, sections
from howdah.client.values import Transferred
from howdah.client.ways import Buffer, Source, View, Writer
from howdah.errors import ErrorKind, NotFound, Refused
from howdah.model import paths

__all__ = ["first_free", "put_split"]

_READERS: Final[dict[str, Callable[[Iterable[Buffer]], Iterator[bytes]]]] = {
    "line": lines,
    "csv": csv_rows,
    "json": json_values,
}
_NAME: Final = re.compile("[0-9a-f]{16}")
_PAGE: Final = 100
_BIG: Final = 1 << 20


def put_split(writer: Writer, path: str, source: Source, split: Split, first: int | None) -> Transferred:
    """Put the pieces of a source below `path`, numbered from `first` on; for None in place of all that is there."""
    base = file_path(path)
    append = first is not None
    if not append:
        writer.delete(base)
        writer.delete(base + "/")
    done = _Done()

    def small() -> Iterator[tuple[str, bytes]]:
        for number, content in enumerate(_contents(source, split), first or 0):
            name = f"{base}/{number:016x}"
            begin, rest = _begin(content)
            if rest is None:
                done.add(len(begin))
                yield name, begin
            else:
                writer.put(name, done.counted(chain([begin], _blocks(rest))), append)
                done.files += 1

    # What is appended by two at once may get the same numbers: then a piece has the records of both, and none is lost.
    writer.put_all(small(), append)
    return Transferred(done.files, done.bytes)


def first_free(view: Callable[[], View], path: str) -> int:
    """The number after that of the last piece below `path`; 0 if there is none.

    Raises:
        Refused: NOT_A_FILE: the path is a file.
    """
    base = file_path(path)
    try:
        last = list(view().list(base, "", _PAGE, True))
    except NotFound:
        return 0
    if any(info.path == base for info in last):
        text = f"path {base} is a file, and pieces of a file go below a directory; put it without append, or elsewhere"
        raise Refused(ErrorKind.NOT_A_FILE, text)
    names = [name for info in last if _NAME.fullmatch(name := paths.basename(info.path))]
    return int(names[0], 16) + 1 if names else 0


class _Done:
    """What was put."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0

    def add(self, size: int) -> None:
        self.files += 1
        self.bytes += size

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.bytes += len(piece)
            yield piece


def _contents(source: Source, split: Split) -> Iterator[Iterator[bytes]]:
    """The bytes of each piece, which are read before the next is asked for."""
    for header, footer, records in _sections(source, split):
        for record in records:
            yield chain([header], _group(record, records, split), [footer])


def _sections(source: Source, split: Split) -> Iterator[Section]:
    if split.format == "sql":
        yield from sections(source)
        return
    records = _READERS[split.format](pieces_of(source))
    yield b"".join(islice(records, split.header_records)), b"", records


def _group(first: bytes, records: Iterator[bytes], split: Split) -> Iterator[bytes]:
    """The records that go together."""
    yield first
    count, size = 1, len(first)
    while not split.is_full(count, size) and (record := next(records, None)) is not None:
        yield record
        count, size = count + 1, size + len(record)


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _BIG:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _begin(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """The first MiB of a piece, and what comes after it; None if that is all."""
    seen: list[bytes] = []
    size = 0
    for piece in pieces:
        seen.append(piece)
        size += len(piece)
        if size >= _BIG:
            return b"".join(seen), pieces
    return b"".join(seen), None

# SPDX-License-Identifier: Apache-2.0
"""The rows of a dump that `pg_dump` wrote: what lies between `COPY … FROM stdin;` and `\\.`.

All other text (tables before the rows, indexes and constraints after them) goes into every piece, so that each is a
dump that can be loaded by itself: the same, with fewer rows. For this a dump is read twice.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Final, cast

from howdah.client.records import bad_source, lines
from howdah.client.sources import is_local_path, opened_pieces, pieces_of
from howdah.client.ways import Buffer, LocalPath, Source

__all__ = ["Section", "sections"]

Section = tuple[bytes, bytes, Iterator[bytes]]
"""What stands before the records of each piece, what stands behind them, and the records."""

_COPY: Final = (b"COPY ", b" FROM stdin;")
_END: Final = b"\\."
_TEXT_BYTES_MAX: Final = 16 << 20


def sections(source: Source) -> Iterator[Section]:
    """Each table's rows, to be read before the next table is asked for.

    Raises:
        BadRequest: there is no COPY block, one does not end, or there is too much text beside them.
    """
    with ExitStack() as stack:
        again = _repeatable(source, stack)
        texts, copies = _texts(again())
        rows = lines(again())
        for number, copy in enumerate(copies):
            header = b"".join(texts[: number + 1]) + copy
            footer = _END + b"\n" + b"".join(texts[number + 1 :])
            yield header, footer, _rows_of_next(rows)


def _repeatable(source: Source, stack: ExitStack) -> Callable[[], Iterable[Buffer]]:
    """A function that reads the source from its start; what can be read only once is kept on disk meanwhile."""
    if is_local_path(source):
        return lambda: opened_pieces(cast(LocalPath, source))
    if isinstance(source, bytes | bytearray | memoryview):
        return lambda: pieces_of(source)
    kept = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    for piece in pieces_of(source):
        kept.write(piece)
    return lambda: _from_start(kept)


def _from_start(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return cast(Iterator[bytes], pieces_of(file))


def _texts(pieces: Iterable[Buffer]) -> tuple[list[bytes], list[bytes]]:
    """The texts before, between and after the blocks, and the line that opens each block."""
    texts: list[list[bytes]] = [[]]
    copies: list[bytes] = []
    inside, size = False, 0
    for line in lines(pieces):
        if inside:
            inside = line.rstrip(b"\r\n") != _END
        elif _opens(line):
            copies.append(line)
            texts.append([])
            inside = True
        else:
            texts[-1].append(line)
            size += len(line)
            if size > _TEXT_BYTES_MAX:
                text = f"the dump has over {_TEXT_BYTES_MAX >> 20} MiB of text beside its COPY blocks"
                raise bad_source(f"{text}, which would be in every piece; dump without --inserts")
    if not copies:
        raise bad_source("the dump has no COPY block; dump by pg_dump without --inserts, or split it by line")
    if inside:
        raise bad_source(f"the last COPY block of {len(copies)} does not end with \\.; the dump is cut off")
    return [b"".join(text) for text in texts], copies


def _rows_of_next(rows: Iterator[bytes]) -> Iterator[bytes]:
    """The rows of the next block."""
    for line in rows:
        if _opens(line):
            break
    for line in rows:
        if line.rstrip(b"\r\n") == _END:
            return
        yield line


def _opens(line: bytes) -> bool:
    return line.startswith(_COPY[0]) and line.rstrip(b"\r\n").endswith(_COPY[1])

# SPDX-License-Identifier: Apache-2.0
"""Records in a stream of bytes: lines, rows of CSV, values of JSON. One record is held at a time.

A record's bytes are those of the stream, so that the records together are the file again; only a JSON value gets a
line of its own. Where records end depends on the bytes before alone: a longer file begins with the same records.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from howdah.client.ways import Buffer
from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["RECORD_BYTES_MAX", "bad_source", "csv_rows", "json_values", "lines"]

RECORD_BYTES_MAX: Final = 64 << 20
"""A record that is longer is a fault of the file, such as a quote that is never closed."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_JSON: Final = json.JSONDecoder()


def lines(pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """The lines, each with its newline; the last one may have none.

    Raises:
        BadRequest: one is over 64 MiB.
    """
    rest: list[bytes] = []
    waiting = 0
    for piece in pieces:
        data = bytes(piece)
        at = data.rfind(b"\n") + 1
        if not at:
            rest.append(data)
            waiting += len(data)
            if waiting > RECORD_BYTES_MAX:
                raise bad_source(f"a line is over {RECORD_BYTES_MAX >> 20} MiB long; it is no text of lines")
            continue
        whole = b"".join([*rest, data[:at]])
        rest, waiting = [data[at:]], len(data) - at
        for line in whole[:-1].split(b"\n"):
            yield line + b"\n"
    if last := b"".join(rest):
        yield last


def csv_rows(pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """The rows: lines, but for a newline between quotes, which is a part of its field.

    Raises:
        BadRequest: a quote is not closed, or a row is over 64 MiB.
    """
    row: list[bytes] = []
    number = quotes = size = 0
    for line in lines(pieces):
        quotes += line.count(b'"')  # one within a field is written twice, so that it does not count
        row.append(line)
        size += len(line)
        if quotes % 2 == 0:
            yield line if len(row) == 1 else b"".join(row)
            number += 1
            row, quotes, size = [], 0, 0
        elif size > RECORD_BYTES_MAX:
            break
    if row:
        raise bad_source(f'a quote in row {number + 1} of the CSV is not closed; write a quote within a field as ""')


def json_values(pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """The values of a stream of JSON, one after the other with or without space between, each with a newline.

    Raises:
        BadRequest: it is no JSON, or a value is over 64 MiB.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, number, enough = "", 0, 0
    for piece in chain(pieces, (None,)):
        ended = piece is None
        try:
            text += decoder.decode(b"" if piece is None else bytes(piece), ended)
        except UnicodeDecodeError as error:
            raise bad_source(f"after value {number} comes what is not UTF-8; write JSON in UTF-8") from error
        if len(text) < enough and not ended:
            continue
        at, reason = 0, ""
        while (at := _end_of_space(text, at)) < len(text):
            try:
                end = _JSON.raw_decode(text, at)[1]
            except (ValueError, RecursionError) as error:
                reason = one_line(getattr(error, "msg", str(error)))
                break
            if end == len(text) and not ended:
                break  # a number may go on
            yield text[at:end].encode() + b"\n"
            number, at = number + 1, end
        text = text[at:]
        # Looking again only when there is twice as much keeps a long value from being read again and again.
        enough = 2 * len(text)
        if text and (ended or len(text) > RECORD_BYTES_MAX):
            raise bad_source(f"value {number + 1} is not JSON ({reason}); each must be whole and under 64 MiB")


def bad_source(text: str) -> BadRequest:
    """The error for bytes that are not what they should be split as."""
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)


def _end_of_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at

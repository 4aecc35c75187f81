# SPDX-License-Identifier: Apache-2.0
"""How lines of logs are kept: as blocks, and many blocks of a job as a part of an object.

A block is a JSON object on a line of its own: who sent the lines, and each line as
`[microseconds, of user code, datum, message]`, with its level after that unless it is INFO. In a part each block
also has the number that it was given when it came, by which followers go on. A part says which datums it may have
lines of (`datum_filter`), so that nobody reads a million datums for the sake of one.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from blake3 import blake3

from howdah.db.times import from_microseconds, to_microseconds
from howdah.model.logs import LogLevel, level_of
from howdah.model.refs import Pipeline
from howdah.pps.infos import LogLine

__all__ = ["BLOCK_BYTES", "block", "blocks", "datum_filter", "datums_of", "lines_of", "may_have", "numbered"]

BLOCK_BYTES: Final = 256 << 10
"""The text of a block: about as much as a worker sends at once."""

_LINE_BYTES: Final = 100  # what a line costs besides its text

# A Bloom filter: of a hundred datums that a part does not have, it may have about one.
_BITS_PER_DATUM: Final = 10
_PROBES: Final = 5
_FILTER_BYTES_MIN: Final = 8


def blocks(lines: Sequence[LogLine]) -> Iterator[Sequence[LogLine]]:
    """Lines in runs that make a block each."""
    begin = size = 0
    for at, line in enumerate(lines):
        size += len(line.message) + _LINE_BYTES
        if size >= BLOCK_BYTES:
            yield lines[begin : at + 1]
            begin, size = at + 1, 0
    if begin < len(lines):
        yield lines[begin:]


def block(worker: str, lines: Sequence[LogLine]) -> bytes:
    """A block of lines of one job."""
    values = [_values(line) for line in lines]
    text = json.dumps({"worker": worker, "lines": values}, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def numbered(number: int, body: bytes) -> bytes:
    """A block as it stands in a part, on a line of its own."""
    return b'{"id":%d,' % number + body[1:] + b"\n"


def lines_of(
    part: bytes,
    pipeline: Pipeline | None,
    job_id: str,
    wanted: Callable[[str], bool] | None = None,
    *,
    datum: str = "",
    after: int = 0,
    only: int | None = None,
) -> Iterator[tuple[int, int, LogLine]]:
    """The lines of a part, or of a block alone, each with the numbers of its block and of the line in it.

    Only blocks with a number above `after`, or the block `only`, or from workers that are `wanted`. With `datum` blocks
    that do not name it are passed over unread; other datums' lines of its blocks come too.
    """
    needle = json.dumps(datum, ensure_ascii=False)[1:-1].encode("utf-8", "replace")
    for text in part.split(b"\n"):
        if not text or needle not in text:
            continue
        found: dict[str, Any] = json.loads(text)
        number, worker = found.get("id", 0), found["worker"]
        if (number and number <= after) or (only is not None and number != only) or (wanted and not wanted(worker)):
            continue
        for at, (when, user, of, message, *level) in enumerate(found["lines"]):
            grave = LogLevel(level[0]) if level else LogLevel.INFO
            line = LogLine(from_microseconds(when), message, bool(user), of, worker, job_id, grave, pipeline)
            yield number, at, line


def datums_of(body: bytes) -> set[str]:
    """The datums that a block has lines of."""
    return {line[2] for line in json.loads(body)["lines"] if line[2]}


def datum_filter(datums: Collection[str]) -> bytes:
    """What `may_have` needs to tell most other datums from these."""
    bits = max(_FILTER_BYTES_MIN * 8, len(datums) * _BITS_PER_DATUM)
    found = bytearray((bits + 7) // 8)
    for datum in datums:
        for at in _places(datum, len(found) * 8):
            found[at >> 3] |= 1 << (at & 7)
    return bytes(found)


def may_have(found: bytes | None, datum: str) -> bool:
    """Whether a part with this filter may have lines of a datum; yes without a filter."""
    return found is None or all(found[at >> 3] & (1 << (at & 7)) for at in _places(datum, len(found) * 8))


def _places(datum: str, bits: int) -> Iterator[int]:
    digest = blake3(datum.encode()).digest(4 * _PROBES)
    return (int.from_bytes(digest[at : at + 4], "little") % bits for at in range(0, 4 * _PROBES, 4))


def _values(line: LogLine) -> list[Any]:
    level = line.level or level_of(line.message)
    values = [to_microseconds(line.at), line.user, line.datum_id, line.message]
    return values if level is LogLevel.INFO else [*values, int(level)]

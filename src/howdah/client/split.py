# SPDX-License-Identifier: Apache-2.0
"""How a file is split into many: what a record is, how many go together, what stands before each piece.

The work is done in `put_split`, by the readers of `records` and `sql_dump`.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from howdah.errors import BadRequest, ErrorKind

__all__ = ["FORMATS", "Format", "Split"]

Format = Literal["line", "csv", "json", "sql"]
FORMATS: Final[tuple[str, ...]] = get_args(Format)


@dataclass(frozen=True, slots=True)
class Split:
    """What to split by.

    A record is a `line`, a row of `csv` (whose quoted fields may have lines of their own), a value of a stream of
    `json`, or a row of a COPY block in a dump of Postgres (`sql`). A piece ends when it has `target_records`, or
    `target_bytes` of them; without either each record is a piece. The first `header_records` are no records of their
    own but stand at the beginning of each piece; a dump's header is what is in it beside its rows.

    Raises:
        BadRequest: BAD_ARGUMENT: an unknown format, a negative number, or header records of a dump.
    """

    format: Format
    header_records: int = 0
    target_records: int = 0
    target_bytes: int = 0

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise _bad(f"files cannot be split by {self.format!r}; use one of {', '.join(FORMATS)}")
        if min(self.header_records, self.target_records, self.target_bytes) < 0:
            raise _bad("numbers of records and bytes to split by must not be negative; leave out what does not matter")
        if self.format == "sql" and self.header_records:
            raise _bad("the header of a dump is found by itself; leave out the number of header records")

    def is_full(self, records: int, size: int) -> bool:
        """Whether a piece of so many records and bytes is at its end."""
        if not self.target_records and not self.target_bytes:
            return True
        return 0 < self.target_records <= records or 0 < self.target_bytes <= size


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)

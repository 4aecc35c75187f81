# SPDX-License-Identifier: Apache-2.0
"""Regular expressions that lines of logs are searched for, in time that grows with the lines alone.

They come from whoever reads logs, so none may hold the server up, as an expression of Python's own engine can that goes
back and forth over one line for ever. RE2 does not (Arrow brings it), and is what the protocol's clients expect: back
references and looking around are not of its language. Many lines are searched by one call.

What RE2 takes for a character grows with the expression when all its counted repetitions are written out: at worst, as
large as is allowed here, it searches some tens of KiB a second, with Python's lock released.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["LinePattern", "line_pattern"]

_CHARS_MAX: Final = 2_000
_WRITTEN_OUT_MAX: Final = 10_000
_ONE: Final = 4  # as long as this is what is repeated, if it is no group
_COUNT: Final = re.compile(r"(\))?\{([0-9]+)(?:,([0-9]*))?\}")


@dataclass(frozen=True, slots=True)
class LinePattern:
    """A regular expression that is one."""

    text: str

    def matches(self, texts: Sequence[str]) -> list[bool]:
        """Of each text, whether the expression matches somewhere in it."""
        try:
            searched = pa.array(texts, pa.string())
        except UnicodeError:  # names of files that are no text
            searched = pa.array([each.encode(errors="replace").decode() for each in texts], pa.string())
        found: list[bool] = pc.match_substring_regex(searched, self.text).to_pylist()
        return found


def line_pattern(text: str) -> LinePattern | None:
    """The regular expression that lines are searched for; None for no text.

    Raises:
        BadRequest: BAD_ARGUMENT: it is none, or too long, or needs too much memory.
    """
    if not text:
        return None
    if len(text) > _CHARS_MAX:
        reason = f"it has {len(text)} characters, and at most {_CHARS_MAX} are looked for"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"regular expression is too long: {reason}; search for less")
    if _written_out(text) > _WRITTEN_OUT_MAX:
        reason = "with all its {repetitions} written out it is too large"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"regular expression ({one_line(text)}) {reason}; repeat less")
    pattern = LinePattern(text)
    try:
        pattern.matches([""])
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"regular expression ({one_line(text)}) invalid: {one_line(str(error))}; write it as RE2 does",
        ) from error
    return pattern


def _written_out(text: str) -> int:
    """About how long an expression is without `{n}`; too much rather than too little. Those of groups may be nested."""
    groups, single = 1, 0
    for group, least, most in _COUNT.findall(text):
        count = max(1, *(int(each) for each in (least, most) if each))
        groups, single = (groups * count, single) if group else (groups, single + count)
    return groups * (len(text) + single * _ONE)

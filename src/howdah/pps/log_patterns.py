# SPDX-License-Identifier: Apache-2.0
"""Regular expressions that lines of logs are searched for, in time that grows with the lines alone.

They come from whoever reads logs, so none may hold the server up, as an expression of Python's own engine can that goes
back and forth over one line for ever. RE2 does not (Arrow brings it), and is what the protocol's clients expect: back
references and looking around are not of its language. Many lines are searched by one call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["LinePattern", "line_pattern"]

_CHARS_MAX: Final = 2_000


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
    pattern = LinePattern(text)
    try:
        pattern.matches([""])
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"regular expression ({one_line(text)}) invalid: {one_line(str(error))}; write it as RE2 does",
        ) from error
    return pattern

# SPDX-License-Identifier: Apache-2.0
"""Which files of a local folder are left out: patterns as in a .gitignore at its top."""

from collections.abc import Sequence

import pathspec

from howdah.client.ways import Excluded
from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["excluded"]


def excluded(patterns: Sequence[str]) -> Excluded:
    """A test of paths below the folder; the last pattern that matches decides, and `!` before it takes back.

    Raises:
        BadRequest: BAD_PATTERN.
    """
    try:
        spec = pathspec.GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        text = f"pattern of what is left out cannot be understood ({one_line(str(error))}); write it as in a .gitignore"
        raise BadRequest(ErrorKind.BAD_PATTERN, text) from error
    return spec.match_file

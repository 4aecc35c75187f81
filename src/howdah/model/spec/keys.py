# SPDX-License-Identifier: Apache-2.0
"""The key of one path by which joins and groups put files together: a template over what a pattern captured.

A pattern without groups captures nothing: what a template refers to is empty there, and no error, since specs that
say so exist; they are warned about (`pps.input_warnings`). Keys of whole columns are in `pps.input_keys`.
"""

import re
from functools import lru_cache
from typing import Final

from howdah.model.globs import Glob

__all__ = ["key_of", "refers", "without_groups"]

_REFERENCE: Final = re.compile(r"\$(\$|[0-9]{1,4}|\{[0-9]{1,4}\})")


def refers(text: str) -> bool:
    """Whether a template refers to a group of its pattern."""
    return any(found[1] != "$" for found in _REFERENCE.finditer(text))


def without_groups(text: str) -> str:
    """What a template says where there are no groups."""
    return _REFERENCE.sub(lambda found: "$" if found[1] == "$" else "", text)


def key_of(path: str, glob: str, text: str) -> str | None:
    """The key of a path; None if the pattern does not match it. A directory's path may end with a slash.

    Raises:
        BadRequest: BAD_PATTERN: the pattern is none, or the template refers to a group that it has not.
    """
    pattern = _parsed(glob)
    captured = pattern.captures(path.rstrip("/") or "/")
    if captured is None:
        return None
    return pattern.template(text).filled(captured) if pattern.groups else without_groups(text)


@lru_cache(maxsize=64)
def _parsed(glob: str) -> Glob:
    return Glob.parse(glob)

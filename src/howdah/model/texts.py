# SPDX-License-Identifier: Apache-2.0
"""How texts stand in messages: a caller's own on one line and never at full length, a warning among others."""

from typing import Final

__all__ = ["WARNING", "one_line", "printable"]

WARNING: Final = "warning: "
"""What a warning begins with where it stands among other texts: in logs, and as a pipeline's reason."""

_SHOWN_MAX = 200  # characters; a message must stay readable when somebody sends a megabyte as a name


def one_line(text: str) -> str:
    """`text` with whatever does not print escaped, cut after 200 characters."""
    return printable(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")


def printable(text: str) -> str:
    """`text` with whatever does not print escaped, so that it is one line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)

# SPDX-License-Identifier: Apache-2.0
"""How a caller's own text is shown inside a message: on one line, and never at full length."""

__all__ = ["one_line", "printable"]

_SHOWN_MAX = 200  # characters; a message must stay readable when somebody sends a megabyte as a name


def one_line(text: str) -> str:
    """`text` with whatever does not print escaped, cut after 200 characters."""
    return printable(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")


def printable(text: str) -> str:
    """`text` with whatever does not print escaped, so that it is one line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)

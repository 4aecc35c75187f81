# SPDX-License-Identifier: Apache-2.0
"""The regular expression of a pattern, for matchers of whole columns (RE2).

Groups of the pattern are its groups, unless it is not exact:
RE2 cannot say what `!( )` says. There the expression takes any text without a slash: it lets through all that
matches, and `glob_machine` has to look at what it let through (`is_exact`).
"""

from collections.abc import Iterable, Sequence
from itertools import count, pairwise
from typing import Final

from howdah.model.glob_syntax import Choice, Class, Literal, Node, Not, Ranges, Repeat, Star

__all__ = ["is_exact", "regex_of"]

_SPECIAL: Final = frozenset("\\.+*?()|[]{}^$-&~#")  # in Python, in RE2, or in a class of either
_SURROGATES: Final = (0xD800, 0xDFFF)  # code points that UTF-8, and so RE2, does not have
_LAST: Final = 0x10FFFF


def is_exact(nodes: Sequence[Node]) -> bool:
    """Whether the expression of these nodes matches nothing but what they match."""
    return not any(
        isinstance(node, Not) or (isinstance(node, Choice | Repeat) and not all(map(is_exact, node.options)))
        for node in nodes
    )


def regex_of(nodes: tuple[Node, ...], *, named: bool = False) -> str:
    """The expression, anchored; with `named` its groups have the names g1, g2 and so on. For paths below the root."""
    renderer = _Renderer(named)
    # No path ends in a slash, so what stands alone below the root is never empty there; only the root
    # itself would match `^/[^/]*$`.
    if len(nodes) == 2 and nodes[0] == Literal("/"):
        return f"^/{renderer.node(nodes[1], '+')}$"
    return f"^{renderer.all(nodes)}$"


class _Renderer:
    def __init__(self, named: bool) -> None:
        self._named = named
        self._numbers = count(1)

    def all(self, nodes: tuple[Node, ...]) -> str:
        return "".join([self.node(node, "*") for node in nodes])

    def node(self, node: Node, many: str) -> str:
        """The expression of one node; `many` is `+` where it must not be empty."""
        match node:
            case Literal(text):
                return "".join(map(_character, text))
            case Class(ranges):
                return _class(ranges)
            case Star():
                return f"[^/]{many}"
            case Choice(options, captures):
                return f"({self._group() if captures else '?:'}{self._options(options, many)})"
            case Repeat(options, least, once):
                group = self._group()
                body = f"(?:{self._options(options, many)})"
                return f"({group}{body}{_times(least, once, many)})"
            case Not():
                return f"({self._group()}[^/]{many})"
            case _:
                return f"(?s:.{many})"

    def _options(self, options: tuple[tuple[Node, ...], ...], many: str) -> str:
        kept = [option for option in options if option or many == "*"]
        return "|".join([self.node(each[0], many) if len(each) == 1 else self.all(each) for each in kept])

    def _group(self) -> str:
        number = next(self._numbers)
        return f"?P<g{number}>" if self._named else ""


def _times(least: int, once: bool, many: str) -> str:
    if once:
        return "?" if many == "*" else ""
    return "+" if least else many


def _class(ranges: Ranges) -> str:
    gaps = [(a[1] + 1, b[0] - 1) for a, b in pairwise(ranges)]
    gaps = [gap for gap in gaps if gap != _SURROGATES]
    if (
        ranges[0][0] == 0
        and ranges[-1][1] == _LAST
        and not any(first <= 0xDFFF and last >= 0xD800 for first, last in gaps)
    ):
        return f"[^{_ranges(gaps)}]"
    return f"[{_ranges(ranges)}]"


def _ranges(ranges: Iterable[tuple[int, int]]) -> str:
    return "".join(
        _character(chr(first)) if first == last else f"{_character(chr(first))}-{_character(chr(last))}"
        for first, last in ranges
    )


def _character(c: str) -> str:
    if c in _SPECIAL:
        return "\\" + c
    return c if c.isprintable() or ord(c) >= 0x80 else f"\\x{ord(c):02x}"

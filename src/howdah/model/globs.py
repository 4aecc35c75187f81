# SPDX-License-Identifier: Apache-2.0
"""Patterns of paths: `Glob.parse("/images/*.png")`.

`*` is any text within a component, `**` any text across components (so `/**/b` is not `/b`: both slashes
must be there), `?` one character, `[a-c]` and `[!a]` (or `[^a]`) one of a class, `{a,b}` one of several,
`( )` a group whose match can be referred to; `\\` takes the special meaning from the next character. A
directory is matched without a slash at its end, and only the pattern `/` matches the root.

Where a call takes a path or a pattern, an entry of exactly that path wins; looking for it comes first
and is the caller's work. The reader is in `model.glob_syntax`, the matcher in `model.glob_machine`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Self

from howdah.model.glob_machine import Machine
from howdah.model.glob_syntax import Choice, Class, Literal, Node, Ranges, Star, clean_pattern, parse_nodes

__all__ = ["Glob", "escape"]

_SPECIAL: Final = frozenset("\\*?[]{}()+@!")
_REGEX_SPECIAL: Final = frozenset("\\.+*?()|[]{}^$-&~#")  # in Python, in RE2, or in a class of either
_SURROGATES: Final = (0xD800, 0xDFFF)  # code points that UTF-8, and so RE2, does not have
_LAST: Final = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern, understood. Two of equal `pattern` are equal."""

    pattern: str  # clean: starts with `/` and does not end with it
    literal: str | None = field(compare=False)  # the one path that it matches, when it has nothing special
    prefix: str = field(compare=False)  # every match starts with this text; may end within a component
    depth: int | None = field(compare=False)  # components of every match; None when matches differ in it

    # For RE2 (Arrow): anchored, and linear there. Also good for `re`, which may take very long with a
    # pattern made to do so: use `matches` in Python. It is for paths below the root.
    regex: str = field(compare=False)
    _machine: Machine | None = field(compare=False, repr=False)

    @classmethod
    def parse(cls, pattern: str) -> Self:
        """Understand a pattern; the empty one is the root.

        Raises:
            BadRequest: BAD_PATTERN, with what is wrong and where.
        """
        cleaned = clean_pattern(pattern)
        nodes = parse_nodes(cleaned)
        prefix = nodes[0].text if isinstance(nodes[0], Literal) else ""
        literal = prefix if len(nodes) == 1 else None
        return cls(
            pattern=cleaned,
            literal=literal,
            prefix=prefix,
            depth=0 if literal == "/" else _slashes(nodes),
            regex=_regex(nodes),
            _machine=None if literal is not None else Machine(nodes),
        )

    def matches(self, path: str) -> bool:
        """Whether a clean path matches. Takes time in proportion to the path, for every pattern."""
        if self._machine is None:
            return path == self.literal
        return path != "/" and path.startswith(self.prefix) and self._machine.accepts(path)


def escape(path: str) -> str:
    """The pattern that matches exactly this path."""
    return "".join("\\" + c if c in _SPECIAL else c for c in path)


def _slashes(nodes: tuple[Node, ...]) -> int | None:
    total = 0
    for node in nodes:
        match node:
            case Literal(text):
                total += text.count("/")
            case Class() | Star():
                pass
            case Choice(options):
                counts = {_slashes(option) for option in options}
                if len(counts) != 1 or (count := counts.pop()) is None:
                    return None
                total += count
            case _:
                return None
    return total


def _regex(nodes: tuple[Node, ...]) -> str:
    # No path ends in a slash, so what stands alone below the root is never empty there; only the root
    # itself would match `^/[^/]*$`.
    if len(nodes) == 2 and nodes[0] == Literal("/"):
        return f"^/{_render(nodes[1], '+')}$"
    return f"^{_render_all(nodes)}$"


def _render_all(nodes: tuple[Node, ...]) -> str:
    return "".join(_render(node, "*") for node in nodes)


def _render(node: Node, many: str) -> str:
    match node:
        case Literal(text):
            return "".join(map(_character, text))
        case Class(ranges):
            return _render_class(ranges)
        case Star():
            return f"[^/]{many}"
        case Choice(options, captures):
            kept = [option for option in options if option or many == "*"]
            parts = [_render(option[0], many) if len(option) == 1 else _render_all(option) for option in kept]
            return f"({'' if captures else '?:'}{'|'.join(parts)})"
        case _:
            return f"(?s:.{many})"


def _render_class(ranges: Ranges) -> str:
    gaps = [(a[1] + 1, b[0] - 1) for a, b in pairwise(ranges)]
    gaps = [gap for gap in gaps if gap != _SURROGATES]
    if (
        ranges[0][0] == 0
        and ranges[-1][1] == _LAST
        and not any(first <= 0xDFFF and last >= 0xD800 for first, last in gaps)
    ):
        return f"[^{_render_ranges(gaps)}]"
    return f"[{_render_ranges(ranges)}]"


def _render_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    return "".join(
        _character(chr(first)) if first == last else f"{_character(chr(first))}-{_character(chr(last))}"
        for first, last in ranges
    )


def _character(c: str) -> str:
    if c in _REGEX_SPECIAL:
        return "\\" + c
    return c if c.isprintable() or ord(c) >= 0x80 else f"\\x{ord(c):02x}"

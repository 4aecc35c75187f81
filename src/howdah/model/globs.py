# SPDX-License-Identifier: Apache-2.0
"""Patterns of paths: `Glob.parse("/images/*.png")`.

`*` is any text within a component, `**` any text across components (so `/**/b` is not `/b`: both slashes
must be there), `?` one character, `[a-c]` and `[!a]` (or `[^a]`) one of a class, `[[:digit:]]` a named class,
`{a,b}` one of several. `(a|b)` and `@(a|b)` are one of several too, `?(a|b)` that or nothing, `+(a|b)` one or more
in a row, `*(a|b)` any number, `!(a|b)` any text within a component that is none of them; what such a group matched
can be referred to (`captures`). `\\` takes the special meaning from the next character. A directory is matched
without a slash at its end, and only the pattern `/` matches the root.

Where a call takes a path or a pattern, an entry of exactly that path wins; looking for it comes first
and is the caller's work. The reader is in `model.glob_syntax`, the matcher in `model.glob_machine`, what groups
matched in `model.glob_captures`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from howdah.model.glob_captures import Captures, Template, groups_in
from howdah.model.glob_machine import Machine
from howdah.model.glob_regex import is_exact, regex_of
from howdah.model.glob_syntax import Choice, Class, Literal, Node, Not, Repeat, Star, clean_pattern, parse_nodes

__all__ = ["Glob", "escape"]

_SPECIAL: Final = frozenset("\\*?[]{}()+@!")


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern, understood. Two of equal `pattern` are equal."""

    pattern: str  # clean: starts with `/` and does not end with it
    literal: str | None = field(compare=False)  # the one path that it matches, when it has nothing special
    prefix: str = field(compare=False)  # every match starts with this text; may end within a component
    depth: int | None = field(compare=False)  # components of every match; None when matches differ in it

    is_flat: bool = field(compare=False)  # no group and no `**` has a slash: the pattern can be cut at its slashes
    groups: int = field(compare=False)  # of parentheses; see `captures`

    # For RE2 (Arrow): anchored, and linear there. Also good for `re`, which may take very long with a
    # pattern made to do so: use `matches` in Python. It is for paths below the root. Unless `regex_is_exact`,
    # it lets through what does not match, too, and `matches` has the last word.
    regex: str = field(compare=False)
    regex_is_exact: bool = field(compare=False)
    _nodes: tuple[Node, ...] = field(compare=False, repr=False)
    _captures: Captures | None = field(compare=False, repr=False)
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
            is_flat=_slashes(nodes) is not None and cleaned.count("/") == _own_slashes(nodes),
            groups=groups_in(nodes),
            regex=regex_of(nodes),
            regex_is_exact=is_exact(nodes),
            _nodes=nodes,
            _captures=Captures(nodes) if groups_in(nodes) else None,
            _machine=None if literal is not None else Machine(nodes),
        )

    def matches(self, path: str) -> bool:
        """Whether a clean path matches. Takes time in proportion to the path, for every pattern."""
        if self._machine is None:
            return path == self.literal
        return path != "/" and path.startswith(self.prefix) and self._machine.accepts(path)

    def captures(self, path: str) -> tuple[str, ...] | None:
        """What each group matched in a clean path, in the order of their opening parentheses; None: no match.

        A group that took no part gives the empty text, one that matched repeatedly all of it. Where there is a choice,
        a star takes as much as it can, and an earlier alternative comes first.
        """
        if not self.matches(path):
            return None
        return () if self._captures is None else self._captures.of(path)

    def named_regex(self) -> str:
        """As `regex`, with the groups named g1, g2 and so on."""
        return regex_of(self._nodes, named=True)

    def template(self, text: str) -> Template:
        """A text that refers to groups of this pattern as `$1` or `${1}`; `$$` is a dollar sign.

        Raises:
            BadRequest: BAD_PATTERN: there is no such group.
        """
        return Template(text, self.groups)


def escape(path: str) -> str:
    """The pattern that matches exactly this path."""
    return "".join("\\" + c if c in _SPECIAL else c for c in path)


def _own_slashes(nodes: tuple[Node, ...]) -> int:
    """How many slashes stand outside of all groups."""
    return sum(node.text.count("/") for node in nodes if isinstance(node, Literal))


def _slashes(nodes: tuple[Node, ...]) -> int | None:
    """How many slashes every match has; None if matches differ in it."""
    total = 0
    for node in nodes:
        match node:
            case Literal(text):
                total += text.count("/")
            case Class() | Star() | Not():
                pass
            case Choice(options):
                if (count := _common(options)) is None:
                    return None
                total += count
            case Repeat(options) if _common(options) == 0:
                pass
            case _:
                return None
    return total


def _common(options: Iterable[tuple[Node, ...]]) -> int | None:
    counts = {_slashes(option) for option in options}
    return counts.pop() if len(counts) == 1 else None

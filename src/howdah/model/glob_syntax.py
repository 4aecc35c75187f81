# SPDX-License-Identifier: Apache-2.0
"""Read the text of a pattern into a tree of nodes; `model.globs` makes a matcher of it.

    pattern  = node*
    node     = "*" | "**" | "?" | class | "{" pattern ("," pattern)* "}" | operator? "(" pattern ("|" pattern)* ")"
             | "\\" character | character
    operator = "?" | "*" | "+" | "@" | "!"

Parentheses group and capture, each what it matched in all, whatever its operator. An operator is one only right before
a parenthesis; elsewhere `+`, `@` and `!` are themselves.
"""

import re
from dataclasses import dataclass
from typing import Final

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = [
    "Choice",
    "Class",
    "Literal",
    "Node",
    "Not",
    "Ranges",
    "Repeat",
    "Star",
    "Stars",
    "clean_pattern",
    "parse_nodes",
]

Ranges = tuple[tuple[int, int], ...]  # code points, first and last of each range, ascending and apart

_PATTERN_MAX: Final = 16_000  # characters; four of the longest paths
_NESTING_MAX: Final = 50  # the parser calls itself
_SLASH: Final = ord("/")
_LAST: Final = 0x10FFFF
_CLASS_OPENERS: Final = ("[.", "[=")
_OPERATORS: Final = "?*+@!"
_NAMED: Final = re.compile(r"\[:([a-z]*):\]")
# The classes of POSIX, as they are for ASCII.
_NAMED_CLASSES: Final = {
    "alnum": ("09", "AZ", "az"),
    "alpha": ("AZ", "az"),
    "ascii": ("\x00\x7f",),
    "blank": ("\t\t", "  "),
    "cntrl": ("\x00\x1f", "\x7f\x7f"),
    "digit": ("09",),
    "graph": ("!~",),
    "lower": ("az",),
    "print": (" ~",),
    "punct": ("!/", ":@", "[`", "{~"),
    "space": ("\t\r", "  "),
    "upper": ("AZ",),
    "word": ("09", "AZ", "__", "az"),
    "xdigit": ("09", "AF", "af"),
}
_DOTS: Final = re.compile(r"/(\.{1,2})(?=/|$)")


@dataclass(frozen=True, slots=True)
class Literal:
    """Exactly this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Class:
    """One character of these ranges; they never hold the slash."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Star:
    """Any text without a slash."""


@dataclass(frozen=True, slots=True)
class Stars:
    """Any text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several patterns; what it matched is captured where parentheses made it."""

    options: "tuple[tuple[Node, ...], ...]"
    captures: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """One of several patterns, at least `least` times; at most once, or as often as there is room. It is captured."""

    options: "tuple[tuple[Node, ...], ...]"
    least: int
    once: bool


@dataclass(frozen=True, slots=True)
class Not:
    """Any text without a slash that none of several patterns matches as a whole. It is captured."""

    options: "tuple[tuple[Node, ...], ...]"


Node = Literal | Class | Star | Stars | Choice | Repeat | Not


def clean_pattern(text: str) -> str:
    """The pattern with one leading slash, none doubled or escaped, none at its end; `/` for the empty one."""
    out = ["/"]
    rest = iter(text)
    for c in rest:
        token = c + next(rest, "") if c == "\\" else c
        if token not in ("/", "\\/"):
            out.append(token)
        elif out[-1] != "/":
            out.append("/")
    if len(out) > 1 and out[-1] == "/":
        out.pop()
    return "".join(out)


def parse_nodes(pattern: str) -> tuple[Node, ...]:
    """The nodes of a clean pattern.

    Raises:
        BadRequest: BAD_PATTERN, with what is wrong and where.
    """
    return _Parser(pattern).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._nesting = 0

    def parse(self) -> tuple[Node, ...]:
        if len(self._text) > _PATTERN_MAX:
            raise self._bad(f"it has {len(self._text)} characters; use at most {_PATTERN_MAX}")
        for at, c in enumerate(self._text):
            if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000:
                raise self._bad(f"U+{ord(c):04X} is in no path; leave it out", at)
        if (dots := _DOTS.search(self._text)) is not None:
            raise self._bad(f"no path has the component {dots[1]}; leave it out", dots.start(1))
        return self._sequence("")

    def _sequence(self, ends: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in ends:
            for node in self._next():
                if nodes and isinstance(node, Literal) and isinstance(last := nodes[-1], Literal):
                    nodes[-1] = Literal(last.text + node.text)
                else:
                    nodes.append(node)
        return tuple(nodes)

    def _next(self) -> tuple[Node, ...]:
        start, c = self._at, self._text[self._at]
        if c in _OPERATORS and self._text[start + 1 : start + 2] == "(":
            self._at += 2
            return (_extended(c, self._options(start + 1, "|", ")")),)
        self._at += 1
        match c:
            case "\\":
                return (Literal(self._escaped(start)),)
            case "*":
                return (self._star(),)
            case "?":
                return (Class(_complement(())),)
            case "[":
                return (self._class(start),)
            case "{":
                options = self._options(start, ",", "}")
                return options[0] if len(options) == 1 else (Choice(options, captures=False),)
            case "(":
                return (Choice(self._options(start, "|", ")"), captures=True),)
            case "]" | "}" | ")":
                raise self._bad(f"{c} closes nothing; write \\{c} for the character itself", start)
            case _:
                return (Literal(c),)

    def _escaped(self, start: int) -> str:
        if self._at == len(self._text):
            raise self._bad("\\ stands at the end; write \\\\ for the character itself", start)
        self._at += 1
        return self._text[self._at - 1]

    def _star(self) -> Node:
        start = self._at
        while self._text[self._at : self._at + 1] == "*" and self._text[self._at + 1 : self._at + 2] != "(":
            self._at += 1
        return Stars() if self._at > start else Star()

    def _options(self, start: int, separator: str, end: str) -> tuple[tuple[Node, ...], ...]:
        """What stands between `start` and its closing character, which is read too."""
        self._nesting += 1
        if self._nesting > _NESTING_MAX:
            raise self._bad(f"it nests deeper than {_NESTING_MAX}; write it as several patterns", start)
        options = [self._sequence(separator + end)]
        while self._text[self._at : self._at + 1] == separator:
            self._at += 1
            options.append(self._sequence(separator + end))
        if self._at == len(self._text):
            opener = self._text[start]
            raise self._bad(f"{opener} is not closed; add {end}, or write \\{opener} for the character itself", start)
        self._at += 1
        self._nesting -= 1
        if options == [()]:
            raise self._bad(f"nothing is between {self._text[start]} and {end}; name what may stand there", start)
        return tuple(dict.fromkeys(options))

    def _class(self, start: int) -> Class:
        negated = self._text[self._at : self._at + 1] in ("!", "^")
        self._at += negated
        ranges: list[tuple[int, int]] = []
        while not ranges or self._text[self._at : self._at + 1] != "]":
            if self._text[self._at : self._at + 2] in _CLASS_OPENERS:
                raise self._bad("collating elements are not supported; write the characters, such as [a-z]", self._at)
            if (named := _NAMED.match(self._text, self._at)) is not None:
                ranges += self._named(named)
                continue
            first_at = self._at
            first = last = self._member(start)
            if self._text[self._at : self._at + 1] == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                last = self._member(start)
            if last < first:
                raise self._bad("the range runs backwards; write its smaller end first", first_at)
            ranges.append((first, last))
        self._at += 1
        return Class(_complement(tuple(ranges)) if negated else _without_slash(ranges))

    def _named(self, named: re.Match[str]) -> list[tuple[int, int]]:
        if (found := _NAMED_CLASSES.get(named[1])) is None:
            names = ", ".join(_NAMED_CLASSES)
            raise self._bad(f"the class {named[0]} is unknown; use one of {names}", named.start())
        self._at = named.end()
        return [(ord(each[0]), ord(each[1])) for each in found]

    def _member(self, start: int) -> int:
        if self._at == len(self._text):
            raise self._bad("[ is not closed; add ], or write \\[ for the character itself", start)
        at, c = self._at, self._text[self._at]
        self._at += 1
        if c == "\\":
            c = self._escaped(at)
        if c == "/":
            raise self._bad("no class matches a slash; write / outside of it", at)
        return ord(c)

    def _bad(self, why: str, at: int | None = None) -> BadRequest:
        what, semicolon, way_out = why.partition(";")
        where = "" if at is None else f" (character {at + 1})"
        return BadRequest(
            ErrorKind.BAD_PATTERN, f"pattern ({one_line(self._text)}) invalid: {what}{where}{semicolon}{way_out}"
        )


def _extended(operator: str, options: tuple[tuple[Node, ...], ...]) -> Node:
    match operator:
        case "@":
            return Choice(options, captures=True)
        case "!":
            return Not(options)
        case _:
            return Repeat(options, least=int(operator == "+"), once=operator == "?")


def _complement(ranges: Ranges) -> Ranges:
    """All characters but these and the slash; surrogates are no characters."""
    out, after = [], 0
    for first, last in sorted((*ranges, (_SLASH, _SLASH), (0xD800, 0xDFFF))):
        if after < first:
            out.append((after, first - 1))
        after = max(after, last + 1)
    if after <= _LAST:
        out.append((after, _LAST))
    return tuple(out)


def _without_slash(ranges: list[tuple[int, int]]) -> Ranges:
    return _complement(_complement(tuple(ranges)))

# SPDX-License-Identifier: Apache-2.0
"""What the groups of a pattern matched, and texts made of it: `$1` is the first group's.

The same automaton as in `glob_machine`, walked by threads in order of preference, each with the places of its groups,
as in a virtual machine of Pike's. It takes time in proportion to path times pattern, whatever the pattern;
a star takes as much as it can, an earlier alternative comes first. Many paths at once: `storage.glob_columns`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from howdah.errors import BadRequest, ErrorKind
from howdah.model.glob_machine import Machine, States
from howdah.model.glob_syntax import Choice, Class, Literal, Node, Not, Ranges, Repeat, Star
from howdah.model.texts import one_line

__all__ = ["Captures", "Template", "groups_in"]

_ANY: Final[Ranges] = ((0, 0x10FFFF),)
_NOT_SLASH: Final[Ranges] = ((0, ord("/") - 1), (ord("/") + 1, 0x10FFFF))
_DONE: Final = 0
_REFERENCE: Final = re.compile(r"\$(?:(\$)|([0-9]{1,4})|\{([0-9]{1,4})\})")

_Places: TypeAlias = tuple[int, ...]
"""Begin and end of each group in the path; -1 while unknown."""
_Threads: TypeAlias = "dict[tuple[int, States | None], _Places]"
"""Where threads are, in order of preference; the second part is where the automaton inside a `!( )` is."""


def groups_in(nodes: Sequence[Node]) -> int:
    """How many groups there are in a pattern."""
    total = 0
    for node in nodes:
        if isinstance(node, Choice | Repeat | Not):
            total += not isinstance(node, Choice) or node.captures
            total += sum(map(groups_in, node.options))
    return total


class Captures:
    """Finds what the groups of one pattern matched. Any number of threads may use it at once."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        # Of each state: where it goes for nothing, the first being preferred; where for one character of these ranges;
        # and which place it notes.
        self._free: list[tuple[int, ...]] = [()]
        self._tests: list[Ranges] = [()]
        self._targets: list[int] = [_DONE]
        self._notes: dict[int, int] = {}
        self._inner: dict[int, Machine] = {}
        self.groups: Final = groups_in(nodes)
        self._start = self._sequence(nodes, _DONE, 0)

    def of(self, path: str) -> tuple[str, ...] | None:
        """The text of each group, counted from the left by its opening; empty if it took no part. None: no match."""
        threads: _Threads = {}
        self._follow(threads, self._start, None, (-1,) * (2 * self.groups), 0)
        for at, c in enumerate(path):
            before, threads = threads, {}
            point = ord(c)
            for (state, inner), places in before.items():
                if inner is not None:
                    if c != "/":
                        self._follow(threads, state, self._inner[state].step(inner, c), places, at + 1)
                elif any(low <= point <= high for low, high in self._tests[state]):
                    self._follow(threads, self._targets[state], None, places, at + 1)
            if not threads:
                return None
        places = threads.get((_DONE, None), ())
        if (_DONE, None) not in threads:
            return None
        return tuple(path[places[n] : places[n + 1]] if places[n + 1] >= 0 else "" for n in range(0, len(places), 2))

    def _follow(self, threads: _Threads, state: int, inner: States | None, places: _Places, at: int) -> None:
        """Add a thread and all that it leads to for nothing; a place that a preferred thread holds is taken."""
        todo = [(state, inner, places)]
        while todo:
            state, inner, places = todo.pop()
            if state in self._inner and inner is None:
                inner = self._inner[state].start
            if (state, inner) in threads:
                continue
            threads[state, inner] = places
            if inner is not None and self._inner[state].is_done(inner):
                continue
            if (note := self._notes.get(state)) is not None:
                places = (*places[:note], at, *places[note + 1 :])
            todo += [(follower, None, places) for follower in reversed(self._free[state])]

    def _sequence(self, nodes: tuple[Node, ...], after: int, group: int) -> int:
        """The state that begins a sequence; `group` is the number of its first group."""
        firsts = [group]
        for node in nodes:
            firsts.append(firsts[-1] + groups_in((node,)))
        for node, first in reversed(list(zip(nodes, firsts, strict=False))):
            after = self._node(node, after, first)
        return after

    def _node(self, node: Node, after: int, group: int) -> int:
        match node:
            case Literal(text):
                for c in reversed(text):
                    after = self._state((), ((ord(c), ord(c)),), after)
                return after
            case Class(ranges):
                return self._state((), ranges, after)
            case Choice(options, captures):
                if not captures:
                    return self._state(tuple(self._each(options, after, group)))
                end = self._note(2 * group + 1, after)
                return self._note(2 * group, self._state(tuple(self._each(options, end, group + 1))))
            case Repeat():
                return self._note(2 * group, self._repeat(node, self._note(2 * group + 1, after), group + 1))
            case Not(options):
                state = self._state((self._note(2 * group + 1, after),))
                self._inner[state] = Machine((Choice(options, captures=False),))
                return self._note(2 * group, state)
            case _:
                return self._state((after,), _NOT_SLASH if isinstance(node, Star) else _ANY, len(self._free))

    def _repeat(self, node: Repeat, after: int, group: int) -> int:
        if node.once:
            return self._state((*self._each(node.options, after, group), after))
        again = self._state(())
        begin = tuple(self._each(node.options, again, group))
        self._free[again] = (*begin, after)
        return self._state(begin) if node.least else again

    def _each(self, options: tuple[tuple[Node, ...], ...], after: int, group: int) -> Iterator[int]:
        for option in options:
            yield self._sequence(option, after, group)
            group += groups_in(option)

    def _note(self, place: int, after: int) -> int:
        state = self._state((after,))
        self._notes[state] = place
        return state

    def _state(self, free: tuple[int, ...], test: Ranges = (), target: int = _DONE) -> int:
        self._free.append(free)
        self._tests.append(test)
        self._targets.append(target)
        return len(self._free) - 1


class Template:
    """A text with references to groups: `$1`, `${1}`; `$$` is a dollar sign."""

    def __init__(self, text: str, groups: int) -> None:
        """Understand a template for patterns with so many groups.

        Raises:
            BadRequest: BAD_PATTERN: it refers to a group that is not there.
        """
        # Texts, and numbers of groups counted from 0.
        self.parts: list[str | int] = []
        end = 0
        for found in _REFERENCE.finditer(text):
            self.parts.append(text[end : found.start()] + ("$" if found[1] else ""))
            end = found.end()
            if not found[1]:
                number = int(found[2] or found[3])
                if not 1 <= number <= groups:
                    there = f"$1 to ${groups}" if groups else "none, for it has no parentheses"
                    why = f"it refers to {found[0]}, and the groups of the pattern are {there}; count its parentheses"
                    raise BadRequest(ErrorKind.BAD_PATTERN, f"text ({one_line(text)}) invalid: {why}")
                self.parts.append(number - 1)
        self.parts.append(text[end:])

    def filled(self, captures: Sequence[str]) -> str:
        """The text with what the groups matched."""
        return "".join(part if isinstance(part, str) else captures[part] for part in self.parts)

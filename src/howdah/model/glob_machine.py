# SPDX-License-Identifier: Apache-2.0
"""Match one path against a pattern in time linear in the path, whatever the pattern.

Python's `re` goes back and tries again: `/*a*a*a*a*b` on a long name, or `{a,a*}` ten times over, would
hold a thread for hours, and patterns come from strangers. So the nodes become a nondeterministic
automaton, walked by sets of states; a step that was made before is looked up.
"""

from typing import Final

from howdah.model.glob_syntax import Choice, Class, Literal, Node, Ranges, Star

__all__ = ["Machine"]

_STEPS_MAX: Final = 4_096  # remembered steps; bounds memory under hostile patterns
_ANY: Final[Ranges] = ((0, 0x10FFFF),)
_NOT_SLASH: Final[Ranges] = ((0, ord("/") - 1), (ord("/") + 1, 0x10FFFF))
_DONE: Final = 0

_States = frozenset[int]


class Machine:
    """The automaton of one pattern. Any number of threads may use it at once."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        # Of each state: where it goes for nothing, and where for one character of these ranges.
        self._free: list[tuple[int, ...]] = [()]
        self._tests: list[Ranges] = [()]
        self._targets: list[int] = [_DONE]
        self._start = self._closure([self._sequence(nodes, _DONE)])
        self._steps: dict[tuple[_States, str], _States] = {}

    def accepts(self, text: str) -> bool:
        """Whether the whole text matches."""
        states, steps = self._start, self._steps
        for c in text:
            step = steps.get((states, c))
            if step is None:
                step = self._step(states, c)
            if not step:
                return False
            states = step
        return _DONE in states

    def _step(self, states: _States, c: str) -> _States:
        point = ord(c)
        step = self._closure(
            [self._targets[s] for s in states if any(low <= point <= high for low, high in self._tests[s])]
        )
        if len(self._steps) >= _STEPS_MAX:
            self._steps = {}
        self._steps[states, c] = step
        return step

    def _closure(self, states: list[int]) -> _States:
        seen = set(states)
        todo = list(states)
        while todo:
            for state in self._free[todo.pop()]:
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
        return frozenset(seen)

    def _sequence(self, nodes: tuple[Node, ...], after: int) -> int:
        for node in reversed(nodes):
            after = self._node(node, after)
        return after

    def _node(self, node: Node, after: int) -> int:
        match node:
            case Literal(text):
                for c in reversed(text):
                    after = self._state((), ((ord(c), ord(c)),), after)
                return after
            case Class(ranges):
                return self._state((), ranges, after)
            case Choice(options):
                return self._state(tuple(self._sequence(option, after) for option in options), (), _DONE)
            case _:
                itself = len(self._free)
                return self._state((after,), _NOT_SLASH if isinstance(node, Star) else _ANY, itself)

    def _state(self, free: tuple[int, ...], test: Ranges, target: int) -> int:
        self._free.append(free)
        self._tests.append(test)
        self._targets.append(target)
        return len(self._free) - 1

# SPDX-License-Identifier: Apache-2.0
"""Match one path against a pattern in time linear in the path, whatever the pattern.

Python's `re` goes back and tries again: `/*a*a*a*a*b` on a long name, or `{a,a*}` ten times over, would
hold a thread for hours, and patterns come from strangers. So the nodes become a nondeterministic
automaton, walked by sets of states; a step that was made before is looked up. What `!( )` must not be is an
automaton of its own: a state of ours then holds the states in which that one is.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from howdah.model.glob_syntax import Choice, Class, Literal, Node, Not, Ranges, Repeat, Star

__all__ = ["Machine", "States"]

_STEPS_MAX: Final = 4_096  # remembered steps; bounds memory under hostile patterns
_ANY: Final[Ranges] = ((0, 0x10FFFF),)
_NOT_SLASH: Final[Ranges] = ((0, ord("/") - 1), (ord("/") + 1, 0x10FFFF))
_DONE: Final = 0

_State: TypeAlias = "int | tuple[int, States]"
States: TypeAlias = frozenset["_State"]
"""Where the automaton is; a pair is a state that stands for `!( )` and where its inner automaton is."""


class Machine:
    """The automaton of one pattern. Any number of threads may use it at once."""

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        # Of each state: where it goes for nothing, and where for one character of these ranges.
        self._free: list[tuple[int, ...]] = [()]
        self._tests: list[Ranges] = [()]
        self._targets: list[int] = [_DONE]
        # Of each state that stands for a `!( )`: what it must not be.
        self._inner: dict[int, Machine] = {}
        self.start: Final = self._closure([self._sequence(nodes, _DONE)])
        self._steps: dict[tuple[States, str], States] = {}

    def accepts(self, text: str) -> bool:
        """Whether the whole text matches."""
        states, steps = self.start, self._steps
        for c in text:
            step = steps.get((states, c))
            if step is None:
                step = self.step(states, c)
            if not step:
                return False
            states = step
        return _DONE in states

    def is_done(self, states: States) -> bool:
        """Whether what was read up to these states matches."""
        return _DONE in states

    def step(self, states: States, c: str) -> States:
        """Where one more character leads; the empty set when nowhere."""
        if (known := self._steps.get((states, c))) is not None:
            return known
        point = ord(c)
        reached: list[_State] = []
        for state in states:
            if isinstance(state, int):
                if any(low <= point <= high for low, high in self._tests[state]):
                    reached.append(self._targets[state])
            elif c != "/":
                reached.append((state[0], self._inner[state[0]].step(state[1], c)))
        step = self._closure(reached)
        if len(self._steps) >= _STEPS_MAX:
            self._steps = {}
        self._steps[states, c] = step
        return step

    def _closure(self, states: Sequence[_State]) -> States:
        seen = set(states)
        todo = list(states)
        while todo:
            for state in self._freely(todo.pop()):
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
        return frozenset(seen)

    def _freely(self, state: _State) -> Sequence[_State]:
        if isinstance(state, int):
            inner = self._inner.get(state)
            return self._free[state] if inner is None else ((state, inner.start),)
        negated, states = state
        return () if self._inner[negated].is_done(states) else self._free[negated]

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
                return self._state(self._each(options, after), (), _DONE)
            case Repeat(options, least, once):
                return self._repeat(options, least, once, after)
            case Not(options):
                state = self._state((after,), (), _DONE)
                self._inner[state] = Machine((Choice(options, captures=False),))
                return state
            case _:
                itself = len(self._free)
                return self._state((after,), _NOT_SLASH if isinstance(node, Star) else _ANY, itself)

    def _repeat(self, options: tuple[tuple[Node, ...], ...], least: int, once: bool, after: int) -> int:
        if once:
            return self._state((*self._each(options, after), after), (), _DONE)
        again = self._state((), (), _DONE)
        begin = self._each(options, again)
        self._free[again] = (*begin, after)
        return self._state(begin, (), _DONE) if least else again

    def _each(self, options: tuple[tuple[Node, ...], ...], after: int) -> tuple[int, ...]:
        return tuple(self._sequence(option, after) for option in options)

    def _state(self, free: tuple[int, ...], test: Ranges, target: int) -> int:
        self._free.append(free)
        self._tests.append(test)
        self._targets.append(target)
        return len(self._free) - 1

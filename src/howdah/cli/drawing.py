# SPDX-License-Identifier: Apache-2.0
"""Draw a graph without cycles as boxes and lines of text: what depends stands below what it depends on.

Each connected part is drawn by itself. Boxes stand in layers; an edge over several layers passes through a place of
its own in each. Between two layers a box has one way out and all its edges share one lane; no two boxes share a
column there, so every line can be followed. Where two cross, the vertical one goes on top.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Final

__all__ = ["Box", "draw"]

_NORTH, _SOUTH, _EAST, _WEST = 1, 2, 4, 8
_LINES: Final = " │││─└┌├─┘┐┤─┴┬┼"  # by the directions in which a cell is open, as their sum
_SINGLE: Final = "┌─┐│└┘┬"
_DOUBLE: Final = "╔═╗║╚╝╤"
_SWEEPS: Final = 4
_GAP: Final = 2
_HEIGHT: Final = 3  # rows of a box


@dataclass(frozen=True, slots=True)
class Box:
    """A node: what is written in its box, and whether that has double lines."""

    label: str
    double: bool = False


@dataclass(eq=False, slots=True)
class _Place:
    """A box in its layer, or where an edge passes through one."""

    box: Box | None
    above: "list[_Place]" = field(default_factory=list)
    below: "list[_Place]" = field(default_factory=list)
    order: float = 0.0
    x: int = 0
    width: int = 3
    out: int = 0  # the column by which its edges leave


def draw(boxes: Mapping[str, Box], edges: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The lines of a drawing. `edges` go from what is depended on to what depends; of those that close a cycle and of
    nodes without an edge nothing is drawn.
    """
    below: dict[str, list[str]] = {}
    for start, end in dict.fromkeys(edges):
        below.setdefault(start, []).append(end)
    for number, part in enumerate(_parts(below)):
        if number:
            yield ""
        yield from _rows(_layers(boxes, part, below))


def _parts(below: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The connected parts, by their least name."""
    near: dict[str, set[str]] = {}
    for start, ends in below.items():
        for end in ends:
            near.setdefault(start, set()).add(end)
            near.setdefault(end, set()).add(start)
    parts, seen = list[list[str]](), set[str]()
    for name in sorted(near):
        if name not in seen:
            part = [name]
            seen.add(name)
            for each in part:
                part += sorted(near[each] - seen)
                seen |= near[each]
            parts.append(sorted(part))
    return parts


def _depths(part: Sequence[str], below: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The layer of each node: one more than that of the deepest above it. What lies on a cycle has none."""
    waiting = dict.fromkeys(part, 0)
    for name in part:
        for end in below.get(name, ()):
            waiting[end] += 1
    depths = {name: 0 for name, count in waiting.items() if count == 0}
    for name in (ready := list(depths)):
        for end in below.get(name, ()):
            waiting[end] -= 1
            depths[end] = max(depths.get(end, 0), depths[name] + 1)
            if waiting[end] == 0:
                ready.append(end)
    return {name: depths[name] for name in ready}


def _layers(boxes: Mapping[str, Box], part: Sequence[str], below: Mapping[str, Sequence[str]]) -> list[list[_Place]]:
    depths = _depths(part, below)
    layers: list[list[_Place]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    places = {name: _Place(boxes[name]) for name in depths}
    for name, place in places.items():
        layers[depths[name]].append(place)
    for start in places:
        for end in below.get(start, ()):
            if end in places:
                _connect(layers, places[start], places[end], depths[start], depths[end])
    for place in places.values():
        place.width = max(len(_label(place)) + 4, 2 * max(len(place.above), 1) + 3)
    _order(layers)
    _spread(layers)
    return layers


def _connect(layers: list[list[_Place]], start: _Place, end: _Place, first: int, last: int) -> None:
    """Lead an edge down, by a place in each layer between."""
    here = start
    for depth in range(first + 1, last):
        through = _Place(None)
        layers[depth].append(through)
        here.below.append(through)
        through.above.append(here)
        here = through
    here.below.append(end)
    end.above.append(here)


def _order(layers: list[list[_Place]]) -> None:
    """Put those side by side that have to do with the same neighbours, so that few lines cross."""
    for layer in layers:
        _number(layer)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            for place in layer:
                near = place.above if down else place.below
                if near:
                    place.order = sum(each.order for each in near) / len(near)
            layer.sort(key=lambda place: place.order)
            _number(layer)


def _number(layer: Sequence[_Place]) -> None:
    for number, place in enumerate(layer):
        place.order = number - (len(layer) - 1) / 2


def _spread(layers: list[list[_Place]]) -> None:
    """Give each place its columns; every layer is centred."""
    widths = [sum(place.width + _GAP for place in layer) - _GAP for layer in layers]
    for layer, width in zip(layers, widths, strict=True):
        x = (max(widths) - width) // 2
        for place in layer:
            place.x = x
            place.out = x + place.width // 2
            x += place.width + _GAP


def _rows(layers: list[list[_Place]]) -> Iterator[str]:
    for number, layer in enumerate(layers):
        if number:
            yield from _between(layers[number - 1], layer)
        yield from _boxes(layer)


def _boxes(layer: Sequence[_Place]) -> list[str]:
    rows = [_Row() for _ in range(_HEIGHT)]
    for place in layer:
        if place.box is None:
            for row in rows:
                row.put(place.out, "│")
            continue
        left, line, right, side, foot, end, out = _DOUBLE if place.box.double else _SINGLE
        inner = place.width - 2
        rows[0].put(place.x, left + line * inner + right)
        rows[1].put(place.x, side + _label(place).center(inner) + side)
        rows[2].put(place.x, foot + line * inner + end)
        if place.below:
            rows[2].put(place.out, out)
    return [str(row) for row in rows]


def _label(place: _Place) -> str:
    return "" if place.box is None else place.box.label


def _between(upper: Sequence[_Place], lower: Sequence[_Place]) -> list[str]:
    """The rows of lines between two layers: a row for each lane, and one of arrows."""
    entries = _entries(upper, lower)
    lanes = _lanes(upper, entries)
    count = max(lanes.values(), default=-1) + 1
    cells: dict[tuple[int, int], tuple[int, _Place]] = {}
    for start in upper:
        for end in start.below:
            at = entries[start, end]
            lane = lanes.get(start, 0)
            _lead(cells, start, [(row, start.out) for row in range(-1, lane + 1)])
            step = 1 if at >= start.out else -1
            _lead(cells, start, [(lane, column) for column in range(start.out, at + step, step)])
            _lead(cells, start, [(row, at) for row in range(lane, count + 1)])
    rows = [_Row() for _ in range(count + 1)]
    for (row, column), (mask, _) in cells.items():
        if 0 <= row < count:
            rows[row].put(column, _LINES[mask])
    for (_, end), column in entries.items():
        rows[count].put(column, "▼" if end.box is not None else "│")
    return [str(row) for row in rows]


def _entries(upper: Sequence[_Place], lower: Sequence[_Place]) -> dict[tuple[_Place, _Place], int]:
    """The column by which each edge comes in: straight from above if it can, else one that is nobody's."""
    taken = {place.out for place in upper if place.below}
    entries: dict[tuple[_Place, _Place], int] = {}
    for end in lower:
        inside = range(end.x + 1, end.x + end.width - 1) if end.box is not None else range(end.x, end.x + end.width)
        straight = [start for start in end.above if start.out in inside]
        entries.update({(start, end): start.out for start in straight})
        others = sorted((start for start in end.above if start not in straight), key=lambda start: start.out)
        middle = end.x + end.width // 2
        free = sorted((column for column in inside if column not in taken), key=partial(_near, middle, len(others)))
        chosen = sorted((free or [middle])[: len(others)])
        for number, start in enumerate(others):
            entries[start, end] = chosen[min(number, len(chosen) - 1)]
        taken.update(chosen if others else ())
        if end.box is None:
            end.out = entries[end.above[0], end]
    return entries


def _near(middle: int, count: int, column: int) -> tuple[bool, int]:
    """How bad a column is for one of so many edges: they come in around the middle, with a column between them."""
    distance = abs(column - middle)
    return distance % 2 == count % 2, distance


def _lanes(upper: Sequence[_Place], entries: Mapping[tuple[_Place, _Place], int]) -> dict[_Place, int]:
    """The lane of each place that needs one; those whose lines do not meet share one."""
    lanes: dict[_Place, int] = {}
    ends: list[int] = []
    for start in upper:
        columns = [start.out, *(entries[start, end] for end in start.below)]
        if max(columns) == min(columns):
            continue
        lane = next((lane for lane, end in enumerate(ends) if end < min(columns) - 1), len(ends))
        ends[lane : lane + 1] = [max(columns)]
        lanes[start] = lane
    return lanes


def _lead(cells: dict[tuple[int, int], tuple[int, _Place]], owner: _Place, path: Sequence[tuple[int, int]]) -> None:
    """Draw a line from cell to cell; over a line of somebody else the vertical one goes on top."""
    for here, there in pairwise(path):
        down, right = there[0] - here[0], there[1] - here[1]
        ways = (_SOUTH, _NORTH) if down else (_EAST, _WEST) if right > 0 else (_WEST, _EAST)
        for cell, way in zip((here, there), ways, strict=True):
            mask, of = cells.get(cell, (0, owner))
            if of is owner:
                cells[cell] = (mask | way, owner)
            elif down:
                cells[cell] = (_NORTH | _SOUTH, owner)


class _Row:
    """A line of text that is written at columns."""

    def __init__(self) -> None:
        self._cells: dict[int, str] = {}

    def put(self, column: int, text: str) -> None:
        """Write from a column on, over what is there."""
        self._cells.update({column + at: letter for at, letter in enumerate(text)})

    def __str__(self) -> str:
        return "".join(self._cells.get(column, " ") for column in range(max(self._cells, default=-1) + 1))

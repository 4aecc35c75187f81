# SPDX-License-Identifier: Apache-2.0
"""Drawings of graphs: every line can be followed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.cli.drawing import Box, draw

CHAIN = """\
┌────────┐
│ images │
└────┬───┘
     ▼
╔═══════╗
║ edges ║
╚═══════╝"""

DIAMOND = """\
   ┌───┐
   │ a │
   └─┬─┘
  ┌──┴───┐
  ▼      ▼
┌───┐  ┌───┐
│ b │  │ c │
└─┬─┘  └─┬─┘
  └─┐ ┌──┘
    ▼ ▼
  ┌─────┐
  │  d  │
  └─────┘"""

LONG = """\
  ┌────────┐
  │ images │
  └────┬───┘
       ├────┐
       ▼    │
╔═══════╗   │
║ edges ║   │
╚═══╤═══╝   │
    │ ┌─────┘
    ▼ ▼
 ╔═════════╗
 ║ montage ║
 ╚═════════╝"""

EDGES = ("edges", "montage")


def drawing(*edges, doubles=EDGES):
    boxes = {name: Box(name, name in doubles) for edge in edges for name in edge}
    return "\n".join(draw(boxes, edges))


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        pytest.param([("images", "edges")], CHAIN, id="chain"),
        pytest.param([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], DIAMOND, id="diamond"),
        pytest.param([("images", "edges"), ("images", "montage"), ("edges", "montage")], LONG, id="long edge"),
    ],
)
def test_a_graph_looks_like_this(edges, expected):
    """Layers from top to bottom; double lines where they are asked for."""
    assert expected == drawing(*edges)


def test_parts_that_are_not_connected_stand_apart(capsys):
    """Below each other, with a line between; what has no edge is not drawn."""
    assert drawing(("a", "b")) + "\n\n" + drawing(("c", "d")) == drawing(("c", "d"), ("a", "b"))
    assert [] == list(draw({"a": Box("a")}, []))


def test_a_cycle_does_not_stop_the_drawing():
    """What lies on it is left out; there is none in a lake."""
    assert drawing(("a", "b")) == drawing(("a", "b"), ("c", "d"), ("d", "c")).strip("\n")


OPEN = {
    "│": "NS", "─": "EW", "┌": "SE", "┐": "SW", "└": "NE", "┘": "NW", "├": "NSE", "┤": "NSW", "┬": "SEW", "┴": "NEW",
    "┼": "NSEW", "▼": "N", "╤": "SEW",
}  # fmt: skip
STEPS = {"N": (-1, 0, "S"), "S": (1, 0, "N"), "E": (0, 1, "W"), "W": (0, -1, "E")}


def boxes_of(lines):
    """The name of each box, with the row of its name and the columns of its sides."""
    for row, line in enumerate(lines):
        for at, letter in enumerate(line):
            if letter.isalnum():
                yield letter, row, line.rindex("│", 0, at), line.index("│", at)


def followed(lines):
    """The pairs of boxes that lines connect, found by walking along them; at a crossing straight on."""
    cells = {(row, column): letter for row, line in enumerate(lines) for column, letter in enumerate(line)}
    boxes = list(boxes_of(lines))
    found = set()
    for name, row, left, right in boxes:
        outs = [column for column in range(left, right) if cells[row + 1, column] == "┬"]
        way = [(row + 1, column, "S") for column in outs]
        for here in way:
            down, aside, back = STEPS[here[2]]
            there = (here[0] + down, here[1] + aside)
            reached = cells[there]
            if reached == "▼":
                found |= {
                    (name, of) for of, at, *sides in boxes if at == there[0] + 2 and sides[0] < there[1] < sides[1]
                }
            elif reached == "│" and back in "EW":
                way.append((*there, here[2]))
            else:
                assert back in OPEN[reached]
                way += [(*there, on) for on in OPEN[reached] if on != back]
    return found


LETTERS = "abcdefgh"
PAIRS = [(a, b) for a in LETTERS for b in LETTERS if a < b]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(PAIRS), min_size=1, max_size=10))
def test_every_edge_can_be_followed_and_no_other(edges):
    """Walking along the lines from box to box finds the graph again."""
    lines = list(draw({name: Box(name) for edge in edges for name in edge}, sorted(edges)))

    assert edges == followed(lines)


def test_a_box_is_wide_enough_for_all_that_comes_in():
    """Each of many edges has an arrow of its own."""
    lines = drawing(*((f"in{n}", "x") for n in range(6))).splitlines()

    assert 6 == sum(line.count("▼") for line in lines)

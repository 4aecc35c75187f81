# SPDX-License-Identifier: Apache-2.0
"""What is odd about an input: it is no error, and yet it can hardly be what its writer meant.

A key that is always empty, a join in which nothing meets: they give no datums, or all in one, and say nothing.
So they are said when a pipeline is made, when its jobs are planned, and when an input is tried out.
"""

from collections.abc import Iterable, Iterator

from howdah.model.globs import Glob
from howdah.model.spec import Input, JoinInput, PfsInput, walk_inputs
from howdah.model.spec.keys import refers
from howdah.model.texts import one_line
from howdah.pps.input_keys import Keyed, Keys

__all__ = ["Warnings", "of_group", "of_join", "of_spec"]


class Warnings:
    """Collects warnings, each once, in order. For one thread."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Take a warning."""
        self._texts[text] = None

    def add_all(self, texts: Iterable[str]) -> None:
        """Take warnings."""
        self._texts.update(dict.fromkeys(texts))

    @property
    def texts(self) -> tuple[str, ...]:
        """All warnings so far."""
        return tuple(self._texts)


def of_spec(root: Input) -> Iterator[str]:
    """What can be told from the spec alone."""
    joined = {id(member) for node in walk_inputs(root) if isinstance(node, JoinInput) for member in node.inputs}
    for node in walk_inputs(root):
        if not isinstance(node, PfsInput):
            continue
        for field, text in (("joinOn", node.join_on), ("groupBy", node.group_by)):
            if refers(text) and not Glob.parse(node.glob).groups:
                why = f"{field} {one_line(text)} refers to a group, and glob {one_line(node.glob)} has no parentheses"
                yield f"input {node.name}: {why}, so it is empty for every file; put ( ) around what shall be the key"
        if node.outer_join and id(node) not in joined:
            yield f"input {node.name}: outerJoin does nothing outside of a join; leave it out, or put it into a join"


def of_join(keys: Keys) -> Iterator[str]:
    """What the files of a join's members tell."""
    members = keys.members
    yield from _empty_keys(keys, "joinOn", "joins with nothing")
    if not all(map(len, members)) or any(_is_keyless(keys, member) for member in members):
        return
    if not any(all(member.of(key) for member in members) for key in range(keys.first, len(keys.names))):
        outer = [member.node.name for member in members if member.node.outer_join]
        what = f"each file of {' and '.join(outer)} is without partner" if outer else "it gives no datum"
        seen = ", ".join(f"{member.node.name} has {_example(keys, member)}" for member in members)
        names = ", ".join(member.node.name for member in members)
        yield f"join of {names}: no key is in all of them, so {what}; {seen}"


def of_group(keys: Keys) -> Iterator[str]:
    """What the files of a group's members tell."""
    yield from _empty_keys(keys, "groupBy", "is one group")


def _empty_keys(keys: Keys, field: str, what: str) -> Iterator[str]:
    for member in keys.members:
        glob = Glob.parse(member.node.glob)
        if glob.groups and _is_keyless(keys, member):  # without groups the spec alone tells
            text = member.node.join_on if field == "joinOn" else member.node.group_by
            why = f"{field} {one_line(text)} is empty for each of its {len(member)} files, and the empty key {what}"
            yield f"input {member.node.name}: {why}; see what the groups of glob {one_line(member.node.glob)} match"


def _is_keyless(keys: Keys, member: Keyed) -> bool:
    """Whether it has files, and all have the empty key."""
    return bool(keys.first and len(member)) and len(member.of(0)) == len(member)


def _example(keys: Keys, member: Keyed) -> str:
    """The first key that a member has and is not empty."""
    return next(one_line(keys.names[key].as_py()) for key in range(keys.first, len(keys.names)) if member.of(key))

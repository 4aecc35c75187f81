# SPDX-License-Identifier: Apache-2.0
"""The datums of joins and groups: what is put together because it has the same key (`pps.input_keys`).

A *join* takes, for each key that all members have, every combination of one match of each. Of a key that some member
has not, the members with `outer_join` alone give their combinations, so a datum may lack inputs. The empty key is no
key: it joins with nothing, not even with itself. A *group* takes for each key, the empty one too, all
matches of all members as one datum.
"""

from collections.abc import Iterator
from itertools import product
from typing import cast

from howdah.model.spec import GroupInput, JoinInput, PfsInput
from howdah.pps.input_keys import Filesets, Keys, Warn, key_columns
from howdah.pps.input_pages import PAGE_DATUMS, Page
from howdah.pps.input_warnings import of_group, of_join

__all__ = ["group_keys", "group_pages", "join_keys", "join_pages"]


def join_keys(node: JoinInput, filesets: Filesets) -> Keys:
    """The members of a join by their keys.

    Raises:
        BadRequest: BAD_PATTERN: a template refers to a group that its pattern has not.
    """
    members = cast("tuple[PfsInput, ...]", node.inputs)  # the spec's rules see to it
    return key_columns(members, [member.join_on for member in members], filesets)


def group_keys(node: GroupInput, filesets: Filesets) -> Keys:
    """The members of a group by their keys; raises as `join_keys`."""
    members = cast("tuple[PfsInput, ...]", node.inputs)
    return key_columns(members, [member.group_by for member in members], filesets)


def join_pages(node: JoinInput, filesets: Filesets, warn: Warn) -> Iterator[Page]:
    """The datums of a join, those without all members where they come in the order of keys."""
    keys = join_keys(node, filesets)
    for text in of_join(keys):
        warn(text)
    found = _Found(keys)
    members = keys.members
    outer = tuple(n for n, member in enumerate(members) if member.node.outer_join)
    everyone = tuple(range(len(members)))
    for key in range(keys.first, len(keys.names)):
        ranges = [member.of(key) for member in members]
        which = everyone if all(ranges) else tuple(n for n in outer if ranges[n])
        if which:
            yield from found.add(which, [ranges[n] for n in which])
    for n in outer if keys.first else ():
        yield from found.add((n,), [members[n].of(0)])
    yield from found.rest()


def group_pages(node: GroupInput, filesets: Filesets, warn: Warn) -> Iterator[Page]:
    """The datums of a group in the order of keys."""
    keys = group_keys(node, filesets)
    for text in of_group(keys):
        warn(text)
    parts = [sum(starts) for starts in zip(*(member.starts for member in keys.members), strict=True)]
    first, count = 0, len(keys.names)
    while first < count:
        end = first + 1
        while end < count and parts[end + 1] - parts[first] <= PAGE_DATUMS:
            end += 1
        yield Page(tuple(member.all_of(first, end) for member in keys.members))
        first = end


class _Found:
    """Combinations on their way into pages: those of the same members share one."""

    def __init__(self, keys: Keys) -> None:
        self._members = keys.members
        # By which members it has: for each of them the numbers of its matches. Less than a page of each.
        self._waiting: dict[tuple[int, ...], list[list[int]]] = {}

    def add(self, which: tuple[int, ...], ranges: list[range]) -> Iterator[Page]:
        """Take all combinations of one of each range; the pages that are full."""
        columns = self._columns(which)
        for combination in product(*ranges):
            for column, number in zip(columns, combination, strict=True):
                column.append(number)
            if len(columns[0]) >= PAGE_DATUMS:
                yield self._page(which)
                columns = self._columns(which)

    def rest(self) -> Iterator[Page]:
        """The pages that are not full."""
        for which in list(self._waiting):
            if self._waiting[which][0]:
                yield self._page(which)

    def _columns(self, which: tuple[int, ...]) -> list[list[int]]:
        if which not in self._waiting:
            self._waiting[which] = [[] for _ in which]
        return self._waiting[which]

    def _page(self, which: tuple[int, ...]) -> Page:
        columns = self._waiting.pop(which)
        return Page(tuple(self._members[n].at(column) for n, column in zip(which, columns, strict=True)))

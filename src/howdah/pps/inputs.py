# SPDX-License-Identifier: Apache-2.0
"""Inputs turned into datums, page by page: one function for each kind of input.

A page (`pps.input_pages`) is a few thousand datums as columns. A cross has the slots of all its members, a union the
pages of one after the other; joins and groups are made in `pps.input_joins`. Nothing is held whole: products are
made as they are asked for. What datums are called and whether they must run is decided in `pps.plan`; what is odd
about an input is found in `pps.input_warnings`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final

from howdah.model.globs import Glob
from howdah.model.spec import (
    CronInput,
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    PfsInput,
    UnionInput,
    as_pfs,
    pfs_inputs,
    walk_inputs,
)
from howdah.pps.input_joins import group_keys, group_pages, join_keys, join_pages
from howdah.pps.input_keys import Filesets, Warn, branch_of, source_of
from howdah.pps.input_pages import PAGE_DATUMS, Page, Slot, Source
from howdah.pps.input_warnings import Warnings, of_group, of_join, of_spec
from howdah.storage import listing

__all__ = [
    "LOOKED_LONG",
    "PAGE_DATUMS",
    "Filesets",
    "Page",
    "Slot",
    "Source",
    "Warn",
    "branch_of",
    "pages",
    "pages_with",
    "warnings_of",
]

# Datums of a cross's inner inputs that are kept, so that they are not found again for each page of the outer one.
_KEPT: Final = 100_000
# Files of a join or group that are looked through for warnings: while somebody waits for the answer, some tenths of a
# second; and when a job is planned, which takes longer anyhow.
LOOKED_SHORT: Final = 100_000
LOOKED_LONG: Final = 1_000_000


def _unheard(_text: str) -> None:
    """Nobody listens to warnings."""


def pages(root: Input, filesets: Filesets, warn: Warn = _unheard) -> Iterator[Page]:
    """The datums of an input, in an order of its own; `filesets` holds what each pfs input reads, by its branch.

    `warn` is told of each thing that makes an input give less than its writer may think, perhaps more than once.

    Raises:
        Unsupported: a kind of input that this version does not run.
    """
    for text in of_spec(root):
        warn(text)
    yield from _pages(root, filesets, warn)


def pages_with(members: Sequence[Input], filesets: Filesets, at: int, some: Sequence[Page]) -> Iterator[Page]:
    """The datums of a cross of inputs whose parts of member number `at` are in `some` pages.

    Raises:
        Unsupported: a kind of input that this version does not run.
    """
    if some:
        made = [partial(_pages, member, filesets, _unheard) for member in members]
        yield from _crossed([*made[:at], lambda: iter(some), *made[at + 1 :]])


def warnings_of(root: Input, filesets: Filesets, files_max: int = LOOKED_SHORT) -> tuple[str, ...]:
    """What is odd about an input as things stand; no datum is made for it.

    Joins and groups over more than `files_max` files, or over a branch that is not in `filesets`, are not looked
    into: what the spec itself tells is told of them, too.
    """
    found = Warnings()
    found.add_all(of_spec(root))
    for node in walk_inputs(root):
        if isinstance(node, JoinInput) and _is_looked_into(node, filesets, files_max):
            found.add_all(of_join(join_keys(node, filesets)))
        elif isinstance(node, GroupInput) and _is_looked_into(node, filesets, files_max):
            found.add_all(of_group(group_keys(node, filesets)))
    return found.texts


def _is_looked_into(node: Input, filesets: Filesets, files_max: int) -> bool:
    read = [filesets.get(branch_of(member)) for member in pfs_inputs(node)]
    return None not in read and sum(each.total.files for each in read if each is not None) <= files_max


def _pages(node: Input, filesets: Filesets, warn: Warn) -> Iterator[Page]:
    match node:
        case PfsInput():
            return _pfs_pages(node, filesets)
        case CronInput():
            return _pfs_pages(as_pfs(node), filesets)
        case CrossInput(members):
            return _crossed([partial(_pages, member, filesets, warn) for member in members])
        case UnionInput(members):
            return chain.from_iterable(_pages(member, filesets, warn) for member in members)
        case JoinInput():
            return join_pages(node, filesets, warn)
        case GroupInput():
            return group_pages(node, filesets, warn)


def _pfs_pages(node: PfsInput, filesets: Filesets) -> Iterator[Page]:
    source = source_of(node)
    for batch in listing.glob(filesets[branch_of(node)], Glob.parse(node.glob)):
        paths, sizes, hashes = (column.to_pylist() for column in batch.columns)
        if paths:
            yield Page((Slot(source, paths, hashes, sizes),))


def _crossed(makers: Sequence[Callable[[], Iterator[Page]]]) -> Iterator[Page]:
    head, rest = makers[0], makers[1:]
    if not rest:
        yield from head()
        return
    inner = _Again(partial(_crossed, rest))
    for left in head():
        for right in inner:
            yield from _product(left, right)


def _product(outer: Page, inner: Page) -> Iterator[Page]:
    total, width = len(outer) * len(inner), len(inner)
    for begin in range(0, total, PAGE_DATUMS):
        numbers = range(begin, min(begin + PAGE_DATUMS, total))
        left = outer.at([number // width for number in numbers])
        right = inner.at([number % width for number in numbers])
        yield Page(left.slots + right.slots)


class _Again:
    """Pages that are asked for again and again: kept from the first time on if they are few, else made anew."""

    def __init__(self, make: Callable[[], Iterable[Page]]) -> None:
        self._make = make
        # All pages, once they were all seen and were few enough.
        self._kept: list[Page] | None = None

    def __iter__(self) -> Iterator[Page]:
        if self._kept is not None:
            yield from self._kept
            return
        seen: list[Page] | None = []
        datums = 0
        for page in self._make():
            yield page
            datums += len(page)
            if seen is not None:
                seen.append(page)
                seen = seen if datums <= _KEPT else None
        self._kept = seen

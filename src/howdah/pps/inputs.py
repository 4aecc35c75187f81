# SPDX-License-Identifier: Apache-2.0
"""Inputs turned into datums, page by page: one function for each kind of input.

A page is a few thousand datums as columns. Its *slots* are the parts that every datum of the page has; a cross
has the slots of all its members. Kinds whose datums differ in their parts give pages with different slots.
Nothing is held whole: the product of a cross is made as it is asked for. What datums are called and
whether they must run is decided in `pps.plan`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from howdah.errors import ErrorKind, Unsupported
from howdah.model.globs import Glob
from howdah.model.spec import CronInput, CrossInput, Input, PfsInput, as_pfs
from howdah.storage import listing
from howdah.storage.reader import Fileset

__all__ = ["PAGE_DATUMS", "Page", "Slot", "Source", "pages"]

PAGE_DATUMS: Final = 8_192  # of a product; large enough for vectors, small enough for memory


@dataclass(frozen=True, slots=True)
class Source:
    """Where the parts of a slot come from: the input that names them."""

    name: str
    project: str
    repo: str
    branch: str
    reference: bool  # its content does not count when datums are skipped


@dataclass(frozen=True, slots=True)
class Slot:
    """One part of each datum of a page, as columns of equal length."""

    source: Source
    paths: list[str]
    hashes: list[bytes]
    sizes: list[int]

    def at(self, indices: list[int]) -> "Slot":
        """The slot of the datums with these numbers."""
        paths, hashes, sizes = self.paths, self.hashes, self.sizes
        return Slot(self.source, [paths[i] for i in indices], [hashes[i] for i in indices], [sizes[i] for i in indices])


@dataclass(frozen=True, slots=True)
class Page:
    """Some datums: datum number n has the n-th part of each slot."""

    slots: tuple[Slot, ...]

    def __len__(self) -> int:
        return len(self.slots[0].paths)

    def at(self, indices: list[int]) -> "Page":
        """The page of the datums with these numbers."""
        return Page(tuple(slot.at(indices) for slot in self.slots))


def pages(node: Input, filesets: Mapping[str, Fileset]) -> Iterator[Page]:
    """The datums of an input, in an order of its own; `filesets` holds by its name what each pfs input reads.

    Raises:
        Unsupported: a kind of input that this version does not run.
    """
    if isinstance(node, PfsInput):
        return _pfs_pages(node, filesets[node.name])
    if isinstance(node, CronInput):
        return _pfs_pages(as_pfs(node), filesets[node.name])
    if isinstance(node, CrossInput):
        return _cross_pages(node.inputs, filesets)
    kind = type(node).__name__.removesuffix("Input").lower()
    raise Unsupported(ErrorKind.UNSUPPORTED, f"input.{kind}: this version does not support it; use pfs, cron and cross")


def _pfs_pages(node: PfsInput, fileset: Fileset) -> Iterator[Page]:
    source = Source(node.name, node.project, node.repo, node.branch, node.reference)
    for batch in listing.glob(fileset, Glob.parse(node.glob)):
        paths, sizes, hashes = (column.to_pylist() for column in batch.columns)
        if paths:
            yield Page((Slot(source, paths, hashes, sizes),))


def _cross_pages(members: tuple[Input, ...], filesets: Mapping[str, Fileset]) -> Iterator[Page]:
    head, rest = members[0], members[1:]
    if not rest:
        yield from pages(head, filesets)
        return
    for outer in pages(head, filesets):
        for inner in _cross_pages(rest, filesets):
            yield from _product(outer, inner)


def _product(outer: Page, inner: Page) -> Iterator[Page]:
    total, width = len(outer) * len(inner), len(inner)
    for begin in range(0, total, PAGE_DATUMS):
        numbers = range(begin, min(begin + PAGE_DATUMS, total))
        left = outer.at([number // width for number in numbers])
        right = inner.at([number % width for number in numbers])
        yield Page(left.slots + right.slots)

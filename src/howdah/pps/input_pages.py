# SPDX-License-Identifier: Apache-2.0
"""Pages of datums as columns: what `pps.inputs` makes of inputs and `pps.plan` makes records of.

A page is some thousand datums. Its *slots* are the inputs that its datums have parts of, in the order of the spec.
Mostly a datum has one part in each slot; in a group it has as many as there are, also none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from howdah.model.names import DEFAULT_BRANCH, DEFAULT_PROJECT, USER
from howdah.model.refs import Branch, Repo

__all__ = ["PAGE_DATUMS", "Page", "Slot", "Source"]

PAGE_DATUMS: Final = 8_192  # of a product; large enough for vectors, small enough for memory


@dataclass(frozen=True, slots=True)
class Source:
    """Where the parts of a slot come from: the input that names them."""

    name: str
    project: str
    repo: str
    branch: str
    reference: bool  # its content does not count when datums are skipped
    type: str = USER

    @property
    def at(self) -> Branch:
        """The branch."""
        return Branch(Repo(self.project, self.repo, self.type), self.branch)

    @property
    def label(self) -> str:
        """The branch as a text; "" where the name says it all: master of a repo of that name in `default`."""
        if (self.repo, self.branch, self.project, self.type) == (self.name, DEFAULT_BRANCH, DEFAULT_PROJECT, USER):
            return ""
        return str(self.at)


@dataclass(frozen=True, slots=True)
class Slot:
    """One input's parts of the datums of a page, as columns of equal length.

    Without `ends`, datum number n has part number n alone. With it, datum n has the parts from `ends[n - 1]` (from 0
    if it is the first) up to `ends[n]`: none, one or many.
    """

    source: Source
    paths: list[str]
    hashes: list[bytes]
    sizes: list[int]
    ends: list[int] | None = None

    @property
    def datums(self) -> int:
        """Of how many datums it is."""
        return len(self.paths if self.ends is None else self.ends)

    def parts(self, number: int) -> range:
        """The numbers of a datum's parts."""
        if self.ends is None:
            return range(number, number + 1)
        return range(self.ends[number - 1] if number else 0, self.ends[number])

    def joined(self, pieces: list[bytes]) -> list[bytes]:
        """For each datum its pieces, one for each of its parts, one after another."""
        if self.ends is None:
            return pieces
        return [b"".join(pieces[begin:end]) for begin, end in pairwise((0, *self.ends))]

    def at(self, indices: Sequence[int]) -> "Slot":
        """The slot of the datums with these numbers."""
        paths, hashes, sizes = self.paths, self.hashes, self.sizes
        if self.ends is None:
            taken = indices
            ends = None
        else:
            ranges = [self.parts(index) for index in indices]
            taken = list(chain.from_iterable(ranges))
            ends = _ends(ranges)
        return Slot(self.source, [paths[i] for i in taken], [hashes[i] for i in taken], [sizes[i] for i in taken], ends)


@dataclass(frozen=True, slots=True)
class Page:
    """Some datums: datum number n has in each slot the parts with that number."""

    slots: tuple[Slot, ...]

    def __len__(self) -> int:
        return self.slots[0].datums

    def at(self, indices: Sequence[int]) -> "Page":
        """The page of the datums with these numbers."""
        return Page(tuple(slot.at(indices) for slot in self.slots))


def _ends(ranges: list[range]) -> list[int]:
    ends: list[int] = []
    end = 0
    for each in ranges:
        end += len(each)
        ends.append(end)
    return ends

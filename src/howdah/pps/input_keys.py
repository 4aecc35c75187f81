# SPDX-License-Identifier: Apache-2.0
"""What joins and groups know of their members: the matches of each, as columns, in the order of their keys.

A key is a template such as `$1-$2`, filled with what the groups of the pattern captured. Memory grows with
the matches alone, some 100 bytes and a path for each, never with what is made of them (`pps.input_joins`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from howdah.model.globs import Glob
from howdah.model.refs import Branch, Repo
from howdah.model.spec import PfsInput
from howdah.model.spec.keys import without_groups
from howdah.pps.input_pages import Slot, Source
from howdah.storage import listing
from howdah.storage.glob_columns import filled
from howdah.storage.reader import Fileset

__all__ = ["Filesets", "Keyed", "Keys", "Warn", "branch_of", "key_columns", "keys_of", "source_of"]

Filesets = Mapping[Branch, Fileset]
"""What inputs read, by their branches."""

Warn = Callable[[str], object]
"""Takes a warning: one line."""


def branch_of(node: PfsInput) -> Branch:
    """The branch that an input reads."""
    return Branch(Repo(node.project, node.repo, node.repo_type), node.branch)


def source_of(node: PfsInput) -> Source:
    """What the parts of an input say of where they come from."""
    return Source(node.name, node.project, node.repo, node.branch, node.reference, node.repo_type)


def keys_of(paths: pa.StringArray, pattern: Glob, text: str) -> pa.StringArray:
    """The key of each path that the pattern matched.

    A pattern without groups captures nothing: what a template refers to is empty there, and not an error, since
    specs that say so exist and must be told so (`pps.input_warnings`).

    Raises:
        BadRequest: BAD_PATTERN: the template refers to a group that the pattern has not.
    """
    if not pattern.groups:
        fixed = without_groups(text)
        return pa.repeat(pa.scalar(fixed, pa.string()), len(paths))
    bare = pc.utf8_rtrim(paths, characters="/")  # of directories
    return pc.fill_null(filled(bare, pattern, pattern.template(text)), "")


@dataclass(frozen=True, slots=True)
class Keyed:
    """All matches of one member, by key, those of one key by path."""

    node: PfsInput
    source: Source
    columns: pa.RecordBatch  # path, size, hash
    starts: list[int]  # key number n has the matches from starts[n] up to starts[n + 1]

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    def of(self, key: int) -> range:
        """The numbers of the matches with that key."""
        return range(self.starts[key], self.starts[key + 1])

    def at(self, indices: Sequence[int]) -> Slot:
        """One part for each of these numbers."""
        taken = self.columns.take(pa.array(indices, pa.int64()))
        paths, sizes, hashes = (column.to_pylist() for column in taken.columns)
        return Slot(self.source, paths, hashes, sizes)

    def all_of(self, first: int, end: int) -> Slot:
        """For each key from `first` up to `end` all its matches."""
        begin = self.starts[first]
        cut = self.columns.slice(begin, self.starts[end] - begin)
        paths, sizes, hashes = (column.to_pylist() for column in cut.columns)
        return Slot(self.source, paths, hashes, sizes, [start - begin for start in self.starts[first + 1 : end + 1]])


@dataclass(frozen=True, slots=True)
class Keys:
    """The members of a join or a group over all their keys, which are sorted."""

    names: pa.StringArray
    members: tuple[Keyed, ...]

    @property
    def first(self) -> int:
        """The number of the first key that is not empty."""
        return 1 if len(self.names) and not self.names[0].as_py() else 0


def key_columns(nodes: Sequence[PfsInput], texts: Sequence[str], filesets: Filesets) -> Keys:
    """Find the matches of all members, and bring them in the order of the keys that these templates give.

    Raises:
        BadRequest: BAD_PATTERN: a template refers to a group that its pattern has not.
    """
    found = [_matches(filesets[branch_of(node)], Glob.parse(node.glob)) for node in nodes]
    keys = [
        keys_of(batch.column(0), Glob.parse(node.glob), text)
        for node, text, batch in zip(nodes, texts, found, strict=True)
    ]
    names = pc.unique(pa.concat_arrays(keys))
    names = names.take(pc.sort_indices(names))
    members = [_keyed(node, batch, each, names) for node, batch, each in zip(nodes, found, keys, strict=True)]
    return Keys(names, tuple(members))


def _matches(fileset: Fileset, pattern: Glob) -> pa.RecordBatch:
    batches = list(listing.glob(fileset, pattern))
    columns = [
        pa.concat_arrays([batch.column(n) for batch in batches]) if batches else pa.array([], field.type)
        for n, field in enumerate(listing.COLUMNS)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=listing.COLUMNS)


def _keyed(node: PfsInput, batch: pa.RecordBatch, keys: pa.StringArray, names: pa.StringArray) -> Keyed:
    codes = pc.index_in(keys, value_set=names).to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return Keyed(node, source_of(node), batch.take(pa.array(order)), starts.tolist())

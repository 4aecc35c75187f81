# SPDX-License-Identifier: Apache-2.0
"""A datum's output into a change: small files packed with those of other datums, big ones cut, links by reference.

Files are appended, not put: what two datums write to one path is then seen as two parts, and both can be named.

A file that user code merely linked from an input is not read again: it is in the store already, and the output
gets its extents. That holds only if the file was not touched since the command began, which its time of change tells.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

from howdah.storage.cutting import BIG_FILE
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.tree_put import BATCH_BYTES, BATCH_FILES, LocalFile, read_small_files
from howdah.storage.writer import ChangeWriter
from howdah.worker.folders import OUT
from howdah.worker.materialise import input_fileset
from howdah.worker.outputs import Output, outputs
from howdah.worker.values import Claim

__all__ = ["Collected", "collect"]

# Outputs of one datum that are remembered between checking and reading them; with more, they are looked for twice.
_HELD_MAX: Final = 10_000


class Collected(NamedTuple):
    """What one datum's output came to."""

    files: int
    bytes: int


def collect(
    storage: Storage, writer: ChangeWriter, claim: Claim, datum_id: str, folder: str, began_ns: int
) -> Collected:
    """Put all files of `<folder>/out` into `writer`, tagged with the datum. Nothing is put if one is refused.

    `began_ns` is a moment of the coarse real-time clock at which the command had not begun.

    Raises:
        BadRequest: BAD_PATH: something in the output that no repo can hold; the datum has failed.
        Refused, Unavailable: bytes cannot be read or stored; `writer` may have a part of the output then.
    """
    files = size = 0
    for batch in _batched(_checked(folder)):
        references: list[Entry] = []
        small: list[Output] = []
        for output in batch:
            files, size = files + 1, size + output.size
            reference = _reference(storage, claim, folder, output, began_ns)
            if reference is not None:
                references.append(replace(reference, path=output.path, datum=datum_id))
            elif output.size < BIG_FILE:
                small.append(output)
            else:
                writer.put_local(output.path, f"{folder}/{output.below}", datum=datum_id, append=True)
        writer.put_entries(references, append=True)
        _put_small(writer, datum_id, folder, small)
    return Collected(files, size)


def _checked(folder: str) -> Iterable[Output]:
    """All outputs, after every one has been found to be good."""
    walk = outputs(folder)
    found = list(islice(walk, _HELD_MAX))
    if len(found) < _HELD_MAX:
        return found
    for _ in walk:
        pass
    return outputs(folder)


def _batched(found: Iterable[Output]) -> Iterator[list[Output]]:
    batch: list[Output] = []
    size = 0
    for output in found:
        batch.append(output)
        size += output.size if output.size < BIG_FILE else 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _reference(storage: Storage, claim: Claim, folder: str, output: Output, began_ns: int) -> Entry | None:
    """The input's entry of a file that is a link to an untouched input; None for any other."""
    name, _, path = output.below.partition("/")
    if name == OUT or name not in claim.inputs or not _is_untouched(folder, output, began_ns):
        return None
    entries = input_fileset(storage, claim, name).find("/" + path)
    return entries[0] if len(entries) == 1 and entries[0].size == output.size else None


def _is_untouched(folder: str, output: Output, began_ns: int) -> bool:
    """Whether neither the file nor a folder on the way to it was changed, renamed or replaced since then."""
    if output.changed_ns >= began_ns:
        return False
    parts = output.below.split("/")
    above = ["/".join([folder, *parts[:n]]) for n in range(1, len(parts))]
    return all(os.lstat(each).st_ctime_ns < began_ns for each in above)


def _put_small(writer: ChangeWriter, datum_id: str, folder: str, small: list[Output]) -> None:
    contents = read_small_files(folder, [LocalFile(output.below, output.size) for output in small])
    files = [(output.path, data) for output, data in zip(small, contents, strict=True) if data is not None]
    writer.put_small(files, datum=datum_id, append=True)
    for output, data in zip(small, contents, strict=True):
        if data is None:  # it has grown since it was seen
            writer.put_local(output.path, f"{folder}/{output.below}", datum=datum_id, append=True)

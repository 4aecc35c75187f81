# SPDX-License-Identifier: Apache-2.0
"""A datum's output into a change: small files packed with those of other datums, big ones cut, links by reference.

Files are appended, not put: what two datums write to one path is then seen as two parts, and both can be named.

A file that user code merely linked from an input is not read again: it is in the store already, and the output
gets its extents. That holds only if the file was not touched since the command began, which its time of change tells.
Of inputs that have names alone, or pipes (`modes`), a link means the input's file, whether its bytes ever came or not.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NamedTuple

from howdah.errors import BadRequest, ErrorKind
from howdah.storage.cutting import BIG_FILE
from howdah.storage.local_files import explained
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.tree_put import BATCH_BYTES, BATCH_FILES, read_small
from howdah.storage.writer import ChangeWriter
from howdah.worker.below import Below
from howdah.worker.folders import OUT
from howdah.worker.materialise import input_fileset
from howdah.worker.modes import Mode, modes_of
from howdah.worker.outputs import Output, outputs, settled
from howdah.worker.values import Claim

__all__ = ["Collected", "collect"]

# Outputs of one datum that are remembered between checking and reading them; with more, they are looked for twice.
_HELD_MAX: Final = 10_000


class Collected(NamedTuple):
    """What one datum's output came to."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class _Datum:
    """Whose output it is, and when and how its command had the inputs."""

    storage: Storage
    claim: Claim
    id: str
    folder: str
    began_ns: int
    moved: bool
    pipes: frozenset[str]  # names of inputs whose files are pipes
    empty: frozenset[str]  # and of those whose files have no content


def collect(
    storage: Storage,
    writer: ChangeWriter,
    claim: Claim,
    datum_id: str,
    folder: str,
    began_ns: int,
    *,
    moved: bool = False,
) -> Collected:
    """Put all files of `<folder>/out` into `writer`, tagged with the datum. Nothing is put if one is refused.

    `began_ns` is a moment of the coarse real-time clock at which the command had not begun. `moved` says that the
    caller moved the inputs' folders since then, and saw that they still are the same.

    Raises:
        BadRequest: BAD_PATH: something in the output that no repo can hold; the datum has failed.
        Refused, Unavailable: bytes cannot be read or stored; `writer` may have a part of the output then.
    """
    modes = modes_of(claim.spec)
    pipes, empty = (frozenset(n for n, mode in modes.items() if mode is wanted) for wanted in (Mode.PIPES, Mode.EMPTY))
    datum = _Datum(storage, claim, datum_id, folder, began_ns, moved, pipes, empty)
    with explained(folder), Below(folder) as place:
        return _collect(datum, place, writer)


def _collect(datum: _Datum, place: Below, writer: ChangeWriter) -> Collected:
    files = size = 0
    for batch in _batched(_checked(datum)):
        references: list[Entry] = []
        small: list[Output] = []
        for output in batch:
            files += 1
            found = _input_entries(datum, output)
            size += sum([entry.size for entry in found]) if found else output.size
            if len(found) == 1:
                references.append(replace(found[0], path=output.path, datum=datum.id))
            elif found:
                _put_parts(datum, writer, output.path, found)
            elif output.size < BIG_FILE:
                small.append(output)
            else:
                _put_big(writer, datum.id, place, output)
        writer.put_entries(references, append=True)
        _put_small(writer, datum.id, place, small)
    return Collected(files, size)


def _checked(datum: _Datum) -> Iterable[Output]:
    """All outputs, after every one has been found to be good."""
    walk = outputs(datum.folder, datum.pipes)
    found = list(islice(walk, _HELD_MAX))
    for each in found:
        _check(datum, each)
    if len(found) < _HELD_MAX:
        return found
    for each in walk:
        _check(datum, each)
    return outputs(datum.folder, datum.pipes)


def _check(datum: _Datum, output: Output) -> None:
    """Refuse a pipe that is none of ours: nobody would ever have fed it."""
    if output.pipe and not _entries_of(datum, output):
        text = f"/pfs/{output.below} is a named pipe, which no repo can hold; remove it before the command ends"
        raise BadRequest(ErrorKind.BAD_PATH, text)


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


def _input_entries(datum: _Datum, output: Output) -> list[Entry]:
    """The entries of the input's file that an output means; none if its bytes must be read from the folder."""
    name, _, path = output.below.partition("/")
    if name == OUT or not path or name not in datum.claim.inputs:
        return []
    if output.pipe or (name in datum.empty and output.size == 0):
        return _entries_of(datum, output)
    if name in datum.empty or not _is_untouched(datum, output):
        return []
    entries = _entries_of(datum, output)
    return entries if len(entries) == 1 and entries[0].size == output.size else []


def _entries_of(datum: _Datum, output: Output) -> list[Entry]:
    name, _, path = output.below.partition("/")
    return input_fileset(datum.storage, datum.claim, name).find("/" + path)


def _is_untouched(datum: _Datum, output: Output) -> bool:
    """Whether neither the file nor a folder on the way to it was changed, renamed or replaced since then."""
    if output.changed_ns >= datum.began_ns:
        return False
    parts = output.below.split("/")
    above = ["/".join([datum.folder, *parts[:n]]) for n in range(2 if datum.moved else 1, len(parts))]
    try:
        return all(os.lstat(each).st_ctime_ns < datum.began_ns for each in above)
    except FileNotFoundError:  # it was removed just now
        return False


def _put_parts(datum: _Datum, writer: ChangeWriter, path: str, parts: list[Entry]) -> None:
    """Put a file that several datums of an earlier pipeline wrote, and that user code has not read."""
    extents = parts[0].extents.concat(*[each.extents for each in parts[1:]])
    size = sum([each.size for each in parts])
    pieces = datum.storage.reader.read(extents, 0, size, f"file {parts[0].path} of job {datum.claim.job}")
    writer.put(path, pieces, datum=datum.id, append=True)


def _put_big(writer: ChangeWriter, datum_id: str, place: Below, output: Output) -> None:
    with _read(place, output) as file:
        writer.put_local(output.path, file, datum=datum_id, append=True)


def _put_small(writer: ChangeWriter, datum_id: str, place: Below, small: list[Output]) -> None:
    files, grown = [], []
    for output in small:
        with _read(place, output) as file:
            data = read_small(file, output.size)
        if data is None:
            grown.append(output)
        else:
            files.append((output.path, data))
    writer.put_small(files, datum=datum_id, append=True)
    for output in grown:
        _put_big(writer, datum_id, place, output)


@contextmanager
def _read(place: Below, output: Output) -> Iterator[int]:
    """An output, open."""
    with settled(output.below), place.file(output.below) as file:
        yield file

# SPDX-License-Identifier: Apache-2.0
"""A datum's inputs as files: `<folder>/<input>/<path>` for each match, in a folder of `folders`.

A match that is a directory brings all that is below it. Where several datums of an earlier pipeline wrote parts
of one file, it has their parts one after another. Bytes are verified before they are written. Of an input with
`empty_files` only the names are made; of a `lazy` one, pipes, which `pipes` feeds when they are read.
"""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from howdah.errors import Damaged, ErrorKind
from howdah.storage import rows
from howdah.storage.cutting import BIG_FILE
from howdah.storage.extents import Extents
from howdah.storage.local_files import explained
from howdah.storage.objects import Buffer
from howdah.storage.reader import Fileset, interval
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.tree_get import LocalFolder, write_tree
from howdah.worker.modes import Mode, modes_of
from howdah.worker.small_files import SmallFiles
from howdah.worker.values import Claim, Datum, Match, input_of

__all__ = ["Materialiser", "Pipe", "input_fileset"]


class Pipe(NamedTuple):
    """A file of a lazy input: its path below the datum's folder, and what is to be read from it."""

    below: str
    extents: Extents
    size: int
    referrer: str


def input_fileset(storage: Storage, claim: Claim, name: str, branch: str = "") -> Fileset:
    """The files of a claim's input; `branch` tells apart what shares a name.

    Raises:
        Damaged: the claim has no input of that name.
    """
    found = input_of(claim, name, branch)
    if found is None:
        text = f"job {claim.job} has a datum with an input {name!r} that it does not read; reprocess the pipeline"
        raise Damaged(ErrorKind.OBJECT_CORRUPT, text)
    return storage.fileset(found.root, f"input {name} of job {claim.job}")


class Materialiser:
    """Prepares folders of one claim's datums. For one thread, but for `content`."""

    def __init__(self, storage: Storage, claim: Claim) -> None:
        self._storage = storage
        self._claim = claim
        self._modes = modes_of(claim.spec)
        self._small = SmallFiles(storage)

    @property
    def in_memory(self) -> bool:
        """Whether the claim wants its folders there."""
        return self._claim.spec.transform.memory_volume

    def prepare(self, datum: Datum, folder: str, pipes: list[Pipe] | None = None) -> int:
        """Fill a folder of `Folders` with a datum's inputs; the number of their bytes.

        What is to be fed later is added to `pipes`, and its bytes do not count.

        Raises:
            Damaged: an input's bytes are missing or wrong; the folder has some of the files then.
            Refused, Unavailable, BadRequest: a file cannot be written.
        """
        return sum([self._prepare(match, folder, [] if pipes is None else pipes) for match in datum.inputs])

    def content(self, pipe: Pipe) -> Iterator[Buffer]:
        """The verified bytes of a lazy file, piece by piece. For any thread.

        Raises:
            Damaged: they are missing or wrong.
        """
        return self._storage.reader.read(pipe.extents, 0, pipe.size, pipe.referrer)

    def _prepare(self, match: Match, folder: str, pipes: list[Pipe]) -> int:
        fileset = input_fileset(self._storage, self._claim, match.name, match.branch)
        mode = self._modes.get(match.name, Mode.WHOLE)
        entries = [] if match.path.endswith("/") else fileset.find(match.path)
        if mode is not Mode.WHOLE:
            self._name(mode, match.name, folder, entries or _below(fileset, match.path), fileset.referrer, pipes)
            return 0
        place = f"{folder}/{match.name}"
        if entries:
            return self._write_file(entries, place, f"file {match.path} of {fileset.referrer}")
        files = ((path[1:], extents) for path, extents in _whole_files(_below(fileset, match.path)))
        return write_tree(
            self._storage.reader, LocalFolder(place), files, lambda path: f"file /{path} of {fileset.referrer}"
        )

    def _name(
        self, mode: Mode, name: str, folder: str, entries: Iterable[Entry], referrer: str, pipes: list[Pipe]
    ) -> None:
        """Make the names of files that get no content now."""
        local = LocalFolder(f"{folder}/{name}")
        for path, extents in _whole_files(entries):
            if mode is Mode.EMPTY:
                local.write([(path[1:], b"")])
                continue
            place = local.place(path[1:])
            with explained(place):
                os.mkfifo(place)
            pipes.append(Pipe(name + path, extents, extents.total, f"file {path} of {referrer}"))

    def _write_file(self, entries: list[Entry], place: str, referrer: str) -> int:
        folder, path = LocalFolder(place), entries[0].path[1:]
        size = sum([entry.size for entry in entries])
        if len(entries) == 1 and size < BIG_FILE:
            return folder.write([(path, self._small.read(entries[0], referrer))])
        extents = entries[0].extents.concat(*[entry.extents for entry in entries[1:]])
        self._storage.reader.write_file(extents, folder.place(path), referrer)
        return size


def _below(fileset: Fileset, path: str) -> Iterator[Entry]:
    """All entries below a directory, with or without its slash."""
    lower, upper = interval(path if path.endswith("/") else path + "/")
    return (entry for batch in fileset.batches(lower, upper) for entry in rows.entries(batch))


def _whole_files(entries: Iterable[Entry]) -> Iterator[tuple[str, Extents]]:
    """Path and extents of each file; parts of one file are put together."""
    path, parts = "", list[Extents]()
    for entry in entries:
        if entry.path != path:
            if parts:
                yield path, parts[0].concat(*parts[1:]) if len(parts) > 1 else parts[0]
            path, parts = entry.path, []
        parts.append(entry.extents)
    if parts:
        yield path, parts[0].concat(*parts[1:]) if len(parts) > 1 else parts[0]

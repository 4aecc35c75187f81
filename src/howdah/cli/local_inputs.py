# SPDX-License-Identifier: Apache-2.0
"""A datum's inputs in a folder as a worker would lay them out, fetched by the client: no store need be in reach."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from howdah.storage.extents import Extents
from howdah.storage.local_files import explained
from howdah.storage.objects import Buffer
from howdah.worker.materialise import Pipe
from howdah.worker.modes import Mode, modes_of

if TYPE_CHECKING:
    from howdah.client import Client, InputFile
    from howdah.model.spec import PipelineSpec

__all__ = ["Fetched"]


class Fetched:
    """Fetches what is in a datum; and, as a `worker.pipes.Source`, the bytes of files that are pipes."""

    def __init__(self, client: "Client", spec: "PipelineSpec", named: "list[tuple[str, InputFile]]") -> None:
        self._client = client
        self._modes = modes_of(spec)
        self._named = named
        self.pipes: list[Pipe] = []
        # Where the bytes of each pipe are.
        self._files: dict[str, tuple[InputFile, str]] = {}

    def prepare(self, folder: str) -> int:
        """Fill a folder that has one for each input; the number of bytes that came.

        Raises:
            NotFound: a file is not in the lake any more.
            Damaged, Unavailable, Refused: it cannot be read, or not be written here.
        """
        return sum(self._prepare(folder, name, file) for name, file in self._named)

    def content(self, pipe: Pipe) -> Iterator[Buffer]:
        """The bytes of a lazy file. For any thread."""
        file, path = self._files[pipe.below]
        return self._client.read_file(file.file.commit, path)

    def _prepare(self, folder: str, name: str, file: "InputFile") -> int:
        mode = self._modes.get(name, Mode.WHOLE)
        place = f"{folder}/{name}"
        path = file.file.path
        if mode is not Mode.WHOLE:
            self._name(mode, name, folder, file)
            return 0
        if path.endswith("/"):
            return self._client.get_folder(file.file.commit, path, place + path.rstrip("/")).bytes
        with explained(place):
            os.makedirs(os.path.dirname(place + path), exist_ok=True)
        return self._client.save_file(file.file.commit, path, place + path)

    def _name(self, mode: Mode, name: str, folder: str, file: "InputFile") -> None:
        """Make the names of files that get no content now."""
        for found in self._client.walk_files(file.file.commit, file.file.path):
            below = f"{name}{found.path}"
            place = f"{folder}/{below}".rstrip("/")
            with explained(place):
                if found.is_dir:
                    os.makedirs(place, exist_ok=True)
                    continue
                os.makedirs(os.path.dirname(place), exist_ok=True)
                if mode is Mode.EMPTY:
                    open(place, "wb").close()
                    continue
                os.mkfifo(place)
            self.pipes.append(Pipe(below, Extents(), found.size_bytes, f"file {file.file}"))
            self._files[below] = (file, found.path)

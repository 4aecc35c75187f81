# SPDX-License-Identifier: Apache-2.0
"""A lake for tests: versioned files over a real database and a real store."""

from collections.abc import Iterable
from pathlib import Path

from howdah.db.engine import Database
from howdah.kit.clock import Clock
from howdah.model.refs import Branch, Commit, Commitish, CommitRef, Repo
from howdah.pfs.lake import Pfs
from howdah.pfs.writes import Put
from howdah.storage.lake import open_store
from howdah.storage.storage import Storage

IMAGES = Repo("default", "images")
MASTER = Branch(IMAGES, "master")
HEAD = CommitRef(IMAGES, "master")


class OpenLake:
    """A lake in a folder, with the repo `images`. `reopen` is what a restart of the server is to it.

    Its objects are there too, unless `store` is the URL of another place.
    """

    def __init__(self, folder: Path, clock: Clock | None = None, *, store: str | None = None) -> None:
        self.folder = folder
        self.clock = clock
        self.store = store or str(folder / "objects")
        self._open()
        self.pfs.catalog.repos.create(IMAGES)

    def _open(self) -> None:
        self.db = Database.open(self.folder / "metadata.db", clock=self.clock)
        self.storage = Storage(open_store(self.store))
        self.pfs = Pfs.open(self.db, self.storage)

    def close(self) -> None:
        self.storage.close()
        self.db.close()

    def reopen(self) -> None:
        self.close()
        self._open()

    def put(self, target: Commitish, path: str, data: bytes, *, append: bool = False) -> Commit:
        return self.pfs.writes.modify(target, [Put(path, [data], append=append)])

    def put_all(self, target: Commitish, files: dict[str, bytes]) -> Commit:
        return self.pfs.writes.modify(target, [Put(path, [data]) for path, data in files.items()])

    def read(self, ref: Commitish) -> dict[str, bytes]:
        view = self.pfs.files.view(ref)
        return {entry.path: joined(view.read(entry)) for entry in view.files("/")}


def joined(pieces: Iterable[memoryview]) -> bytes:
    return b"".join(bytes(piece) for piece in pieces)

# SPDX-License-Identifier: Apache-2.0
"""A lake in memory whose database and store go by one clock, and what looks after it."""

from dataclasses import dataclass

from howdah.model.refs import Branch, Commit, Repo
from howdah.model.upkeep import Collected
from howdah.storage.memory_store import MemoryStore
from howdah.storage.objects import ObjectStore
from howdah.storage.storage import Storage
from howdah.upkeep import Upkeep
from tests.pps.lakes import Lake

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass
class KeptLake(Lake):
    """A lake of `tests.pps` that can collect its garbage. Its store tells the time of the lake."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.storage.close()
        self.store = self.make_store()
        self.restart()

    def make_store(self) -> ObjectStore:
        return MemoryStore("upkeep", self.clock)

    def restart(self) -> None:
        super().restart()
        self.upkeep = Upkeep.open(self.pfs)

    def collect(self, **options: float) -> Collected:
        return self.upkeep.collector.collect(**options)

    def age(self, seconds: float = 2 * HOUR) -> None:
        """Let time pass: more than any lease lives and than new objects are left alone."""
        self.clock.advance(seconds)

    def delete(self, name: str) -> None:
        self.pfs.catalog.repos.delete(Repo("default", name), force=True)

    def keys(self, prefix: str = "") -> set[str]:
        """The keys of all objects that are not in the trash."""
        return {info.key for info in self.store.list(prefix) if not info.key.startswith("trash/")}

    def trash(self) -> set[str]:
        return {info.key.removeprefix("trash/") for info in self.store.list("trash/")}

    def start(self, name: str, branch: str = "master") -> Commit:
        return self.pfs.catalog.commits.start(Branch(Repo("default", name), branch))

    def fresh_reader(self) -> Storage:
        """Storage without anything in its caches."""
        return Storage(self.store)

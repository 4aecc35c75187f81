# SPDX-License-Identifier: Apache-2.0
"""Looking after a lake, put together: what the APIs and the server are given."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from howdah.db.transaction import Transaction
from howdah.pfs.lake import Pfs
from howdah.pfs.retentions import Retentions
from howdah.upkeep.collector import Collector
from howdah.upkeep.fsck import Fsck
from howdah.upkeep.retiring import Retiring
from howdah.upkeep.roots import Holder, Root
from howdah.upkeep.usage import Usage

__all__ = ["Upkeep"]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Everything about looking after one lake. Safe for many threads."""

    collector: Collector
    usage: Usage
    fsck: Fsck
    retentions: Retentions
    retiring: Retiring

    @classmethod
    def open(cls, pfs: Pfs) -> Self:
        """Put it together over a lake. Nothing runs by itself."""

        def open_filesets(tx: Transaction) -> Iterator[Root]:
            return (Root(Holder.COMMIT, key, root) for key, root in pfs.open_commits.roots(tx))

        def settle() -> None:
            pfs.held.rest()
            pfs.catalog.leases.expire()
            pfs.file_sets.expire()

        store = pfs.storage.store
        usage = Usage(pfs.db, store)
        return cls(
            Collector(pfs.db, store, open_filesets, settle),
            usage,
            Fsck(pfs.db, pfs.catalog.works, store),
            pfs.catalog.retentions,
            Retiring(pfs.db, pfs.catalog.works, usage.freed),
        )

# SPDX-License-Identifier: Apache-2.0
"""Check a lake: its metadata first, then its bytes. See `upkeep.metadata` and `upkeep.proving`."""

import time
from collections.abc import Iterator

from howdah.db.engine import Database
from howdah.errors import BadRequest, ErrorKind
from howdah.model.upkeep import Fault, Proved
from howdah.pfs.work import Works
from howdah.storage.objects import ObjectStore
from howdah.upkeep.limiting import LimitedStore, Pause
from howdah.upkeep.metadata import check_metadata
from howdah.upkeep.proving import Part, Proof

__all__ = ["Fsck"]


class Fsck:
    """Checks one lake. Safe for many threads; nothing that is read is changed, except with `repair`."""

    def __init__(self, db: Database, works: Works, store: ObjectStore, *, pause: Pause = time.sleep) -> None:
        self._db = db
        self._works = works
        self._store = store
        self._pause = pause

    def check(
        self,
        *,
        repair: bool = False,
        metadata_only: bool = False,
        part: Part | None = None,
        after: str = "",
        bytes_per_second: float = 0,
    ) -> Iterator[Fault | Proved]:
        """Faults as they are found, and how far the proof of bytes has come; its last word has no `after`.

        Metadata are looked at in the first part alone, and not again when a check is gone on with. Repairs change
        metadata and never a byte.

        Raises:
            BadRequest: a part that does not exist, a negative rate, or an `after` that no check gave.
        """
        if bytes_per_second < 0:
            raise BadRequest(
                ErrorKind.BAD_ARGUMENT, f"{bytes_per_second} bytes a second is no rate; give 0 for no limit"
            )
        store = LimitedStore(self._store, bytes_per_second, self._db.clock, self._pause)
        proof = Proof(self._db, store, part, after)
        return self._all(proof, repair, first=(part or Part()).number == 1 and not after, metadata_only=metadata_only)

    def metadata(self, *, repair: bool = False) -> list[Fault]:
        """The faults of metadata alone."""
        return list(check_metadata(self._db, self._works, repair=repair))

    def _all(self, proof: Proof, repair: bool, *, first: bool, metadata_only: bool) -> Iterator[Fault | Proved]:
        if first or metadata_only:
            yield from check_metadata(self._db, self._works, repair=repair)
        if not metadata_only:
            yield from proof.run()

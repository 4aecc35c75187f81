# SPDX-License-Identifier: Apache-2.0
"""A worker that does thousands of datums at once: it claims sets by `howdah.v1.Work` and hands each in as one change.

What a datum makes is one small file, so that a million of them is the work of the server and of nobody else.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import pyarrow as pa

from howdah.storage import changes, rows
from howdah.storage.changes import Layer
from howdah.storage.extents import Extents
from howdah.storage.filehash import hash_small
from howdah.storage.lake import open_store
from howdah.storage.rows import Entry
from howdah.storage.slices import slice_rows
from howdah.storage.storage import Storage
from howdah.worker.link import Link
from howdah.worker.values import Claim, Result

__all__ = ["BatchWorker"]


class BatchWorker:
    """One worker, beside the store of its server. Used inside a `with` block."""

    def __init__(self, address: str) -> None:
        self._link = Link(address, "batches")
        self._storage = Storage(open_store(self._link.lake()[1]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._link.close()
        self._storage.close()

    def work(self, count: int, *, fails: Callable[[int], bool] | None = None) -> None:
        """Do sets until at least `count` datums are done; with `fails` those datums fail whose number it says.

        Datums make no files then. Waits for work.
        """
        done = 0
        while done < count:
            if (claim := self._link.claim()) is None:
                continue
            ids = self._ids(claim)
            results = [_result(datum, fails is not None and fails(done + at)) for at, datum in enumerate(ids)]
            change = b"" if fails is not None else self._outputs(ids)
            self._link.hand_in(claim, change, results, last=True, containment="none")
            done += len(ids)

    def _ids(self, claim: Claim) -> list[str]:
        todo = self._storage.fileset(claim.todo_root, f"job {claim.job}")
        found = slice_rows(todo, claim.first, claim.count)
        return [path[1:] for batch in found for path in batch.column(0).to_pylist()]

    def _outputs(self, ids: list[str]) -> bytes:
        """One small file for each datum, all in one chunk, as a change."""
        contents = [f"made by {datum}\n".encode() for datum in ids]
        name = self._storage.chunks.put(b"".join(contents))
        self._storage.store.sync()
        entries: list[Entry] = []
        at = 0
        for datum, content in zip(ids, contents, strict=True):
            extents = Extents.one(name, at, len(content))
            entries.append(Entry(f"/{datum[:2]}/{datum}", datum, len(content), hash_small(content), b"", extents))
            at += len(content)
        batch: pa.RecordBatch = rows.sort(rows.from_entries(entries))
        return changes.encode((Layer(appends=batch),))


def _result(datum: str, failed: bool) -> Result:
    return Result(
        datum_id=datum,
        reason="it was told to" if failed else "",
        tries=1,
        download_seconds=0.001,
        process_seconds=0.002,
        upload_seconds=0.001,
        download_bytes=1_000,
        upload_bytes=41,
    )

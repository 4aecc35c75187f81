# SPDX-License-Identifier: Apache-2.0
"""Finding lines of logs: in the order of time from either end, or in the order in which they came, to follow.

What is held is where lines are (an index row for some 256 KiB of them) and the lines of those pieces alone that overlap
in time: each piece is read when its time has come. A piece that moves into an object while it is looked for
is found there; one that is dropped meanwhile is passed over.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from howdah.db.engine import Database
from howdah.model.refs import Pipeline
from howdah.pps import log_rows
from howdah.pps.infos import LogLine
from howdah.pps.log_format import lines_of
from howdah.pps.log_query import Filter, LogQuery, Numbered, Passes, filter_of, scope_of, subject_of
from howdah.pps.log_rows import Piece, Scope
from howdah.storage.chunks import Chunks

__all__ = ["FoundLines", "find_lines"]

_AHEAD: Final = 50  # rows whose blocks are read together
_OBJECTS_KEPT: Final = 2  # that were read last: neighbours are in the same one
_NAMES_KEPT: Final = 10_000


def find_lines(db: Database, chunks: Chunks, query: LogQuery, reads: Passes) -> "FoundLines":
    """The lines that a query asks for, as of now. Those of a million datums are not touched before they are read.

    Raises:
        NotFound: there is no such job, pipeline or project, and no lines of one.
    """
    with db.read() as tx:
        scope = scope_of(tx, query)
        place = log_rows.newest(tx)
        pieces = list(log_rows.pieces(tx, scope, since=query.since, until=query.until, datum=query.datum))
        lost = log_rows.dropped(tx, scope)
    if lost is not None and query.since is not None and lost.until < query.since:
        lost = None
    return FoundLines(db, chunks, query, filter_of(query, reads), scope, pieces, place, lost)


class FoundLines:
    """The lines of a query. For one thread at a time.

    place     the number of the newest block: what comes later is found by `after`
    dropped   lines that would be here, but for the rules for logs; None if there are none
    subject   what is told of when there are more
    """

    def __init__(
        self,
        db: Database,
        chunks: Chunks,
        query: LogQuery,
        chosen: Filter,
        scope: Scope,
        pieces: list[Piece],
        place: int,
        dropped: log_rows.Dropped | None,
    ) -> None:
        self.place = place
        self.dropped = dropped
        self.subject = subject_of(query)
        self._db = db
        self._query = query
        self._chosen = chosen
        self._scope = scope
        self._pieces = pieces
        self._texts = _Texts(db, chunks)
        # Of jobs, by key. Bounded.
        self._names: dict[int, tuple[Pipeline | None, str]] = {}

    def lines(self, *, newest_first: bool = False) -> Iterator[LogLine]:
        """All of them in the order of their times; of one time, in the order in which they came. Read as they go.

        Raises:
            Damaged: an object of the store is missing or broken.
        """
        sign = -1 if newest_first else 1
        if newest_first:
            order = sorted(self._pieces, key=lambda piece: (piece.last_at, piece.number), reverse=True)
        else:
            order = sorted(self._pieces, key=lambda piece: (piece.first_at, piece.number))
        held: list[tuple[float, int, int, LogLine]] = []
        for piece, text in self._texts.of(order):
            begin = sign * (piece.last_at if newest_first else piece.first_at).timestamp()
            while held and held[0][0] < begin:
                yield heapq.heappop(held)[3]
            for number, at, line in self._of(piece, text):
                heapq.heappush(held, (sign * line.at.timestamp(), sign * number, sign * at, line))
        while held:
            yield heapq.heappop(held)[3]

    def tail(self, number: int) -> list[LogLine]:
        """The last `number` of them, oldest first. Raises as `lines`."""
        return list(islice(self.lines(newest_first=True), number))[::-1]

    def after(self, place: int, limit: int) -> tuple[int, list[LogLine]]:
        """Lines that came after a place, in their order, some `limit` of them; and the place to go on from.

        Raises:
            Damaged: an object of the store is missing or broken.
        """
        with self._db.read() as tx:
            newest = log_rows.newest(tx)
            query = self._query
            found = log_rows.pieces(tx, self._scope, since=query.since, datum=query.datum, after=place)
            pieces = sorted(found, key=lambda piece: piece.number)
        lines: list[Numbered] = []
        last: Piece | None = None
        for piece, text in self._texts.of(pieces):
            # The parts of one object hold blocks of the same numbers, so they are taken together.
            if last is not None and len(lines) >= limit and (piece.object is None or piece.object != last.object):
                newest = last.number
                break
            lines += self._of(piece, text, after=place)
            last = piece
        lines.sort(key=lambda each: each[:2])
        return newest, [line for _, _, line in lines]

    def _of(self, piece: Piece, text: bytes | None, after: int = 0) -> list[Numbered]:
        """The wanted lines of a piece."""
        pipeline, set_id = self._name(piece.job_id)
        worker = self._query.worker
        wanted: Callable[[str], bool] | None = (lambda name: name == worker) if worker else None
        datum = self._query.datum
        if text is None:
            where, text, only = self._texts.moved(piece)
            found = lines_of(text, pipeline, set_id, wanted, datum=datum, after=after, only=only) if where else iter(())
        else:
            found = lines_of(text, pipeline, set_id, wanted, datum=datum, after=after)
        return self._chosen((number or piece.number, at, line) for number, at, line in found)

    def _name(self, job_id: int) -> tuple[Pipeline | None, str]:
        if job_id not in self._names:
            if len(self._names) >= _NAMES_KEPT:
                self._names.clear()
            with self._db.read() as tx:
                self._names |= log_rows.sources(tx, {job_id})
        return self._names.setdefault(job_id, (None, ""))


class _Texts:
    """Reads what pieces hold: some rows at once, and an object once for all its parts that stand together."""

    def __init__(self, db: Database, chunks: Chunks) -> None:
        self._db = db
        self._chunks = chunks
        self._objects: dict[bytes, memoryview] = {}

    def of(self, pieces: list[Piece]) -> Iterator[tuple[Piece, bytes | None]]:
        """Each piece with its text, in the same order; None for a row that is not there any more."""
        waiting = deque(pieces)
        while waiting:
            some = [waiting.popleft() for _ in range(min(_AHEAD, len(waiting)))]
            with self._db.read() as tx:
                found = log_rows.bodies(tx, [piece.number for piece in some if piece.object is None])
            for piece in some:
                yield piece, found.pop(piece.number, None) if piece.object is None else self._part(piece)

    def moved(self, piece: Piece) -> tuple[Piece | None, bytes, int]:
        """The part that the block of a row moved to, its text, and the number of the block; no part if it is gone."""
        with self._db.read() as tx:
            found = log_rows.moved(tx, piece)
        return found, b"" if found is None else self._part(found), piece.number

    def _part(self, piece: Piece) -> bytes:
        if piece.object is None:
            raise ValueError(f"piece {piece.number} of a log is not in an object")
        if (whole := self._objects.get(piece.object)) is None:
            while len(self._objects) >= _OBJECTS_KEPT:
                del self._objects[next(iter(self._objects))]
            whole = self._objects[piece.object] = self._chunks.read_view(piece.object, "a log")
        return bytes(whole[piece.start : piece.start + piece.length])

# SPDX-License-Identifier: Apache-2.0
"""The next datums of a claim, made ready by a thread while the present one runs."""

import threading
import time
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Final

from howdah.errors import HowdahError
from howdah.kit import fail
from howdah.worker.folders import Folders
from howdah.worker.materialise import Materialiser, Pipe
from howdah.worker.values import Datum

__all__ = ["Ready", "make_ready", "prefetched"]

AHEAD_DATUMS: Final = 4  # so that a datum that runs shortly after a long one finds its files there
AHEAD_BYTES: Final = 64 << 20  # of inputs; one datum may be as big as it is


@dataclass(frozen=True, slots=True)
class Ready:
    """A datum whose inputs lie in `folder`, or else the error that prevented it, and then there is no folder.

    `pipes` are the files of lazy inputs: they are there, and want to be fed.
    """

    datum: Datum
    folder: str
    size: int
    seconds: float
    error: HowdahError | None = None
    pipes: tuple[Pipe, ...] = ()


def make_ready(datum: Datum, folders: Folders, materialiser: Materialiser) -> Ready:
    """Prepare a fresh folder for a try of a datum; an error of ours is an answer, too."""
    began = time.perf_counter()
    folder, pipes = "", list[Pipe]()
    try:
        folder = folders.new([match.name for match in datum.inputs], in_memory=materialiser.in_memory)
        size = materialiser.prepare(datum, folder, pipes)
    except HowdahError as error:
        if folder:
            folders.discard(folder)
        return Ready(datum, "", 0, time.perf_counter() - began, error)
    return Ready(datum, folder, size, time.perf_counter() - began, pipes=tuple(pipes))


def prefetched(datums: Iterable[Datum], folders: Folders, materialiser: Materialiser) -> Generator[Ready, None, None]:
    """Each datum made ready, in order. Close it, or take all: folders that were not taken are discarded then.

    Raises:
        whatever reading `datums` raises.
    """
    ahead = _Ahead()
    thread = threading.Thread(target=_fill, args=(ahead, datums, folders, materialiser), name="prefetch", daemon=True)
    thread.start()
    try:
        while (ready := ahead.take()) is not None:
            yield ready
    finally:
        for left in ahead.stop():
            if left.folder:
                folders.discard(left.folder)
        thread.join()


def _fill(ahead: "_Ahead", datums: Iterable[Datum], folders: Folders, materialiser: Materialiser) -> None:
    try:
        for datum in datums:
            if not ahead.wait_for_room():
                break
            ready = make_ready(datum, folders, materialiser)
            fail.here("worker.ready")
            if not ahead.put(ready):
                if ready.folder:
                    folders.discard(ready.folder)
                break
        ahead.end(None)
    except BaseException as error:
        ahead.end(error)


class _Ahead:
    """What is ready and not yet taken; bounded."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # All below is guarded by _changed.
        self._ready: deque[Ready] = deque()
        self._bytes = 0
        self._stopped = False
        self._ended = False
        self._error: BaseException | None = None

    def wait_for_room(self) -> bool:
        """Return when one more may be made ready; False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or (len(self._ready) < AHEAD_DATUMS and self._bytes < AHEAD_BYTES)
            )
            return not self._stopped

    def put(self, ready: Ready) -> bool:
        with self._changed:
            if self._stopped:
                return False
            self._ready.append(ready)
            self._bytes += ready.size
            self._changed.notify_all()
            return True

    def take(self) -> Ready | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended)
            if not self._ready:
                if self._error is not None:
                    raise self._error
                return None
            ready = self._ready.popleft()
            self._bytes -= ready.size
            self._changed.notify_all()
            return ready

    def end(self, error: BaseException | None) -> None:
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def stop(self) -> list[Ready]:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            left = list(self._ready)
            self._ready.clear()
            return left

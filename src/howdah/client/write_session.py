# SPDX-License-Identifier: Apache-2.0
"""One write at the object store: its lease, what stores its bytes and counts them, and its handing in.

What a change is made of is the concern of `direct_writer`, which is for any number of files, and of `light_writer`,
which begins every write and is enough for a few.
"""

import threading
from contextlib import suppress
from functools import cached_property

from howdah.client.channel import Wire
from howdah.client.values import Progress
from howdah.client.watched import Tally, WatchedChunks
from howdah.errors import HowdahError, Unavailable
from howdah.model.refs import Commitish
from howdah.storage.content import STORE_THREADS, ContentWriter
from howdah.storage.objects import ObjectStore
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as hd

__all__ = ["KeptLease", "WriteSession"]


class WriteSession:
    """A lease on a target, and what goes under it. For one thread.

    Raises what the server says of the target: it is not there, or takes no more files.
    """

    def __init__(
        self, wire: Wire, store: ObjectStore, target: Commitish, progress: Progress | None, parallel: int
    ) -> None:
        self.wire = wire
        self.target = target
        self.store = store
        self.tally = Tally()
        self.parallel = parallel
        self._progress = progress
        self._message = commit_message(target)
        answer = wire.call(wire.lake.StartWrite, hd.StartWriteRequest(commit=self._message))
        self._ended = False
        self.base_root: bytes = answer.base_root
        self._lease = KeptLease(wire, answer.lease_id, answer.lease_seconds)

    @cached_property
    def chunks(self) -> WatchedChunks:
        """Where chunks go."""
        return WatchedChunks(self.store, self.tally.fresh)

    @cached_property
    def content(self) -> ContentWriter:
        """What stores bytes that are told as they are read."""
        return ContentWriter(self.chunks)

    @cached_property
    def local(self) -> ContentWriter:
        """What stores big local files, which are told chunk by chunk."""
        chunks = WatchedChunks(self.store, self.tally.fresh, self._progress)
        return ContentWriter(chunks, threads=max(STORE_THREADS, self.parallel))

    def done(self, size: int, files: int) -> None:
        """Tell that so many more bytes and files went in."""
        if self._progress is not None:
            self._progress(size, files)

    def hand_in(self, change: bytes) -> None:
        """Give the change to the server, which applies it; all that it names must be durable."""
        request = hd.HandInRequest(commit=self._message, lease_id=self._lease.id, change=change)
        self.wire.call(self.wire.lake.HandIn, request)
        self._ended = True
        self.close()

    def close(self) -> None:
        """End the lease's renewal and all threads; closing again does nothing.

        What was stored for a change that is not handed in is kept, so that the next attempt finds it.
        """
        self._lease.end()
        for part in ("content", "local"):
            if part in self.__dict__:
                self.__dict__[part].close()
        if not self._ended:
            self._ended = True
            with suppress(HowdahError):
                self.store.sync()


class KeptLease:
    """Keeps a lease alive from a thread of its own."""

    def __init__(self, wire: Wire, id: str, seconds: float) -> None:
        self.id = id
        self._wire = wire
        self._seconds = seconds or 1
        self._ended = threading.Event()
        # Not a timer for each renewal: one thread that sleeps costs nothing and ends with the process.
        threading.Thread(target=self._renew, name="renew-lease", daemon=True).start()

    def end(self) -> None:
        """Let the lease run out; ending it again does nothing."""
        self._ended.set()

    def _renew(self) -> None:
        # Three renewals in each lifetime, so that two may be lost.
        while not self._ended.wait(self._seconds / 3):
            try:
                self._wire.call(self._wire.lake.RenewWrite, hd.RenewWriteRequest(lease_id=self.id))
            except Unavailable:
                continue
            except HowdahError:
                return  # the lease is lost; handing in will say so

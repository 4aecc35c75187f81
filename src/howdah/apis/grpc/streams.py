# SPDX-License-Identifier: Apache-2.0
"""Bounded queues between a thread of the core and the event loop, one for each direction.

Crossing from thread to loop costs some 50 µs, more than sending a small message. So nothing crosses one by one:
each side takes all that is there, and wakes the other only when it sleeps. A message is never held back
to fill a batch. `bridge` says which thread runs what.
"""

import asyncio
import contextvars
import enum
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, Protocol, TypeVar, cast

from howdah.errors import ErrorKind, Unavailable

__all__ = ["Inbox", "Outbox", "message_size"]

M = TypeVar("M")

# What waits on one side of a stream; one more message may always be on top. Twice this and two messages
# are the most that a slow client holds. Smaller costs wake-ups, larger only memory.
WAITING_BYTES: Final = 2 << 20

# What an entry costs beyond its content, so that empty messages are bounded too.
ENTRY_BYTES: Final = 128


class _Sized(Protocol):
    def ByteSize(self) -> int: ...  # noqa: N802 - protobuf's name


def message_size(message: object) -> int:
    """Bytes of a protobuf message, or of one that is serialised already."""
    if isinstance(message, bytes):
        return len(message)
    return cast(_Sized, message).ByteSize()


class Outbox(Generic[M]):
    """From a blocking iterator to the loop.

    `fill` runs in a thread: it iterates until the queue is full, and then *returns*, so a client that reads
    slowly holds no thread. `take` runs on the loop. The iterator is resumed by whichever thread runs the next
    `fill`, never by two at once, and is closed by `close` or by its own end.
    """

    def __init__(self, source: Callable[[], Iterable[M]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._open = source
        # The iterator's own log context: it keeps what the iterator sets there from one thread to the next.
        self._context = contextvars.copy_context()
        self._source: Iterator[M] | None = None
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        # Guarded by the lock, all of them. Invariant: `_bytes` is the size of `_items`.
        self._items: deque[M] = deque()
        self._bytes = 0
        self._woken = False  # the loop was told and has not taken yet
        self._filling = False
        self._closed = False
        self._ended = False  # the iterator came to its end, by itself or by an error
        self._error: BaseException | None = None

    def claim(self) -> bool:
        """Whether a `fill` is due; the caller who hears True must run it."""
        with self._lock:
            if self._filling or self._ended or self._closed or self._bytes >= WAITING_BYTES:
                return False
            self._filling = True
            return True

    def fill(self) -> None:
        """Iterate until the queue is full or closed or the iterator ends; its error is kept for `take`."""
        try:
            self._context.run(self._iterate)
        except BaseException as error:
            self._end(error)
        with self._lock:
            self._filling = False
            stop = self._closed
            self._wake()
        if stop:
            self._close_source()

    async def take(self) -> deque[M]:
        """All that waits; sleeps while there is nothing. Empty: the end. Raises the iterator's error there."""
        while True:
            with self._lock:
                items, self._items = self._items, deque()
                self._bytes = 0
                self._woken = False
                self._ready.clear()
                idle = not self._filling
                if not items and self._ended:
                    if self._error is not None:
                        raise self._error
                    return items
            if items or idle:
                return items
            await self._ready.wait()

    @property
    def ended(self) -> bool:
        """Nothing more will come: the iterator has ended and all was taken."""
        with self._lock:
            return self._ended and not self._items and self._error is None

    def close(self) -> bool:
        """Stop: a running `fill` closes the iterator at its next item. True: the caller must run `release`."""
        with self._lock:
            self._closed = True
            self._items.clear()
            return not self._filling and not self._ended

    def release(self) -> None:
        """Close the iterator, in a thread, after `close` said True."""
        self._close_source()

    def _iterate(self) -> None:
        if self._source is None:
            self._source = iter(self._open())
        for item in self._source:
            if not self._put(item):
                return
        self._end(None)

    def _put(self, item: M) -> bool:
        """Add one; False when the thread should leave."""
        size = message_size(item) + ENTRY_BYTES
        with self._lock:
            if self._closed:
                return False
            self._items.append(item)
            self._bytes += size
            self._wake()
            return self._bytes < WAITING_BYTES

    def _end(self, error: BaseException | None) -> None:
        with self._lock:
            self._ended = True
            self._error = error

    def _wake(self) -> None:
        """Tell the loop once until it takes. The lock is held."""
        if not self._woken and not self._closed:
            self._woken = True
            self._loop.call_soon_threadsafe(self._ready.set)

    def _close_source(self) -> None:
        close = getattr(self._source, "close", None)
        if close is not None:
            self._context.run(close)


class _State(enum.Enum):
    OPEN = enum.auto()
    ENDED = enum.auto()
    BROKEN = enum.auto()


class Inbox(Iterator[M], Generic[M]):
    """From the loop to a blocking consumer: the consumer, in its thread, iterates over this object.

    The iterator ends only when the client ended its stream in good order. When the client cancels or
    disappears, `next` raises Unavailable (CANCELLED), also when messages still wait: the consumer unwinds and
    applies nothing.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._room = asyncio.Event()
        # Guarded by the condition. `_bytes` counts what is here and the batch that the thread has taken.
        self._items: deque[M] = deque()
        self._bytes = 0
        self._starved = False  # the loop waits for room
        self._state = _State.OPEN
        # The thread's own.
        self._batch: deque[M] = deque()

    async def put(self, message: M) -> None:
        """Add a message, then wait until there is room for another."""
        size = message_size(message) + ENTRY_BYTES
        with self._changed:
            self._items.append(message)
            self._bytes += size
            self._changed.notify()
            self._starved = self._bytes >= WAITING_BYTES
        while self._starved:
            self._room.clear()
            await self._room.wait()

    def end(self) -> None:
        """The client ended its stream in good order; after a `break_off` this changes nothing."""
        self._leave(_State.ENDED)

    def break_off(self) -> None:
        """The client is gone; after an `end` this changes nothing."""
        self._leave(_State.BROKEN)

    def __next__(self) -> M:
        if not self._batch or self._state is _State.BROKEN:
            self._batch = self._next_batch()
        message = self._batch.popleft()
        self._used(message_size(message) + ENTRY_BYTES)
        return message

    def _next_batch(self) -> deque[M]:
        with self._changed:
            while not self._items and self._state is _State.OPEN:
                self._changed.wait()
            if self._state is _State.BROKEN:
                raise Unavailable(
                    ErrorKind.CANCELLED, "the client ended its stream before its end; nothing was applied"
                )
            if not self._items:
                raise StopIteration
            batch, self._items = self._items, deque()
            return batch

    def _used(self, size: int) -> None:
        with self._changed:
            self._bytes -= size
            if self._starved and self._bytes < WAITING_BYTES:
                self._starved = False
                self._loop.call_soon_threadsafe(self._room.set)

    def _leave(self, state: _State) -> None:
        with self._changed:
            if self._state is _State.OPEN:
                self._state = state
            self._changed.notify()

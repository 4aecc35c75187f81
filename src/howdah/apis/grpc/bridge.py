# SPDX-License-Identifier: Apache-2.0
"""The only way from an async servicer method into the blocking core.

Six shapes of call:

  `unary`    a function in a thread
  `stream`   a blocking iterator, sent as a server stream
  `upload`   a client stream, consumed by a blocking function
  `exchange` a stream of questions, each answered by a function
  `turns`    a stream of questions, each answered by a blocking iterator
  `wait`, `follow`   calls that wait for events (see `howdah.apis.hub`): no thread while nothing happens

Each takes the call's context first, and ends the call with the code and text that the error table gives.
An error outside the tree is a defect: it is logged with a number, and the client gets INTERNAL with that number.
Methods are coroutines that `return await self.bridge.…`; server streams write by themselves, which
sends a third more messages a second than an async generator does. Measured in docs/papers/0001.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, NoReturn, TypeVar

import grpc
import grpc.aio
import structlog

from howdah.apis.calls import KIND_KEY, Call, ErrorMap
from howdah.apis.grpc.streams import Inbox, Outbox
from howdah.apis.hub import Hub
from howdah.errors import ErrorKind, HowdahError, Unavailable
from howdah.kit.ids import NewId, new_id

__all__ = ["Bridge", "Context", "ErrorMap", "Page"]

T = TypeVar("T")
M = TypeVar("M")
C = TypeVar("C")

# A call as a servicer gets it, whichever edge carries it.
Context = Call

# Threads for short calls and for the conditions of waiting calls. They mostly wait for the database or the store.
CALL_THREADS: Final = 48
# Threads that fill server streams; one is held only while its client keeps up.
STREAM_THREADS: Final = 32
# One for each upload that has begun to send; further ones wait, held back by flow control.
UPLOAD_THREADS: Final = 256

# What grpc.aio raises from a write when the call or the server is gone.
_GONE: Final = (grpc.aio.InternalError, grpc.RpcError)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page(Generic[M, C]):
    """What one read of a followed thing gave: messages, where to read on, and whether that was all."""

    messages: Sequence[M]
    cursor: C
    ended: bool = False


class Bridge:
    """The threads of the gRPC edge and its error table. One for a server; all methods run on its loop."""

    def __init__(self, errors: ErrorMap, hub: Hub, *, incident: NewId = new_id) -> None:
        self._errors = errors
        self._hub = hub
        self._incident = incident
        self._calls = ThreadPoolExecutor(CALL_THREADS, "grpc-call")
        self._streams = ThreadPoolExecutor(STREAM_THREADS, "grpc-stream")
        self._uploads = ThreadPoolExecutor(UPLOAD_THREADS, "grpc-upload")
        # Calls that wait for events, so that a server that stops need not wait for them.
        self._waits: set[asyncio.Future[Any]] = set()
        self._waits_ended = False

    def end_waits(self) -> None:
        """End all waiting and following calls, now and from now on, with Unavailable: the server is stopping."""
        self._waits_ended = True
        for task in self._waits:
            task.cancel()

    def close(self) -> None:
        """Wait for the threads; call it when the server has stopped, so that no call is left to use them."""
        for pool in (self._calls, self._streams, self._uploads):
            pool.shutdown(wait=True)

    async def unary(self, context: Context, function: Callable[..., T], *args: Any) -> T:
        """The function's result. A client that leaves stops it only before it has begun; later it ends unheard."""
        return await self._guard(context, _in(self._calls, function, *args))

    async def stream(self, context: Context, source: Callable[[], Iterable[M]]) -> None:
        """Send all that `source()` iterates over, each as soon as it is there, in order.

        `source` and the iterator run in threads, one at a time but not always the same one. When the client
        reads slowly the iterator rests, without a thread, with at most some 4 MiB and two messages waiting.
        When the client leaves, the iterator is closed: a generator sees GeneratorExit at its `yield`.
        """
        await self._guard(context, self._send(context, Outbox(source)))

    async def upload(self, context: Context, function: Callable[[Iterator[M]], T], requests: AsyncIterator[M]) -> T:
        """The function's result; it is given a blocking iterator over the client's messages.

        The iterator ends only if the client ended its stream in good order. If it cancelled or vanished,
        `next` raises Unavailable, so a function that applies its work after the last message applies nothing.
        A function that returns or fails early ends the call at once. A stream without a message holds no thread.
        """
        return await self._guard(context, self._receive(context, function, requests))

    async def exchange(self, context: Context, answer: Callable[[M], object], requests: AsyncIterator[M]) -> None:
        """Send one answer for each of the client's messages, in order; `answer` runs in a thread."""
        await self._guard(context, self._exchange(context, answer, requests))

    async def turns(
        self,
        context: Context,
        answer: Callable[[M], Iterable[Any]],
        is_over: Callable[[], bool],
        requests: AsyncIterator[M],
    ) -> None:
        """Send, for each of the client's messages in order, all that `answer` iterates over.

        Each answer is sent as `stream` does, and the next message is read when it was sent. The call ends when the
        client has ended its stream, or after an answer when `is_over`.
        """
        await self._guard(context, self._turns(context, answer, is_over, requests))

    async def wait(self, context: Context, subjects: Iterable[str], until: Callable[[], T | None]) -> T:
        """The first answer of `until` that is not None: asked now, and after each event of the subjects.

        `until` runs in a thread and returns at once; in between nothing is held but memory.
        """
        return await self._guard(context, self._wait(self._hub.wait(subjects, until, self._calls)))

    async def follow(
        self,
        context: Context,
        subjects: Iterable[str],
        read: Callable[[C], Page[M, C]],
        start: C,
    ) -> None:
        """Send what `read` gives, page after page, until a page says that it is the last.

        `read` runs in a thread and does not wait: a page without messages means "nothing yet", and it is
        called again after the next event of the subjects. A page is read when the last one was sent.
        """
        await self._guard(context, self._wait(self._follow(context, frozenset(subjects), read, start)))

    async def guarded(self, context: Context, work: Awaitable[T]) -> T:
        """A whole call: what fails outside the other methods ends it in good order too."""
        try:
            return await self._guard(context, work)
        except _GONE as error:
            raise asyncio.CancelledError from error

    async def _guard(self, context: Context, work: Awaitable[T]) -> T:
        """Await the work; turn its error into the call's status."""
        try:
            return await work
        except (grpc.aio.AbortError, *_GONE):
            raise  # it has ended already
        except HowdahError as error:
            code, text = self._errors(error)
            await _abort(context, code, text, error.kind)
        except Exception as error:
            number = self._incident()
            _log.error("internal error", incident=number, exc_info=error)
            text = f"internal error {number}; the server's log tells what happened under this number"
            await _abort(context, grpc.StatusCode.INTERNAL, text)

    async def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work that may take for ever, in a task of its own, which `end_waits` can end."""
        task = asyncio.ensure_future(work)
        self._waits.add(task)
        if self._waits_ended:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if self._waits_ended and task.cancelled():
                raise Unavailable(
                    ErrorKind.UNREACHABLE, "the server is stopping; repeat the call when it is back"
                ) from None
            raise
        finally:
            self._waits.discard(task)
            task.cancel()

    async def _send(self, context: Context, box: Outbox[M]) -> None:
        """Fill in threads, write on the loop, both at once."""
        try:
            while True:
                self._fill(box)
                messages = await box.take()
                self._fill(box)
                for message in messages:
                    await _write(context, message)
                if not messages and box.ended:
                    return
        finally:
            if box.close():
                self._streams.submit(_quietly, box.release)

    def _fill(self, box: Outbox[M]) -> None:
        if box.claim():
            self._streams.submit(_quietly, box.fill)

    async def _receive(self, context: Context, function: Callable[[Iterator[M]], T], requests: AsyncIterator[M]) -> T:
        """Pump messages in a task of its own, so that a function that ends early ends the call."""
        box: Inbox[M] = Inbox()
        begun: asyncio.Future[asyncio.Future[T]] = asyncio.get_running_loop().create_future()

        def begin() -> None:
            if not begun.done():
                begun.set_result(asyncio.ensure_future(_in(self._uploads, function, box)))

        sealing = asyncio.Event()
        pump = asyncio.ensure_future(_pump(context, box, requests, begin, sealing))
        try:
            await asyncio.wait((pump, begun), return_when=asyncio.FIRST_COMPLETED)
            if not begun.done():
                pump.result()  # raises: the stream broke before its first message
            return await self._applied(begun.result(), pump)
        finally:
            box.break_off()
            pump.add_done_callback(_taken)
            if begun.done():
                begun.result().cancel()
                begun.result().add_done_callback(_taken)
            if not sealing.is_set():
                pump.cancel()
            # A status that is sent beside unfinished initial metadata is lost, and the client would wait for ever.
            await asyncio.wait((pump,))

    async def _applied(self, work: asyncio.Future[T], pump: asyncio.Future[None]) -> T:
        """The work's result; if it failed for a message that could not be read, that is the error."""
        try:
            return await work
        except Unavailable:
            unread = pump.exception() if pump.done() and not pump.cancelled() else None
            if isinstance(unread, HowdahError):
                raise unread from None
            raise

    async def _exchange(self, context: Context, answer: Callable[[M], object], requests: AsyncIterator[M]) -> None:
        try:
            async for request in requests:
                await _write(context, await _in(self._calls, answer, request))
        except _GONE as error:
            raise asyncio.CancelledError from error

    async def _turns(
        self,
        context: Context,
        answer: Callable[[M], Iterable[Any]],
        is_over: Callable[[], bool],
        requests: AsyncIterator[M],
    ) -> None:
        try:
            async for request in requests:
                await self._send(context, Outbox(partial(answer, request)))
                if is_over():
                    return
        except _GONE as error:
            raise asyncio.CancelledError from error

    async def _follow(self, context: Context, subjects: frozenset[str], read: Callable[[C], Page[M, C]], at: C) -> None:
        with self._hub.listen(subjects) as listener:
            while True:
                page = await _in(self._calls, read, at)
                for message in page.messages:
                    await _write(context, message)
                if page.ended:
                    return
                at = page.cursor
                if not page.messages:
                    await listener.changed()


async def _in(pool: Executor, function: Callable[..., T], *args: Any) -> T:
    """Run a function in a pool, with the log context of the call; a defect is logged even when the caller left."""
    future = pool.submit(contextvars.copy_context().run, function, *args)
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        future.add_done_callback(_heard)
        raise


def _taken(task: asyncio.Future[Any]) -> None:
    """Take the outcome of a task that has been stopped, so that asyncio does not call it forgotten."""
    if not task.cancelled():
        task.exception()


def _heard(future: Future[T]) -> None:
    """Log the defect of a thread whose caller has left."""
    error = None if future.cancelled() else future.exception()
    if error is not None and not isinstance(error, HowdahError):
        _log.error("a call failed after its client had left", exc_info=error)


async def _pump(
    context: Context, box: Inbox[M], requests: AsyncIterator[M], begin: Callable[[], None], sealing: asyncio.Event
) -> None:
    """Move the client's messages into the box; end the box only if the client ended in good order.

    Once `sealing` is set it must not be cancelled any more, and ends soon.
    """
    try:
        async for message in requests:
            begin()
            await box.put(message)
        # grpc.aio reports a cancelled stream like an ended one. An operation of our own comes after the
        # cancellation in the same queue, and fails on a cancelled call: whoever passes here was not cancelled.
        sealing.set()
        await context.send_initial_metadata(())
        await asyncio.sleep(0)  # lets a cancellation that came with it reach the call's task, and so us
        begin()
        box.end()
    except _GONE as error:
        raise asyncio.CancelledError from error
    finally:
        box.break_off()


async def _write(context: Context, message: object) -> None:
    try:
        await context.write(message)
    except _GONE as error:
        raise asyncio.CancelledError from error  # nobody is left to hear of it


async def _abort(context: Context, code: grpc.StatusCode, text: str, kind: str = "") -> NoReturn:
    """End the call; a call whose client has left ends silently."""
    try:
        await context.abort(code, text, ((KIND_KEY, str(kind)),) if kind else ())
    except _GONE as error:
        raise asyncio.CancelledError from error
    raise AssertionError("abort always raises")


def _quietly(function: Callable[[], None]) -> None:
    """Run a clean-up whose caller has left; an error goes to the log."""
    try:
        function()
    except Exception:
        _log.exception("closing an abandoned stream failed")

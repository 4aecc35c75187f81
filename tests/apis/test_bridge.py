# SPDX-License-Identifier: Apache-2.0
"""The bridge between the async gRPC edge and the blocking core, over real connections on 127.0.0.1."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import BytesValue
from structlog.testing import capture_logs

from howdah.apis import Hub
from howdah.apis.grpc import Bridge, Page
from howdah.apis.grpc.options import CHANNEL_OPTIONS, PAYLOAD_BYTES_MAX, SERVER_OPTIONS
from howdah.apis.grpc.register import bytes_value
from howdah.errors import ErrorKind, HowdahError, NotFound

WAIT = 10.0  # seconds that a test waits for what must happen; reached only by a failing test


class Core:
    """The blocking side: each test puts in the functions that the server calls."""

    unary: Callable[[bytes], bytes]
    stream: Callable[[bytes], Iterator[bytes]]
    upload: Callable[[Iterator[bytes]], bytes]
    until: Callable[[], bytes | None]
    read: Callable[[int], Page[bytes, int]]


class Edge:
    """A running server: its core, its hub, and a channel to it."""

    def __init__(self, core: Core, hub: Hub, port: int) -> None:
        self.core, self.hub, self.port = core, hub, port
        self.channel = self.connect()

    def connect(self, *options: tuple[str, int]) -> grpc.Channel:
        """A connection of its own."""
        alone = ("grpc.use_local_subchannel_pool", 1)
        return grpc.insecure_channel(f"127.0.0.1:{self.port}", options=[*CHANNEL_OPTIONS, alone, *options])

    def unary(self, request: bytes = b"") -> bytes:
        return bytes(self.channel.unary_unary("/test.Edge/Unary")(request, timeout=WAIT))

    def stream(self, request: bytes = b"", method: str = "Stream") -> Any:
        return self.channel.unary_stream(f"/test.Edge/{method}")(request, timeout=WAIT)

    def upload(self, requests: Iterator[bytes]) -> Any:
        return self.channel.stream_unary("/test.Edge/Upload").future(requests, timeout=WAIT)

    def wait(self, subject: bytes) -> Any:
        return self.channel.unary_unary("/test.Edge/Wait").future(subject, timeout=WAIT)


def table(error: HowdahError) -> tuple[grpc.StatusCode, str]:
    """The error table of these tests."""
    return (grpc.StatusCode.NOT_FOUND if isinstance(error, NotFound) else grpc.StatusCode.UNAVAILABLE), error.message


def handlers(bridge: Bridge, core: Core) -> grpc.GenericRpcHandler:
    """One method for each shape of call, in raw bytes."""

    async def unary(request: bytes, context: Any) -> bytes:
        return await bridge.unary(context, core.unary, request)

    async def stream(request: bytes, context: Any) -> None:
        await bridge.stream(context, lambda: core.stream(request))

    async def upload(requests: AsyncIterator[bytes], context: Any) -> bytes:
        return await bridge.upload(context, core.upload, requests)

    async def wait(request: bytes, context: Any) -> bytes:
        return await bridge.wait(context, [request.decode()], core.until)

    async def follow(request: bytes, context: Any) -> None:
        await bridge.follow(context, [request.decode()], core.read, 0)

    return grpc.method_handlers_generic_handler(
        "test.Edge",
        {
            "Unary": grpc.unary_unary_rpc_method_handler(unary),
            "Stream": grpc.unary_stream_rpc_method_handler(stream),
            "Upload": grpc.stream_unary_rpc_method_handler(upload),
            "Wait": grpc.unary_unary_rpc_method_handler(wait),
            "Follow": grpc.unary_stream_rpc_method_handler(follow),
        },
    )


@contextlib.contextmanager
def serving(core: Core) -> Iterator[Edge]:
    """A server on a loop of its own."""
    started: list[Edge] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def main() -> None:
        hub = Hub()
        bridge = Bridge(table, hub, incident=lambda: "4711")
        server = grpc.aio.server(options=SERVER_OPTIONS)
        server.add_generic_rpc_handlers((handlers(bridge, core),))
        started.append(Edge(core, hub, server.add_insecure_port("127.0.0.1:0")))
        await server.start()
        ready.set()
        await stop.wait()
        await server.stop(None)
        bridge.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert ready.wait(WAIT)
    try:
        yield started[0]
    finally:
        started[0].channel.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(WAIT)
        assert not thread.is_alive()
        loop.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Edge]:
    """One server for this module: starting one costs more than most tests."""
    with serving(Core()) as edge:
        yield edge


@pytest.fixture
def edge(server: Edge) -> Edge:
    """The server with an empty core."""
    vars(server.core).clear()
    return server


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true in good time."""
    end = time.monotonic() + WAIT
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.002)
    return condition()


def test_a_unary_call_is_answered_by_a_thread(edge: Edge) -> None:
    """The core's function runs in a thread of the bridge, not on the loop."""
    edge.core.unary = lambda request: request + threading.current_thread().name.encode()

    answer = edge.unary(b"from ")

    assert answer.startswith(b"from grpc-call")


def test_an_error_of_the_tree_ends_the_call_by_the_table(edge: Edge) -> None:
    """Code and text are those of the error table."""

    def fail(_: bytes) -> bytes:
        raise NotFound(ErrorKind.REPO_NOT_FOUND, "repo default/images not found")

    edge.core.unary = fail

    with pytest.raises(grpc.RpcError) as error:
        edge.unary()

    assert (grpc.StatusCode.NOT_FOUND, "repo default/images not found") == (error.value.code(), error.value.details())


def test_a_defect_is_logged_under_the_number_that_the_client_gets(edge: Edge) -> None:
    """The client sees INTERNAL and a number, not the defect's text."""
    edge.core.unary = lambda request: request[99:100] + bytes(1 // len(request))

    with capture_logs() as logs, pytest.raises(grpc.RpcError) as error:
        edge.unary()

    assert grpc.StatusCode.INTERNAL == error.value.code()
    assert "internal error 4711" in error.value.details()
    assert ["4711"] == [entry["incident"] for entry in logs]


def test_a_stream_arrives_whole_and_in_order(edge: Edge) -> None:
    """More messages than fit in the queue, so the iterator rests and goes on."""
    edge.core.stream = lambda request: (b"%04d" % n * 400 for n in range(int(request)))

    got = list(edge.stream(b"3000"))

    assert [b"%04d" % n * 400 for n in range(3000)] == got


def test_a_message_is_sent_before_the_next_one_exists(edge: Edge) -> None:
    """Nothing is held back to fill a batch."""
    go_on = threading.Event()

    def source(_: bytes) -> Iterator[bytes]:
        yield b"first"
        assert go_on.wait(WAIT)
        yield b"second"

    edge.core.stream = source
    stream = edge.stream()

    first = next(stream)
    go_on.set()

    assert [b"first", b"second"] == [first, *stream]


def test_an_error_in_mid_stream_comes_after_what_was_made_before_it(edge: Edge) -> None:
    """The client gets the messages, then the status."""

    def source(_: bytes) -> Iterator[bytes]:
        yield b"good"
        raise NotFound(ErrorKind.FILE_NOT_FOUND, "file /a not found")

    edge.core.stream = source
    stream = edge.stream()

    first = next(stream)
    with pytest.raises(grpc.RpcError) as error:
        next(stream)

    assert (b"good", grpc.StatusCode.NOT_FOUND) == (first, error.value.code())


def test_a_slow_reader_stops_the_iterator_and_holds_no_thread(edge: Edge) -> None:
    """Sixty stalled streams, more than there are threads: each makes a few MiB only, and others are served."""
    made = [0]

    def source(request: bytes) -> Iterator[bytes]:
        for _ in range(int(request)):
            made[0] += 1
            yield bytes(1 << 20)

    edge.core.stream = source
    stalled = [edge.stream(b"500") for _ in range(60)]
    firsts = [len(next(stream)) for stream in stalled]

    after = sum(1 for _ in edge.connect().unary_stream("/test.Edge/Stream")(b"16", timeout=WAIT))
    for stream in stalled:
        stream.cancel()

    assert [1 << 20] * 60 == firsts
    assert 16 == after
    assert made[0] <= 16 + 60 * 40  # the rest is in the client's and the kernel's buffers


def test_a_client_that_leaves_closes_the_iterator(edge: Edge) -> None:
    """A generator that is resting, full, sees GeneratorExit at its yield."""
    closed = threading.Event()

    def source(_: bytes) -> Iterator[bytes]:
        try:
            while True:
                yield bytes(1 << 20)
        finally:
            closed.set()

    edge.core.stream = source
    stream = edge.stream()
    next(stream)

    stream.cancel()

    assert closed.wait(WAIT)


def test_a_client_that_leaves_closes_an_iterator_at_work(edge: Edge) -> None:
    """A generator that is busy is closed at its next message."""
    left, closed = threading.Event(), threading.Event()

    def source(_: bytes) -> Iterator[bytes]:
        try:
            yield b"first"
            assert left.wait(WAIT)
            while True:
                yield b"more"
        finally:
            closed.set()

    edge.core.stream = source
    stream = edge.stream()
    next(stream)

    stream.cancel()
    left.set()

    assert closed.wait(WAIT)


def test_an_upload_arrives_whole_and_in_order(edge: Edge) -> None:
    """Payloads of the largest size that clients send, and small ones."""
    edge.core.upload = lambda requests: b",".join(b"%d:%d" % (len(r), r[0]) for r in requests)

    answer = edge.upload(iter([b"\x01" * PAYLOAD_BYTES_MAX, b"\x02", b"\x03" * 5000])).result()

    assert b"%d:1,1:2,5000:3" % PAYLOAD_BYTES_MAX == answer


def test_an_upload_without_messages_is_an_empty_one(edge: Edge) -> None:
    """The function still runs, once."""
    edge.core.upload = lambda requests: b"%d" % len(list(requests))

    assert b"0" == edge.upload(iter([])).result()


def test_a_cancelled_upload_never_looks_like_an_ended_one(edge: Edge) -> None:
    """Whenever the client cancels, the function's iterator raises; nothing is applied."""
    applied: list[int] = []
    broken: list[ErrorKind] = []
    begun = threading.Semaphore(0)

    def apply(requests: Iterator[bytes]) -> bytes:
        try:
            next(requests)
            begun.release()
            list(requests)
        except HowdahError as error:
            broken.append(error.kind)
            raise
        applied.append(1)
        return b""

    edge.core.upload = apply
    release = threading.Event()

    def requests(count: int) -> Iterator[bytes]:
        yield from [b"x" * 1000] * count
        release.wait(WAIT)

    for n in range(150):
        call = edge.upload(requests(1 + n % 7))
        assert begun.acquire(timeout=WAIT)
        call.cancel()

    assert soon(lambda: len(applied) + len(broken) >= 150)
    release.set()
    assert ([], {ErrorKind.CANCELLED}) == (applied, set(broken))


def test_a_function_that_fails_early_ends_an_upload_that_goes_on(edge: Edge) -> None:
    """The client hears of it while its stream is still open."""
    release = threading.Event()

    def fail(requests: Iterator[bytes]) -> bytes:
        next(requests)
        raise NotFound(ErrorKind.COMMIT_NOT_FOUND, "commit 12 not found")

    def requests() -> Iterator[bytes]:
        yield b"first"
        release.wait(WAIT)

    edge.core.upload = fail

    error = edge.upload(requests()).exception()
    release.set()

    assert (grpc.StatusCode.NOT_FOUND, "commit 12 not found") == (error.code(), error.details())


def test_a_fast_uploader_waits_for_a_slow_function(edge: Edge) -> None:
    """While the function rests, the client's stream stops; it never piles up here."""
    sent, resume = [0], threading.Event()

    def consume(requests: Iterator[bytes]) -> bytes:
        next(requests)
        assert resume.wait(WAIT)
        return b"%d" % (1 + sum(1 for _ in requests))

    def requests() -> Iterator[bytes]:
        for _ in range(64):
            sent[0] += 1
            yield bytes(1 << 20)

    edge.core.upload = consume
    call = edge.upload(requests())
    settled = [-1]

    def stopped() -> bool:
        before, settled[0] = settled[0], sent[0]
        threading.Event().wait(0.05)
        return before == sent[0]

    assert soon(stopped)
    held = sent[0]
    resume.set()

    assert b"64" == call.result()
    assert held <= 16


def test_waiting_calls_hold_no_thread(edge: Edge) -> None:
    """Two hundred waits, four times the threads, and another call is answered at once."""
    edge.core.until = lambda: None
    edge.core.unary = lambda request: request
    waits = [edge.wait(b"commit/1") for _ in range(200)]
    assert soon(lambda: edge.hub.waiting("commit/1") == 200)

    answer = edge.unary(b"here")
    for call in waits:
        call.cancel()

    assert b"here" == answer
    assert soon(lambda: edge.hub.waiting() == 0)


def test_a_wait_ends_at_the_event_that_makes_it_true(edge: Edge) -> None:
    """The condition is asked again after an event, and its answer is the call's."""
    state: list[bytes] = []
    edge.core.until = lambda: state[0] if state else None
    call = edge.wait(b"commit/2")
    assert soon(lambda: edge.hub.waiting("commit/2") == 1)

    state.append(b"finished")
    edge.hub.notify("commit/2")

    assert b"finished" == call.result()


def test_a_followed_log_goes_on_with_each_event_until_its_last_page(edge: Edge) -> None:
    """Pages are read from where the last one ended."""
    lines: list[bytes] = [b"a", b"b"]

    def read(at: int) -> Page[bytes, int]:
        return Page(lines[at:], len(lines), ended=b"end" in lines)

    edge.core.read = read
    stream = edge.stream(b"logs/7", "Follow")
    first = [next(stream), next(stream)]

    lines.extend([b"c", b"end"])
    edge.hub.notify("logs/7")

    assert [b"a", b"b", b"c", b"end"] == [*first, *stream]


def test_a_stopping_server_ends_waiting_calls_and_streams() -> None:
    """No call keeps the server from stopping."""
    core = Core()
    core.until = lambda: None
    core.stream = lambda _: iter(lambda: bytes(1 << 20), b"")

    with serving(core) as edge:
        call, stream = edge.wait(b"commit/3"), edge.stream()
        next(stream)
        assert soon(lambda: edge.hub.waiting() == 1)

    assert call.exception().code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def test_long_headers_are_accepted(edge: Edge) -> None:
    """A client may send its whole command line: 40 KiB here, five times gRPC's own limit."""
    edge.core.unary = lambda request: request
    call = edge.channel.unary_unary("/test.Edge/Unary")

    answer = call(b"ok", metadata=[("command", "x" * 40_000)], timeout=WAIT)

    assert b"ok" == answer


@pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 1 << 14, 1 << 21])
def test_a_bytes_value_made_by_hand_is_protobufs(size: int) -> None:
    """The same bytes as protobuf's own serialiser, at each length of the length."""
    data = b"x" * size

    made = bytes_value(data)

    assert BytesValue(value=data).SerializeToString() == made

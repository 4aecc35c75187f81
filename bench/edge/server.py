# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: one service of five methods, built in four ways.

`sync`     grpc.server, one pool of 1,200 threads, one thread for each open call.
`sync-nb`  grpc.server, 64 threads; idle streams use grpcio's undocumented `experimental_non_blocking`.
`aio-hop`  grpc.aio; every stream message crosses from thread to loop by itself.
`aio`      grpc.aio with `howdah.apis.grpc.bridge`: what howdah ships.

All speak raw bytes (identity serialisers) or BytesValue, by the name of the method, so the cost of a
copy in protobuf can be seen. Run by `python -m bench.edge`; prints its port on the first line.
"""

import asyncio
import functools
import os
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import blake3
import grpc
import grpc.aio
from google.protobuf.wrappers_pb2 import BytesValue

from howdah.apis import Hub
from howdah.apis.grpc import SERVER_OPTIONS, Bridge, Page
from howdah.apis.grpc.register import bytes_value

# gRPC's own settings but for the message sizes: what keepalive pings meet on a server that nobody has set up.
BARE_OPTIONS = [option for option in SERVER_OPTIONS if "message_length" in option[0]]
BIG = 19 << 20
SMALL = b"\x0a\x12images/000/000001.png" + b"x" * 128
BLOCK = os.urandom(BIG)
MIDDLE = BLOCK[: 2 << 20]


def unary(request: bytes) -> bytes:
    """A short core call: what a read of one row costs."""
    return blake3.blake3(request).digest()


def store(requests: Iterable[Any]) -> bytes:
    """Take a client's stream: hash each message and write it to disk."""
    hasher, size = blake3.blake3(), 0
    with tempfile.TemporaryFile(dir=os.environ.get("BENCH_DIR")) as file:
        for request in requests:
            data = request.value if isinstance(request, BytesValue) else request
            hasher.update(data)
            file.write(data)
            size += len(data)
    return b"%d" % size


def produce(kind: str, count: int, made: list[int] | None = None) -> Iterator[Any]:
    """Yield `count` big or small messages, raw or as BytesValue."""
    for _ in range(count):
        if made is not None:
            made[0] += 1
        if kind == "big":
            yield BLOCK
        elif kind == "mid":
            yield bytes_value(MIDDLE)
        elif kind == "bigpb":
            yield BytesValue(value=BLOCK)
        else:
            yield SMALL


def busy() -> None:
    """A core thread that computes in Python and never rests."""
    while True:
        sum(range(1000))


def parse(request: bytes) -> tuple[str, int]:
    """Split `kind:count`."""
    kind, _, count = request.decode().partition(":")
    return kind, int(count)


def to_bytes(message: Any) -> bytes:
    """Serialise protobuf; hand bytes on as they are."""
    return message if isinstance(message, bytes) else message.SerializeToString()


def handlers(unary_: Any, idle: Any, put: Any, get: Any, produced: Any) -> Any:
    """The generic handler both libraries accept."""
    same = {"request_deserializer": None, "response_serializer": to_bytes}
    proto = {"request_deserializer": BytesValue.FromString, "response_serializer": to_bytes}
    return grpc.method_handlers_generic_handler(
        "bench.Edge",
        {
            "Unary": grpc.unary_unary_rpc_method_handler(unary_, **same),
            "Idle": grpc.unary_stream_rpc_method_handler(idle, **same),
            "Put": grpc.stream_unary_rpc_method_handler(put, **same),
            "PutPb": grpc.stream_unary_rpc_method_handler(put, **proto),
            "Get": grpc.unary_stream_rpc_method_handler(get, **same),
            "Made": grpc.unary_unary_rpc_method_handler(produced, **same),
        },
    )


MADE = [0]


def run_sync(threads: int, non_blocking: bool, options: list[Any]) -> None:
    """Serve with grpc.server."""
    never = threading.Event()
    parked: list[Any] = []

    def idle(_: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield b"first"
        woken = threading.Event()
        context.add_callback(woken.set)
        while not woken.wait() and not never.is_set():
            pass

    def idle_nb(_: bytes, __: grpc.ServicerContext, send: Callable[[Any], None]) -> None:
        send(b"first")
        parked.append(send)

    if non_blocking:
        idle_nb.experimental_non_blocking = True  # type: ignore[attr-defined]

    def get(request: bytes, _: grpc.ServicerContext) -> Iterator[Any]:
        MADE[0] = 0
        return produce(*parse(request), MADE)

    server = grpc.server(ThreadPoolExecutor(threads), options=options)
    server.add_generic_rpc_handlers(
        (
            handlers(
                lambda request, _: unary(request),
                idle_nb if non_blocking else idle,
                lambda requests, _: store(requests),
                get,
                lambda *_: b"%d" % MADE[0],
            ),
        )
    )
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0)


def run_aio(hop: bool, options: list[Any]) -> None:
    """Serve with grpc.aio; `hop` crosses threads for each message."""
    pool = ThreadPoolExecutor(48)
    bridge = Bridge(lambda error: (grpc.StatusCode.UNKNOWN, error.message), Hub())

    async def call(function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, functools.partial(function, *args))

    async def unary_(request: bytes, _: Any) -> bytes:
        return await call(unary, request)  # type: ignore[no-any-return]

    async def made(*_: Any) -> bytes:
        return b"%d" % MADE[0]

    def page(at: int) -> Page[bytes, int]:
        return Page([] if at else [b"first"], 1)

    async def idle(_: bytes, context: Any) -> None:
        await bridge.follow(context, ["idle"], page, 0)

    async def put_hop(requests: AsyncIterator[Any], _: Any) -> bytes:
        loop = asyncio.get_running_loop()

        def pull() -> Iterator[Any]:
            it = requests.__aiter__()
            while True:
                try:
                    yield asyncio.run_coroutine_threadsafe(it.__anext__(), loop).result()
                except StopAsyncIteration:
                    return

        return await call(store, pull())  # type: ignore[no-any-return]

    async def put(requests: AsyncIterator[Any], context: Any) -> bytes:
        return await bridge.upload(context, store, requests)

    async def get_hop(request: bytes, _: Any) -> AsyncIterator[Any]:
        MADE[0] = 0
        source = produce(*parse(request), MADE)
        while (item := await call(next, source, None)) is not None:
            yield item

    async def get(request: bytes, context: Any) -> None:
        MADE[0] = 0
        await bridge.stream(context, lambda: produce(*parse(request), MADE))

    async def main() -> None:
        server = grpc.aio.server(options=options)
        server.add_generic_rpc_handlers(
            (handlers(unary_, idle, put_hop if hop else put, get_hop if hop else get, made),)
        )
        print(server.add_insecure_port("127.0.0.1:0"), flush=True)
        await server.start()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await server.stop(0)

    asyncio.run(main())


def main() -> None:
    """Serve the variant named on the command line until stdin ends."""
    variant = sys.argv[1]
    options = BARE_OPTIONS if "bare" in sys.argv else list(SERVER_OPTIONS)
    if "busy" in sys.argv:
        threading.Thread(target=busy, daemon=True).start()
    if variant.startswith("sync"):
        run_sync(64 if variant == "sync-nb" else 1200, variant == "sync-nb", options)
    else:
        run_aio(variant == "aio-hop", options)


if __name__ == "__main__":
    main()

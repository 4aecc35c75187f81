# SPDX-License-Identifier: Apache-2.0
"""Does a connection survive a client that pings every 10 s, with and without an open stream?

    python -m bench.edge.keepalive [seconds]

Pings without data are how `pachctl` and the SDKs keep an idle connection alive; a default gRPC server
answers them with GOAWAY "too_many_pings". Prints one line for each case.
"""

import sys
import threading
import time

import grpc

from bench.edge.__main__ import Server

PINGS = [
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]


def survive(case: str, seconds: float, with_stream: bool, *flags: str) -> None:
    """Hold one connection; report when it broke, or that it did not."""
    start = time.monotonic()
    broke: list[float] = []
    with Server("aio", *flags) as server:
        channel = grpc.insecure_channel(f"127.0.0.1:{server.port}", options=PINGS)
        channel.unary_unary("/bench.Edge/Unary")(b"x")
        if with_stream:
            try:
                for _ in channel.unary_stream("/bench.Edge/Idle")(b"", timeout=seconds):
                    pass
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                    broke.append(time.monotonic() - start)
        else:
            channel.subscribe(lambda s: s == grpc.ChannelConnectivity.READY or broke.append(time.monotonic() - start))
            time.sleep(seconds)
        at = broke[:1]  # what breaks when the server ends does not count
    print(f"{case}: " + (f"broke after {at[0]:.0f} s" if at else f"alive after {seconds:.0f} s"), flush=True)


def main() -> None:
    """Run the four cases side by side."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 70.0
    cases = [
        ("default options, stream", True, ("bare",)),
        ("default options, no stream", False, ("bare",)),
        ("our options, stream", True, ()),
        ("our options, no stream", False, ()),
    ]
    running = [threading.Thread(target=survive, args=(c, seconds, s, *f)) for c, s, f in cases]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


if __name__ == "__main__":
    main()

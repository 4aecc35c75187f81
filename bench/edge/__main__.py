# SPDX-License-Identifier: Apache-2.0
"""Measure the ways to build the gRPC edge, one server process each; prints a table as JSON lines.

    python -m bench.edge [variant ...] [--size GIB]

Server and client share the machine's cores, as on a laptop. The client is sync grpcio, as in the
official SDK; the idle streams are held by a second client process so that they cost the server only.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import BytesValue

from bench.edge.server import BIG, BLOCK
from howdah.apis.grpc.options import CHANNEL_OPTIONS

HOLD = """
import sys, grpc
channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1])
calls = [channel.unary_stream("/bench.Edge/Idle")(b"") for _ in range(int(sys.argv[2]))]
assert all(next(call) == b"first" for call in calls)
print("held", flush=True)
sys.stdin.read()
"""


def memory(pid: int, key: str = "VmRSS") -> int:
    """Memory of a process in MiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) >> 10 for line in file if line.startswith(key + ":"))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quantiles(call: Callable[[], Any], count: int) -> dict[str, float]:
    """Milliseconds of `count` calls one after another."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return {"median_ms": round(times[count // 2], 2), "p99_ms": round(times[int(count * 0.99)], 2)}


def rate(count: float, call: Callable[[], Any]) -> float:
    """Units per second of one call."""
    start = time.perf_counter()
    call()
    return round(count / (time.perf_counter() - start), 1)


def drain(stream: Iterator[Any]) -> int:
    """Read a stream to its end."""
    return sum(1 for _ in stream)


def together(call: Callable[[], Any], count: int, threads: int) -> None:
    """`count` calls from `threads` threads."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(call) for _ in range(count)]:
            future.result()


class Server:
    """A server process of one variant."""

    def __init__(self, variant: str, *flags: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.edge.server", variant, *flags], stdin=pipe, stdout=pipe, text=True
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.pid = self.process.pid

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def slow_reader(channel: grpc.Channel, pid: int) -> dict[str, int]:
    """Open a 1 GiB stream, read one message, wait: how much does the server make and hold?"""
    before = memory(pid)
    stream = channel.unary_stream("/bench.Edge/Get")(b"big:54")
    next(stream)
    time.sleep(1)
    made = int(channel.unary_unary("/bench.Edge/Made")(b""))
    held = memory(pid) - before
    stream.cancel()
    return {"slow_made_messages": made, "slow_held_mib": held}


def measure(variant: str, gib: float) -> dict[str, Any]:
    """All figures of one variant."""
    count = int(gib * (1 << 30) / BIG)
    mib = count * 19
    with Server(variant) as server:
        channel = grpc.insecure_channel(f"127.0.0.1:{server.port}", options=list(CHANNEL_OPTIONS))
        unary = channel.unary_unary("/bench.Edge/Unary")
        get = channel.unary_stream("/bench.Edge/Get")
        getpb = channel.unary_stream("/bench.Edge/Get", response_deserializer=BytesValue.FromString)
        put = channel.stream_unary("/bench.Edge/Put")
        putpb = channel.stream_unary("/bench.Edge/PutPb", request_serializer=BytesValue.SerializeToString)
        unary(b"warm")
        out: dict[str, Any] = {"variant": variant, "rss_start_mib": memory(server.pid)}
        out["unary"] = quantiles(lambda: unary(b"x"), 1000)
        out["unary_per_s_16_threads"] = rate(4000, lambda: together(lambda: unary(b"x"), 4000, 16))
        put(iter([BLOCK] * count))  # the disk's first touch is not the edge's
        out["put_mib_s"] = rate(mib, lambda: put(iter([BLOCK] * count)))
        value = BytesValue(value=BLOCK)
        out["put_pb_mib_s"] = rate(mib, lambda: putpb(iter([value] * count)))
        out["get_mib_s"] = rate(mib, lambda: drain(get(b"big:%d" % count)))
        out["get_pb_mib_s"] = rate(mib, lambda: drain(getpb(b"bigpb:%d" % count)))
        out["get_2mib_messages_mib_s"] = rate(mib, lambda: drain(getpb(b"mid:%d" % (mib // 2))))
        out["peak_mib"] = memory(server.pid, "VmHWM")
        out["small_out_per_s"] = rate(100_000, lambda: drain(get(b"small:100000")))
        cpu = cpu_seconds(server.pid)
        drain(get(b"small:100000"))
        out["small_out_server_cpu_us"] = round((cpu_seconds(server.pid) - cpu) * 10, 1)
        out["small_in_per_s"] = rate(30_000, lambda: put(iter([b"x" * 100] * 30_000)))
        out["streams_in_turn_s"] = round(1000 / rate(1000, lambda: [put(iter([b"x" * 100])) for _ in range(1000)]), 2)
        one = lambda: put(iter([b"x" * 100]))  # noqa: E731
        out["streams_32_at_once_s"] = round(1000 / rate(1000, lambda: together(one, 1000, 32)), 2)
        out |= slow_reader(channel, server.pid)
        out |= with_idle(server, unary)
    with Server(variant, "busy") as server:
        busy = grpc.insecure_channel(f"127.0.0.1:{server.port}").unary_unary("/bench.Edge/Unary")
        busy(b"warm")
        out["unary_busy"] = quantiles(lambda: busy(b"x"), 200)
    return out


def with_idle(server: Server, unary: Callable[[bytes], bytes]) -> dict[str, Any]:
    """Figures with 1,000 idle streams open."""
    before = memory(server.pid)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(server.port), "1000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout
    assert holder.stdin
    start = time.perf_counter()
    timer = threading.Timer(60, holder.kill)
    timer.start()
    held = holder.stdout.readline()
    timer.cancel()
    out: dict[str, Any] = {"idle_open_s": round(time.perf_counter() - start, 2), "idle_held": held.strip()}
    out["idle_extra_mib"] = memory(server.pid) - before
    out["idle_threads"] = threads(server.pid)
    out["idle_unary"] = quantiles(lambda: unary(b"x"), 1000)
    holder.stdin.close()
    holder.wait()
    return out


def threads(pid: int) -> int:
    """Threads of a process."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))


def main() -> None:
    """Measure the variants asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.edge")
    parser.add_argument("variants", nargs="*", default=["sync", "sync-nb", "aio-hop", "aio"])
    parser.add_argument("--size", type=float, default=2.0, help="GiB put and got")
    args = parser.parse_args()
    for variant in args.variants or ["sync", "sync-nb", "aio-hop", "aio"]:
        print(json.dumps(measure(variant, args.size)), flush=True)


if __name__ == "__main__":
    main()

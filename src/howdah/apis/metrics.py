# SPDX-License-Identifier: Apache-2.0
"""What the server counts, in Prometheus's terms. One registry for each server, so that several live in one process.

Labels are bounded: methods of the protocol and gRPC's codes, never a name, a path or an id.
"""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from howdah import __version__

__all__ = ["Metrics"]

# From a call that only reads memory to a wait of minutes.
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Metrics:
    """The counters of one server; all methods may be called from any thread."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Gauge("howdah_build_info", "The version that runs; always 1.", ["version"], registry=self.registry)
        build.labels(__version__).set(1)
        self._calls = Counter(
            "howdah_grpc_calls_total",
            "Calls that ended, by method and code.",
            ["method", "code"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "howdah_grpc_call_seconds",
            "How long calls took, from their start to their end, waiting included.",
            ["method", "code"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def call_ended(self, method: str, code: str, seconds: float) -> None:
        """Count a call."""
        self._calls.labels(method, code).inc()
        self._seconds.labels(method, code).observe(seconds)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show a value that is read, in a thread, whenever somebody asks."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def counter(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show, as `<name>_total`, what is counted elsewhere and only grows; it is read whenever somebody asks."""
        self.registry.register(_Elsewhere(name, text, read))


class _Elsewhere(Collector):
    """A counter whose value is somebody else's."""

    def __init__(self, name: str, text: str, read: Callable[[], float]) -> None:
        self._name, self._text, self._read = name, text, read

    def collect(self) -> Iterator[Metric]:
        """The value as it is now."""
        yield CounterMetricFamily(self._name, self._text, value=self._read())

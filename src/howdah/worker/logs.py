# SPDX-License-Identifier: Apache-2.0
"""Lines for the logs of jobs, sent in batches by a thread: at least every second, or with 256 KiB.

What a datum prints is bounded: after its share of bytes a line says so, and the rest goes nowhere.
Memory is bounded: whoever adds lines faster than they go away waits, and so does user code, whose pipe is then full.
While the server is away lines are kept; when their claim is lost they are dropped, and nobody waits any longer.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from howdah.errors import HowdahError, Unavailable
from howdah.model.logs import LogLevel
from howdah.model.refs import Job
from howdah.model.units import format_size
from howdah.worker.backoff import delays
from howdah.worker.values import Held, LogLine

__all__ = ["DATUM_BYTES_MAX", "ErrorLine", "Logs"]

DATUM_BYTES_MAX: Final = 64 << 20
"""What one datum prints into the logs unless somebody says otherwise, all its tries together."""

BATCH_BYTES: Final = 256 << 10
BATCH_SECONDS: Final = 1.0
PENDING_BYTES_MAX: Final = 2 << 20
LINE_WEIGHT: Final = 100  # bytes that a line costs besides its text

_log = logging.getLogger(__name__)


class ErrorLine(str):
    """A line of the worker's own about something that went wrong."""

    __slots__ = ()


class Logs:
    """Collects lines and has them sent by `send`. For many threads."""

    def __init__(
        self, send: Callable[[Job, Sequence[LogLine]], None], *, datum_bytes_max: int = DATUM_BYTES_MAX
    ) -> None:
        self._send = send
        self._datum_bytes_max = datum_bytes_max
        self._changed = threading.Condition()
        # All below is guarded by _changed. Lines that wait, oldest first, and their weight.
        self._waiting: deque[tuple[Held, LogLine]] = deque()
        self._bytes = 0
        # Lines taken in, and lines sent or dropped: a flush waits for the second to reach the first.
        self._added = 0
        self._gone = 0
        # Which datum printed last, and how many bytes so far.
        self._printer: tuple[Held, str] | None = None
        self._printed = 0
        self._due = 0.0
        self._urgent = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="send-logs", daemon=True)
        self._thread.start()

    def add(self, held: Held, datum_id: str, line: str | bytes) -> None:
        """Add a line: text is the worker's own, bytes are user code's. Waits while too much is pending."""
        user = isinstance(line, bytes)
        level = LogLevel.ERROR if isinstance(line, ErrorLine) else LogLevel.UNSET
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else str(line)
        with self._changed:
            if isinstance(line, bytes) and (over := self._over(held, datum_id, len(line))) is not None:
                if not over:
                    return
                user, level, text = False, LogLevel.ERROR, over
            if self._bytes >= PENDING_BYTES_MAX:
                self._changed.wait_for(lambda: self._bytes < PENDING_BYTES_MAX or held.lost or self._closed)
            if held.lost or self._closed:
                return
            if not self._waiting:
                self._due = time.monotonic() + BATCH_SECONDS
                self._changed.notify_all()
            self._waiting.append((held, LogLine(time.time_ns(), datum_id, user, text, level)))
            before = self._bytes
            self._bytes += len(text) + LINE_WEIGHT
            self._added += 1
            if before < BATCH_BYTES <= self._bytes:
                self._changed.notify_all()

    def _over(self, held: Held, datum_id: str, size: int) -> str | None:
        """None while a datum may print; then what is said instead, once, and nothing after that."""
        if self._printer != (held, datum_id):
            self._printer, self._printed = (held, datum_id), 0
        before = self._printed
        self._printed += size
        if self._printed <= self._datum_bytes_max:
            return None
        most = format_size(self._datum_bytes_max)
        told = before > self._datum_bytes_max
        return "" if told else f"datum printed more than {most}; what follows is not kept (--logs-datum-max)"

    def flush(self, held: Held) -> None:
        """Return when all lines that were added before are sent, or the claim is lost."""
        with self._changed:
            goal = self._added
            if self._gone < goal:
                self._urgent = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._gone >= goal or held.lost or self._closed)

    def wake(self) -> None:
        """Have those who wait look again whether their claim is lost."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Send what is there, if the server can be reached at once, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        pauses = delays(0.1, 2.0)
        while (batch := self._next_batch()) is not None:
            held = batch[0][0]
            lines = [line for _, line in batch]
            sent = held.lost or self._sent(held.claim.job, lines)
            with self._changed:
                if sent or self._closed:
                    self._forget(len(batch))
                    pauses = delays(0.1, 2.0)
                else:
                    self._pause(held, next(pauses))

    def _pause(self, held: Held, seconds: float) -> None:
        self._changed.wait_for(lambda: held.lost or self._closed, seconds)

    def _next_batch(self) -> list[tuple[Held, LogLine]] | None:
        """The oldest lines of one claim, when they are due; None at the end. They are taken away by `_forget`."""
        with self._changed:
            while not self._is_due():
                if self._closed:
                    return None
                self._changed.wait(max(0.0, self._due - time.monotonic()) if self._waiting else None)
            batch: list[tuple[Held, LogLine]] = []
            size = 0
            for each in self._waiting:
                if (batch and each[0] is not batch[0][0]) or size >= BATCH_BYTES:
                    break
                batch.append(each)
                size += len(each[1].message) + LINE_WEIGHT
            return batch

    def _is_due(self) -> bool:
        if not self._waiting:
            self._urgent = False
            return False
        return self._closed or self._urgent or self._bytes >= BATCH_BYTES or time.monotonic() >= self._due

    def _forget(self, count: int) -> None:
        for _ in range(count):
            _, line = self._waiting.popleft()
            self._bytes -= len(line.message) + LINE_WEIGHT
        self._gone += count
        self._due = time.monotonic() + BATCH_SECONDS
        self._changed.notify_all()

    def _sent(self, job: Job, lines: Sequence[LogLine]) -> bool:
        """Send; False when it is worth trying again."""
        try:
            self._send(job, lines)
        except Unavailable:
            return False
        except HowdahError as error:
            _log.warning("%d log lines of job %s are lost: %s", len(lines), job, error.message)
        return True

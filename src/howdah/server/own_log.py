# SPDX-License-Identifier: Apache-2.0
"""The server's own log as lines of the lake: what goes to stderr can be asked for by clients too.

A handler of the standard library's logging collects lines, and a thread of its own keeps them in batches. Nobody waits
for it: what comes faster than it can be kept, or while the database is away, is on stderr alone, and is counted.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from howdah.model.logs import LogLevel
from howdah.pps.infos import LogLine

__all__ = ["OwnLog"]

PENDING_MAX: Final = 10_000  # lines
BATCH_SECONDS: Final = 1.0

# What structlog puts beside the fields of an event.
_FRAME: Final = ("event", "level", "logger", "timestamp", "exc_info")


class OwnLog(logging.Handler):
    """Collects records and has them kept by `keep`, from `open` to `shut`."""

    def __init__(self, keep: Callable[[Sequence[LogLine]], None]) -> None:
        super().__init__()
        self._keep = keep
        self._changed = threading.Condition()
        # Guarded by _changed. Lines that wait, and how many found no place among them.
        self._waiting: deque[LogLine] = deque()
        self._lost = 0
        self._shut = False
        self._thread = threading.Thread(target=self._run, name="own-log", daemon=True)

    def open(self) -> None:
        """Hear all records of this process from now on."""
        self._thread.start()
        logging.getLogger().addHandler(self)

    def shut(self) -> None:
        """Hear no more, and return when what was heard is kept."""
        logging.getLogger().removeHandler(self)
        with self._changed:
            self._shut = True
            self._changed.notify_all()
        self._thread.join()

    def emit(self, record: logging.LogRecord) -> None:
        """Take in a record; never waits and never fails."""
        if threading.current_thread() is self._thread:
            return  # what goes wrong with keeping lines makes no more of them
        line = _line(record)
        with self._changed:
            if len(self._waiting) >= PENDING_MAX:
                self._lost += 1
                return
            self._waiting.append(line)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._shut)
                if not self._waiting:
                    return
                # More may come in a moment, and a batch is one transaction.
                self._changed.wait_for(lambda: self._shut, BATCH_SECONDS)
                lines, lost = list(self._waiting), self._lost
                self._waiting.clear()
                self._lost = 0
            if lost:
                text = f"{lost} more lines came too fast to be kept; they are on the server's stderr"
                lines.append(LogLine(lines[-1].at, text))
            try:
                self._keep(lines)
            except Exception:
                logging.getLogger(__name__).exception(
                    "%d lines of the server's own log are on stderr alone", len(lines)
                )


def _line(record: logging.LogRecord) -> LogLine:
    """A record as text: what happened, then its fields."""
    fields: dict[str, Any] = record.msg if isinstance(record.msg, dict) else {}
    try:
        text = str(fields.get("event", "")) if fields else record.getMessage()
    except Exception:  # a record whose arguments do not fit its text is somebody's defect, and still worth a line
        text = str(record.msg)
    more = [f"{key}={value}" for key, value in fields.items() if key not in _FRAME and not key.startswith("_")]
    if record.exc_info and record.exc_info[1] is not None:
        more.append(f"error={record.exc_info[1]!r}")
    elif isinstance(error := fields.get("exc_info"), BaseException):
        more.append(f"error={error!r}")
    name = str(fields.get("logger") or record.name)
    message = " ".join([f"{name}:", text, *more])
    return LogLine(datetime.fromtimestamp(record.created, UTC), message, level=_level(record.levelno))


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return LogLevel.ERROR
    return LogLevel.INFO if number >= logging.INFO else LogLevel.DEBUG

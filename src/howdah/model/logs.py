# SPDX-License-Identifier: Apache-2.0
"""Lines of logs: how grave one is, who said it, and how long it may be. What keeps and finds them: `pps.logs`."""

import json
from enum import Enum, IntEnum, unique
from typing import Any, Final

__all__ = ["LINE_CHARS_MAX", "LogLevel", "Speaker", "cut_line", "level_of"]

LINE_CHARS_MAX: Final = 65_536
"""What is longer is somebody's data, and cut. Workers cut at as many bytes and go on as the next line."""


@unique
class LogLevel(IntEnum):
    """How grave a line is, with the protocol's numbers. A filter by one lets pass what is at least as grave."""

    UNSET = 0
    DEBUG = 1
    INFO = 2
    ERROR = 3

    @property
    def wire_name(self) -> str:
        """What the protocol calls it."""
        return f"LOG_LEVEL_{self.name}"


@unique
class Speaker(Enum):
    """Who said a line."""

    USER = "user"  # user code printed it
    WORKER = "worker"
    MASTER = "master"  # planner and scheduler, or the server in its own log


# What programs call their levels; a warning is no error.
_LEVELS: Final = {
    "trace": LogLevel.DEBUG,
    "debug": LogLevel.DEBUG,
    "error": LogLevel.ERROR,
    "err": LogLevel.ERROR,
    "critical": LogLevel.ERROR,
    "fatal": LogLevel.ERROR,
    "panic": LogLevel.ERROR,
    "dpanic": LogLevel.ERROR,
    "alert": LogLevel.ERROR,
    "emergency": LogLevel.ERROR,
}
_LEVEL_KEYS: Final = ("level", "severity", "levelname", "lvl", "log_level")


def level_of(message: str) -> LogLevel:
    """The level that a line gives itself: by a key `level` (or `severity`, `levelname`, `lvl`) if it is a JSON object.

    INFO for every other line: that something went to stderr says nothing.
    """
    text = message.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return LogLevel.INFO
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return LogLevel.INFO
    for key in _LEVEL_KEYS:
        if isinstance(found := value.get(key), str):
            return _LEVELS.get(found.lower(), LogLevel.INFO)
    return LogLevel.INFO


def cut_line(message: str) -> str:
    """The line without its end, and not longer than a line may be; what was cut off is said."""
    text = message.rstrip("\r\n")
    more = len(text) - LINE_CHARS_MAX
    return text if more <= 0 else f"{text[:LINE_CHARS_MAX]} … ({more} more characters were cut off)"

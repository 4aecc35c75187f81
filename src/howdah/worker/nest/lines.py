# SPDX-License-Identifier: Apache-2.0
"""Cut a stream of output into lines within bounded memory. Bytes stay bytes: output need not be text."""

from collections.abc import Callable
from typing import Final

__all__ = ["LINE_BYTES_MAX", "LineCutter"]

LINE_BYTES_MAX: Final = 65_536  # a log line beyond this is somebody's data; it goes on as the next line


class LineCutter:
    """Takes bytes as they come and hands out lines, each without its newline, of at most LINE_BYTES_MAX bytes."""

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self._on_line = on_line
        # The beginning of a line whose end has not come. Invariant: no newline in it, at most LINE_BYTES_MAX bytes.
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Hand out every line that is complete with `data`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hand_out(line)
        if len(self._rest) > LINE_BYTES_MAX:
            whole = len(self._rest) // LINE_BYTES_MAX * LINE_BYTES_MAX
            self._hand_out(self._rest[:whole])
            self._rest = self._rest[whole:]

    def finish(self) -> None:
        """Hand out the last line, if it had no newline. Repeating is harmless."""
        if self._rest:
            self._hand_out(self._rest)
            self._rest = b""

    def _hand_out(self, line: bytes) -> None:
        for start in range(0, max(1, len(line)), LINE_BYTES_MAX):
            self._on_line(line[start : start + LINE_BYTES_MAX])

# SPDX-License-Identifier: Apache-2.0
"""Progress of long work on stderr: a moving line on a terminal, a plain line each ten seconds elsewhere.

Nothing is shown for work that is done within a second, and `rich` is loaded only to draw on a terminal.
"""

import threading
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Final, Self

from howdah.model.units import format_size

if TYPE_CHECKING:
    from howdah.engine.images import Progress

__all__ = ["Lines", "Meter"]

_QUIET_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 10.0
_DRAW_SECONDS: Final = 0.1
_NOTE_SECONDS: Final = 2.0  # between two lines about one image


class Meter:
    """Counts bytes and files, and shows how many and how fast while the block runs. `now` tells seconds."""

    def __init__(self, what: str, to: IO[str], *, now: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._to = to
        self._now = now
        self._lock = threading.Lock()
        self._bytes = 0
        self._files = 0
        self._started = now()
        self._next = self._started + _QUIET_SECONDS
        self._shown = False
        self._drawing: _Drawing | None = None

    def add(self, size: int, files: int) -> None:
        """Count so many more; from any thread."""
        with self._lock:
            self._bytes += size
            self._files += files
            if self._now() >= self._next:
                self._show()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._drawing is not None:
                self._drawing.stop(self._line())
            elif self._shown:
                self._write(self._line())

    def _show(self) -> None:
        if not self._to.isatty():
            self._next = self._now() + _LINE_SECONDS
            self._write(self._line())
        else:
            self._next = self._now() + _DRAW_SECONDS
            if self._drawing is None:
                self._drawing = _Drawing(self._to)
            self._drawing.show(self._line())
        self._shown = True

    def _line(self) -> str:
        seconds = max(self._now() - self._started, 1e-9)
        rate = format_size(round(self._bytes / seconds))
        files = "1 file" if self._files == 1 else f"{self._files} files"
        return f"{self._what}: {files}, {format_size(self._bytes)} in {seconds:.0f}s, {rate}/s"

    def _write(self, line: str) -> None:
        self._to.write(line + "\n")
        self._to.flush()


class Lines:
    """Says how far a push or pull is, by `note`, now and then; for `Engine.pull` and such. `now` tells seconds."""

    def __init__(self, note: Callable[[str], object], what: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._note = note
        self._what = what
        self._now = now
        self._next = now() + _NOTE_SECONDS

    def __call__(self, progress: "Progress") -> None:
        if self._now() >= self._next:
            self._next = self._now() + _NOTE_SECONDS
            self._note(f"{self._what}: {progress}")


class _Drawing:
    """A line that moves, on a terminal."""

    def __init__(self, to: IO[str]) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        self._spinner = Spinner("dots")
        self._live = Live(self._spinner, console=Console(file=to), refresh_per_second=8, transient=True)
        self._live.start()
        self._console = self._live.console

    def show(self, line: str) -> None:
        self._spinner.update(text=line)

    def stop(self, line: str) -> None:
        self._live.stop()
        self._console.print(line, highlight=False, soft_wrap=True)

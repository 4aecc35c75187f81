# SPDX-License-Identifier: Apache-2.0
"""Where a process that stays up and the worker that has datums for it meet (`transform.datum_batching`).

The process asks for the next datum, and says by that how the last one ended; the worker waits for the question, gives
a datum, and waits for the next question. Who asks is `next_datum`, who gives is `batching`. Nothing here is of files.
"""

import threading
from collections.abc import Callable
from time import monotonic

__all__ = ["Turns"]


class Turns:
    """The meeting place of one worker, whatever processes it has one after another. For many threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # All below is guarded by _changed. The process that is served, by number; earlier ones ask in vain.
        self._process = 0
        self._serving = False
        self._asking = 0
        # What was given and not taken yet; and whether a datum is in the process's hands.
        self._offer: list[str] | None = None
        self._busy = False
        self._report = ""

    def ask(self, error: str) -> list[str] | None:
        """For the process: the variables of the next datum, when there is one. None if it shall ask no more.

        `error` says what was wrong with the datum before, if there was one; nothing if it was processed.
        """
        with self._changed:
            if not self._serving:
                return None
            process = self._process
            if self._busy:
                self._busy, self._report = False, error
            self._asking += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._offer is not None or self._process != process or not self._serving)
                if self._process != process or not self._serving:
                    return None
                offer, self._offer, self._busy = self._offer, None, True
                self._changed.notify_all()
                return offer
            finally:
                if self._process == process:
                    self._asking -= 1

    def begin(self) -> None:
        """A new process is about to be started: it alone is served from now on."""
        with self._changed:
            self._process += 1
            self._serving, self._asking, self._offer, self._busy, self._report = True, 0, None, False, ""
            self._changed.notify_all()

    def end(self) -> None:
        """The process is gone, or shall be: it gets nothing more."""
        with self._changed:
            self._serving = False
            self._offer = None
            self._changed.notify_all()

    def wake(self) -> None:
        """Have the worker look again at what it waits for besides."""
        with self._changed:
            self._changed.notify_all()

    def wait_asked(self, enough: Callable[[], bool]) -> bool:
        """For the worker: wait until the process wants a datum; False if it is `enough` before."""
        with self._changed:
            self._changed.wait_for(lambda: enough() or (self._asking > 0 and not self._busy))
            return self._asking > 0 and not self._busy

    def give(self, variables: list[str]) -> None:
        """Give a datum to the process that has asked for one."""
        with self._changed:
            self._offer, self._busy, self._report = variables, True, ""
            self._changed.notify_all()

    def wait_done(self, enough: Callable[[], bool], timeout: float | None) -> str | None:
        """Wait until the process is done with its datum: what it says was wrong, nothing if all was well.

        None if it is `enough`, or the time is over, before.
        """
        until = None if timeout is None else monotonic() + timeout
        with self._changed:
            while self._busy and not enough():
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0:
                    return None
                self._changed.wait(left)
            return None if self._busy else self._report

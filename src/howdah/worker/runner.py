# SPDX-License-Identifier: Apache-2.0
"""The one nest of a worker, replaced when it died: something for `attempts` that always runs, and can be stopped."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from howdah.errors import Unavailable
from howdah.worker.meter import Meter
from howdah.worker.nest import Command, ModeName, Nest, Outcome
from howdah.worker.values import Held

__all__ = ["Runner"]

_LOOK_AGAIN_SECONDS: Final = 0.001  # a command that is about to begin has begun, or failed to, by then

_log = logging.getLogger(__name__)


class Runner:
    """Runs commands of one claim after another. `start` makes a nest; the first one is started at once.

    Raises (also when made):
        BadRequest, Unavailable: no nest can be started.
    """

    def __init__(self, start: Callable[[], Nest]) -> None:
        self._start = start
        self._nest = start()
        self._idle = threading.Event()
        self._idle.set()

    @property
    def containment(self) -> str:
        """How commands are contained: "namespaces", or "folder" and why not better."""
        mode = self._nest.mode
        return str(mode.name) if mode.name is ModeName.NAMESPACES else f"{mode.name}: {mode.reason}"

    @property
    def is_contained(self) -> bool:
        """Whether all that a command started is surely dead when it has run."""
        return self._nest.mode.name is ModeName.NAMESPACES

    def run(self, held: Held, command: Command) -> Outcome | None:
        """Run a command of that claim; None if the nest died of it, or it was not begun because the claim is over.

        Raises:
            BadRequest: nobody can run this command.
            Unavailable: the nest died and no other can be started.
        """
        self._idle.clear()
        try:
            if held.over:  # looked at after `_idle` is cleared: see `cancel`
                return None
            return self._nest.run(command)
        except Unavailable as error:
            _log.warning("%s", error.message)
            self._nest.close()
            self._nest = self._start()
            return None
        finally:
            self._idle.set()

    def cancel(self) -> None:
        """Kill the command that runs now, if there is one; one that is just beginning, too."""
        while not self._idle.is_set() and not self._nest.cancel():
            self._idle.wait(_LOOK_AGAIN_SECONDS)

    def drain(self) -> None:
        """Return when what the command that runs now has printed so far was handed out."""
        self._nest.drain()

    def meter(self) -> Meter:
        """Read from now on what commands use, until the nest is replaced; the caller closes it."""
        return Meter(self._nest.pid)

    def close(self) -> None:
        """Kill what runs, and end the nest."""
        self._nest.close()

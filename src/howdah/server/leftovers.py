# SPDX-License-Identifier: Apache-2.0
"""Removes the containers that an earlier run of this lake's server left, as one that was killed does.

They have ended by then, since each ends with its worker, and are found by their label: the id of the lake, that of the
server's run, and that of the worker, which itself removes what an earlier one of its name left in the same run. An
engine that does not answer now is asked again later: it may come back with what it had.
"""

import logging
from typing import Final, Protocol

from howdah.errors import HowdahError
from howdah.kit.background import Background

__all__ = ["Leftovers", "owner"]

_AGAIN_SECONDS: Final = 60.0
_DONE_SECONDS: Final = 3600.0

_log: Final = logging.getLogger(__name__)


class _Engine(Protocol):
    def silence(self) -> str: ...

    def owners(self) -> dict[str, str]: ...

    def remove(self, container: str) -> None: ...


def owner(lake: str, run: str) -> str:
    """The label of the containers of one run of a lake's server."""
    return f"{lake}/{run}"


class Leftovers:
    """Looks for them from `start` to `stop`."""

    def __init__(self, engine: _Engine, lake: str, run: str) -> None:
        self._engine = engine
        self._lake = lake
        self._own = owner(lake, run)
        self._background = Background("removing containers", self._again, retry_seconds=_AGAIN_SECONDS)

    def start(self) -> None:
        """Look in a thread of its own."""
        self._background.start()

    def stop(self) -> None:
        """End. Repeating does nothing."""
        self._background.stop()

    def sweep(self) -> int:
        """Remove what is left; how many there were.

        Raises:
            HowdahError: the engine does not answer, or will not.
        """
        left = [
            container
            for container, value in self._engine.owners().items()
            if value.startswith(owner(self._lake, "")) and not f"{value}/".startswith(f"{self._own}/")
        ]
        for container in left:
            self._engine.remove(container)
        return len(left)

    def _again(self) -> float:
        if self._engine.silence():
            return _AGAIN_SECONDS
        try:
            if count := self.sweep():
                _log.info("%d containers of an earlier run are removed", count)
        except HowdahError as error:
            _log.warning("%s", error.message)
            return _AGAIN_SECONDS
        return _DONE_SECONDS

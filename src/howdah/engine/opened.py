# SPDX-License-Identifier: Apache-2.0
"""An engine by its address: opened when something is asked of it, and asked for its images. For servers.

What a container is run with is asked of `Engine` itself, by workers.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from howdah.engine.address import owners, silence
from howdah.engine.images import Credentials, Image, Progress
from howdah.engine.loading import engine_class

if TYPE_CHECKING:
    from howdah.engine.engine import Engine

__all__ = ["EngineAt"]


class EngineAt:
    """The engine at one address, whether it answers now or not. Safe for many threads."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._opened: Engine | None = None  # guarded by the lock

    def silence(self) -> str:
        """Why it does not answer; empty if it does. Cheap."""
        return silence(self.address)

    def find(self, name: str) -> Image | None:
        """An image that it has; None if it has none of that name.

        Raises:
            Unavailable: it does not answer.
        """
        return self._engine().find(name)

    def pull(
        self,
        name: str,
        credentials: Credentials | None,
        told: Callable[[Progress], None],
        stopping: Callable[[], bool],
    ) -> None:
        """As `Engine.pull`."""
        self._engine().pull(name, credentials, told, stopping)

    def registry_digest(self, name: str, credentials: Credentials | None) -> str:
        """As `Engine.registry_digest`."""
        return self._engine().registry_digest(name, credentials)

    def owners(self) -> dict[str, str]:
        """As `Engine.owners`, but the engine's library is not loaded for it: every server asks this when it starts."""
        return owners(self.address)

    def remove(self, container: str) -> None:
        """As `Engine.remove`."""
        self._engine().remove(container)

    def close(self) -> None:
        """Close its connections; it is opened again if it is asked again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _engine(self) -> "Engine":
        with self._lock:
            if self._opened is None:
                self._opened = engine_class()(self.address)
            return self._opened

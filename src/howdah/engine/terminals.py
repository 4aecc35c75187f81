# SPDX-License-Identifier: Apache-2.0
"""A container in which a person types: its own terminal, and the other side of it."""

from collections.abc import Mapping
from contextlib import suppress
from io import RawIOBase
from typing import Any

from docker.errors import DockerException

from howdah.engine.engine import Engine
from howdah.engine.values import Settings

__all__ = ["Terminals"]


class Terminals(Engine):
    """An engine whose containers can be typed into."""

    def open(
        self,
        settings: Settings,
        binds: Mapping[str, tuple[str, str]],
        command: tuple[str, ...],
        env: Mapping[str, str],
        cwd: str,
    ) -> tuple[str, RawIOBase]:
        """Start a container with a terminal; its id, and what is the terminal's other side.

        Remove the container when that has ended. What it may do is what any container of `create` may.

        Raises:
            NotFound: IMAGE_NOT_FOUND.
            Unavailable, Refused: the engine is gone, or refuses.
        """
        container = self.create(settings, binds, command, terminal=True, env=env, cwd=cwd)
        with self._explained(container):
            attached: Any = self._api.attach_socket(
                container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "logs": 0}
            )
            self.start(container)
        # Read and written by its descriptor, which the time limit of calls would keep from waiting.
        getattr(attached, "_sock", attached).settimeout(None)
        return container, attached

    def resize(self, container: str, rows: int, columns: int) -> None:
        """Tell the terminal how large it is. What cannot be told is not: it is for the eye alone."""
        with suppress(DockerException, OSError):
            self._api.resize(container, rows, columns)

    def exit_code(self, container: str) -> int:
        """The exit code of a container that has ended."""
        return int(self.state(container).get("ExitCode") or 0)

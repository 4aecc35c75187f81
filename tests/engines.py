# SPDX-License-Identifier: Apache-2.0
"""Container engines for tests, as `tests/conftest.py` starts them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from howdah.engine import Engine, Settings
from howdah.worker.container import Container
from tools import engines

__all__ = ["Host"]


@dataclass(frozen=True)
class Host:
    """An engine that runs, with an image of a shell in it."""

    address: str
    engine: Engine
    image: str

    def build(self, name: str, files: Any, *changes: str) -> str:
        """Make an image."""
        return engines.build(self.address, name, files, changes)

    def start(self, work: Path, image: str = "", **settings: Any) -> Container:
        """Start a container without a network."""
        wanted = {"network": "none", **settings}
        return Container.start(self.engine, Settings(image or self.image, **wanted), work)

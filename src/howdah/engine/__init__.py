# SPDX-License-Identifier: Apache-2.0
"""Container engines: Docker, and Podman's socket that speaks its language. Knows nothing of jobs.

For the server, which names images exactly, and for workers, which run containers. The library of the engine takes a
quarter of a second and some MB to load, so `Engine` is loaded with its first use, and by whoever uses none never.
"""

from typing import TYPE_CHECKING, Any

from howdah.engine.images import Credentials, Image, Progress
from howdah.engine.loading import engine_class
from howdah.engine.opened import EngineAt
from howdah.engine.values import LABEL, Limits, Settings

if TYPE_CHECKING:
    from howdah.engine.engine import Engine

__all__ = ["LABEL", "Credentials", "Engine", "EngineAt", "Image", "Limits", "Progress", "Settings"]


def __getattr__(name: str) -> Any:
    if name == "Engine":
        return engine_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

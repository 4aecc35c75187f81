# SPDX-License-Identifier: Apache-2.0
"""The one place that loads the library of container engines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from howdah.engine.engine import Engine

__all__ = ["engine_class"]


def engine_class() -> "type[Engine]":
    """The class `howdah.engine.Engine`; the first call takes a quarter of a second."""
    # A server or worker without containers must neither wait for the library nor hold it in memory.
    from howdah.engine.engine import Engine  # noqa: PLC0415

    return Engine

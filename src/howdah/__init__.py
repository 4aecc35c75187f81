# SPDX-License-Identifier: Apache-2.0
"""howdah: a versioned data lake with data-driven pipelines.

`howdah.Client` is the client of `howdah.client`, loaded when it is asked for. Nothing is imported here: the
client, the command line and the server do not pay for one another. What type checkers see is in `__init__.pyi`.
"""

from importlib import import_module
from typing import Any, Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "Client":
        return import_module("howdah.client").Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

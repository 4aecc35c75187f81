# SPDX-License-Identifier: Apache-2.0
"""What `howdah` offers, for type checkers; `__init__.py` loads `Client` only when it is asked for."""

from typing import Final

from howdah.client import Client as Client

__all__ = ["__version__"]

__version__: Final[str]

# SPDX-License-Identifier: Apache-2.0
"""Container engines: Docker, and Podman's socket that speaks its language. Knows nothing of jobs.

For the server, which names images exactly, and for workers, which run containers. Importing it takes a quarter of a
second, so it is imported only where containers are in use.
"""

from howdah.engine.engine import Engine
from howdah.engine.values import LABEL, Limits, Settings

__all__ = ["LABEL", "Engine", "Limits", "Settings"]

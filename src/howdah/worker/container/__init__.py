# SPDX-License-Identifier: Apache-2.0
"""Commands in containers: one long-lived container for each worker and image, by Docker or Podman."""

from howdah.worker.container.container import Container, find_shell
from howdah.worker.container.engine import Engine
from howdah.worker.container.values import LABEL, Limits, Settings

__all__ = ["LABEL", "Container", "Engine", "Limits", "Settings", "find_shell"]

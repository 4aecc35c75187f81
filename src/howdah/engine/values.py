# SPDX-License-Identifier: Apache-2.0
"""What a container is made with: where the engine is, the image, limits, and who may see what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LABEL", "Limits", "Settings"]

LABEL = "howdah.worker"
"""The label by which containers of workers are found; its value has the ids of lake, run and worker."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a container may use at most; zero for no limit."""

    cpus: float = 0.0
    memory_bytes: int = 0
    pids: int = 4_096  # a fork bomb ends there, and nothing else
    shm_bytes: int = 64 << 20
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """How containers are made. `user` empty: that of the image. `network` is one of the engine's names, or none."""

    image: str
    user: str = ""
    network: str = "bridge"
    limits: Limits = Limits()
    read_only: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

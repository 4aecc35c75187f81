# SPDX-License-Identifier: Apache-2.0
"""What a server is told of containers: whether pipelines run in them, on which engine, and when images are fetched.

The engine's address is fixed when the server starts, for its workers have to find the same one. Nothing here loads the
engine's library. What comes of the settings for a pipeline: `pps.executions`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from howdah.engine import EngineAt
from howdah.engine.address import checked, choose
from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line
from howdah.pps.executions import AUTO, EXECUTIONS, MISSING, MISSING_ENGINE, PROCESS, PULLS, REFUSE, ExecutionRules

__all__ = [
    "DEFAULT_NETWORK",
    "EXECUTION_VARIABLES",
    "PROCESSES",
    "READ_ONLY",
    "ExecutionSettings",
    "engine_of",
    "execution_settings",
    "told_of",
]

EXECUTION_VARIABLES: Final[Mapping[str, str]] = {
    "execution": "HOWDAH_EXECUTION",
    "engine": "HOWDAH_ENGINE",
    "missing_engine": "HOWDAH_MISSING_ENGINE",
    "pull": "HOWDAH_PULL",
    "container_network": "HOWDAH_CONTAINER_NETWORK",
    "container_root": "HOWDAH_CONTAINER_ROOT",
    "container_shell": "HOWDAH_CONTAINER_SHELL",
}
"""The environment's word for each setting that was not given."""

DEFAULT_NETWORK: Final = "bridge"
"""As on other platforms user code may reach what this machine reaches, but no server of this machine's loopback."""

WRITABLE: Final = "writable"
READ_ONLY: Final = "read-only"
"""What `root` may be."""

_DEFAULTS: Final = {"execution": AUTO, "missing_engine": REFUSE, "pull": MISSING, "container_root": WRITABLE}
_CHOICES: Final = {
    "execution": EXECUTIONS,
    "missing_engine": MISSING_ENGINE,
    "pull": PULLS,
    "container_root": (WRITABLE, READ_ONLY),
}


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """How user code is run. `engine` is an address as in DOCKER_HOST; None to look where engines usually are.

    `network` is one of the engine's names for what containers are connected to; none for nothing. `root` says whether
    they can write the image's own folders, and `shell` which static shell they get, if not this machine's usual one: a
    file, or an image by its digest.
    """

    execution: str = AUTO
    engine: str | None = None
    missing_engine: str = REFUSE
    pull: str = MISSING
    network: str = DEFAULT_NETWORK
    root: str = WRITABLE
    shell: str = ""

    @property
    def rules(self) -> ExecutionRules:
        """The same, without the engine."""
        return ExecutionRules(self.execution, self.missing_engine, self.pull)


PROCESSES: Final = ExecutionSettings(execution=PROCESS)
"""No containers, whatever specs say."""


def execution_settings(given: Mapping[str, str | None], environ: Mapping[str, str] = os.environ) -> ExecutionSettings:
    """Settings as they are given by name, else as the environment has them (`EXECUTION_VARIABLES`).

    Raises:
        BadRequest: BAD_ARGUMENT: a word that is none of the choices, or an address that is not understood.
    """
    found = {name: given.get(name) or environ.get(variable) for name, variable in EXECUTION_VARIABLES.items()}
    for name, choices in _CHOICES.items():
        found[name] = found[name] or _DEFAULTS[name]
        if found[name] not in choices:
            option = f"--{name.replace('_', '-')}"
            text = f"{option} ({EXECUTION_VARIABLES[name]}) is {one_line(str(found[name]))}"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; use {', '.join(choices[:-1])} or {choices[-1]}")
    engine = found["engine"] or None
    return ExecutionSettings(
        str(found["execution"]),
        None if engine is None else checked(engine),
        str(found["missing_engine"]),
        str(found["pull"]),
        found["container_network"] or DEFAULT_NETWORK,
        str(found["container_root"]),
        found["container_shell"] or "",
    )


def engine_of(settings: ExecutionSettings, environ: Mapping[str, str] = os.environ) -> EngineAt | None:
    """The engine that a server with these settings asks; None if it asks none.

    Raises:
        BadRequest: BAD_ARGUMENT: an address is not understood.
    """
    return None if settings.execution == PROCESS else EngineAt(choose(settings.engine, environ))


def told_of(settings: ExecutionSettings, engine: EngineAt | None) -> str:
    """How user code of what is made now would run, in words."""
    if engine is None:
        return "processes"
    silence = engine.silence()
    which = "all pipelines" if settings.execution != AUTO else "pipelines that name an image"
    if not silence:
        return f"containers for {which}, by the engine at {engine.address}"
    instead = "run as processes" if settings.missing_engine == PROCESS else "are refused"
    return f"processes; {which} {instead}: no container engine answers at {engine.address} ({silence})"

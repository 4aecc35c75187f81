# SPDX-License-Identifier: Apache-2.0
"""Container engines and containers for tests: started with the first test that wants one, ended with the last."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from howdah.engine import Engine, Settings
from howdah.worker.container import Container
from tools import engines


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


@pytest.fixture(scope="session")
def hosts() -> Iterator[Callable[[str], Host]]:
    """An engine by its name; absent ones skip at home and fail in CI."""
    running: dict[str, Host] = {}
    with ExitStack() as stack:

        def host(name: str) -> Host:
            missing = "root" if os.geteuid() != 0 else engines.missing_for(name)
            if missing:
                text = f"{name} cannot run here without {missing}"
                pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)
            if name not in running:
                folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))  # short: a socket's path has 107 bytes
                address = stack.enter_context(engines.running(name, folder))
                image = engines.build(address, "shell", engines.with_shell())
                running[name] = Host(address, stack.enter_context(Engine(address)), image)
            return running[name]

        yield host


@pytest.fixture(scope="session")
def containers(hosts, tmp_path_factory) -> Iterator[Callable[[str], Container]]:
    """One container that is kept, by its engine; its work folder has every test's folder in it."""
    kept: dict[str, Container] = {}

    def container(name: str) -> Container:
        host = hosts(name)
        if name not in kept or kept[name].closed:
            kept[name] = host.start(tmp_path_factory.getbasetemp())
        return kept[name]

    yield container
    for each in kept.values():
        each.close()


@pytest.fixture(params=["docker", "podman"])
def host(request, hosts) -> Host:
    """Each engine."""
    return hosts(request.param)


@pytest.fixture(params=["docker", "podman"])
def container(request, containers) -> Container:
    """The container of each engine that is kept."""
    return containers(request.param)

# SPDX-License-Identifier: Apache-2.0
"""Containers for tests of workers, by the engines that all tests share (`tests/conftest.py`)."""

from collections.abc import Callable, Iterator

import pytest

from howdah.worker.container import Container


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


@pytest.fixture(params=["docker", pytest.param("podman", marks=pytest.mark.full)])
def container(request, containers) -> Container:
    """The container of each engine that is kept."""
    return containers(request.param)

# SPDX-License-Identifier: Apache-2.0
"""Servers of others for all tests that want one: S3, container engines, a registry of images.

Each is started with the first test of a process that wants it, and ended with the last.
"""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from howdah.engine import Engine
from tests.engines import Host
from tests.storage.buckets import S3Server, absent
from tools import engines, image_registry
from tools import moto_server as moto
from tools import swift_server as swift


@pytest.fixture(scope="session")
def moto_s3():
    with moto.moto_server() as endpoint:
        yield S3Server(endpoint, moto.KEYS)


@pytest.fixture(scope="session")
def swift_s3(tmp_path_factory):
    programs = swift.swift_folder()
    if programs is None:
        absent("OpenStack Swift (pip install swift, and name its bin folder in HOWDAH_SWIFT)")
    with swift.swift_server(programs, tmp_path_factory.mktemp("swift")) as endpoint:
        yield S3Server(endpoint, swift.KEYS)


@pytest.fixture
def moto_keys(monkeypatch):
    """This process has the credentials of moto's server."""
    for name, value in moto.KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def moto_bucket(moto_s3, moto_keys, monkeypatch):
    """Amazon's client and the name of a new bucket, which this process finds by the usual variables."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_s3.endpoint)
    return moto_s3.client(), moto_s3.new_bucket()


@pytest.fixture
def swift_keys(monkeypatch):
    """This process has the credentials of Swift."""
    for name, value in swift.KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def registry():
    """A registry of images, with a password."""
    if missing := image_registry.is_missing():
        absent(missing)
    with image_registry.running(Path(tempfile.mkdtemp(prefix="registry-"))) as running:
        yield running


@pytest.fixture(scope="session")
def hosts(request):
    """A container engine by its name; absent ones skip at home and fail in CI. They trust the registry."""
    running = {}
    with ExitStack() as stack:

        def host(name):
            if missing := "root" if os.geteuid() != 0 else engines.missing_for(name):
                absent(f"{name} (it cannot run here without {missing})")
            if name not in running:
                known = () if image_registry.is_missing() else (request.getfixturevalue("registry").address,)
                folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))  # short: a socket's path has 107 bytes
                address = stack.enter_context(engines.running(name, folder, known))
                image = engines.build(address, "shell", engines.with_shell())
                running[name] = Host(address, stack.enter_context(Engine(address)), image)
            return running[name]

        yield host


@pytest.fixture(params=["docker", pytest.param("podman", marks=pytest.mark.full)])
def host(request, hosts):
    """Each engine."""
    return hosts(request.param)

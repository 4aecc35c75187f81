# SPDX-License-Identifier: Apache-2.0
"""S3 servers for all tests that want one: started with the first of them in a process, ended with the last."""

import pytest

from tests.storage.buckets import S3Server, absent
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

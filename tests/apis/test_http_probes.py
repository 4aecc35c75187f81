# SPDX-License-Identifier: Apache-2.0
"""The HTTP port: `/livez`, `/readyz` and `/metrics` of a real server."""

import re
import urllib.error
import urllib.request

import grpc
import pytest

from howdah import __version__
from howdah.testing.server import running_server
from howdah.wire.stubs import pfs_v2_pb2, pfs_v2_pb2_grpc


@pytest.fixture
def server(tmp_path):
    with running_server(tmp_path) as running:
        yield running


def get(server, path):
    """Status and text of an answer."""
    try:
        with urllib.request.urlopen(server.http_address + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_running_server_is_live_and_ready(server):
    """Both say so in one word; other paths are not there."""
    assert (200, "ok\n") == get(server, "/livez")
    assert (200, "ok\n") == get(server, "/readyz")
    assert 404 == get(server, "/none")[0]


def test_a_server_without_its_store_is_live_but_not_ready(server):
    """The answer says what is missing."""
    (server.root / "lake" / "lake.json").unlink()

    status, text = get(server, "/readyz")

    assert 503 == status
    assert "there is no lake in" in text
    assert (200, "ok\n") == get(server, "/livez")


def test_calls_are_counted_by_method_and_code(server):
    """Good ones and bad ones, with the time that they took; the version and the store are shown too."""
    with grpc.insecure_channel(server.grpc_address) as channel:
        api = pfs_v2_pb2_grpc.APIStub(channel)
        for _ in range(2):
            list(api.ListRepo(pfs_v2_pb2.ListRepoRequest()))
        with pytest.raises(grpc.RpcError):
            api.InspectRepo(pfs_v2_pb2.InspectRepoRequest(repo=pfs_v2_pb2.Repo(name="none")))

    # A call is counted when its answer is out, perhaps after the caller has it.
    wanted = 'howdah_grpc_calls_total{code="NOT_FOUND",method="pfs_v2.API/InspectRepo"} 1.0'
    text = next(text for _ in range(1000) if wanted in (text := get(server, "/metrics")[1]))

    assert 'howdah_grpc_calls_total{code="OK",method="pfs_v2.API/ListRepo"} 2.0' in text
    assert 'howdah_grpc_call_seconds_count{code="OK",method="pfs_v2.API/ListRepo"} 2.0' in text
    assert f'howdah_build_info{{version="{__version__}"}} 1.0' in text
    assert int(re.search(r"^howdah_store_bytes (\d+)", text, re.MULTILINE)[1]) > 0

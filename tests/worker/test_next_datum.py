# SPDX-License-Identifier: Apache-2.0
"""The worker's own service, as user code reaches it."""

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from howdah.wire.stubs import pachyderm_worker_pb2 as pb
from howdah.wire.stubs import pachyderm_worker_pb2_grpc as services
from howdah.worker.next_datum import NextDatumServer
from howdah.worker.turns import Turns


@pytest.fixture
def stub():
    server = NextDatumServer(Turns())
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield services.WorkerStub(channel)
    server.close()


def test_what_the_server_knows_a_worker_does_not_tell(stub):
    """Its state, and an order to drop a datum: the answer says whom to ask."""
    for call, request, way_out in (
        (stub.Status, Empty(), "ask the server: ListDatum"),
        (stub.Cancel, pb.CancelRequest(job_id="1"), "ask that: RestartDatum"),
    ):
        with pytest.raises(grpc.RpcError) as error:
            call(request, timeout=30)

        assert grpc.StatusCode.UNIMPLEMENTED is error.value.code()
        assert way_out in error.value.details()

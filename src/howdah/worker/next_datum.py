# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`pachyderm.worker.Worker` as user code reaches it, on this machine's loopback alone: NextDatum, for `batching`.

Status and Cancel are what a Pachyderm server asks of its workers. Here a worker asks and is never asked: what runs is
told by the server (`list datum --state starting`), and a datum is taken back by taking its claim (RestartDatum). User
code, the only one that reaches this port, knows its datum by its variables, and gives one up by the error of its next
question.

A port is taken when the first pipeline with datum batching comes, and kept: user code finds it in
`PPS_WORKER_GRPC_PORT`. The official SDK's `batch_all_datums` calls it.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty

from howdah.errors import ErrorKind, Unavailable
from howdah.wire.stubs import pachyderm_worker_pb2 as pb
from howdah.wire.stubs import pachyderm_worker_pb2_grpc as services
from howdah.worker.turns import Turns

__all__ = ["PORT_VARIABLE", "NextDatumServer"]

PORT_VARIABLE: Final = "PPS_WORKER_GRPC_PORT"
_THREADS: Final = 4  # a question waits in one; a process has one at a time, and those of a killed one end at once
# Another worker of this machine must never be given the same port.
_OPTIONS: Final = (("grpc.so_reuseport", 0),)


class NextDatumServer:
    """Serves the questions of user code from `turns`."""

    def __init__(self, turns: Turns) -> None:
        """Listen on a free port of the loopback.

        Raises:
            Unavailable: there is none.
        """
        self._server = grpc.server(ThreadPoolExecutor(_THREADS, thread_name_prefix="next-datum"), options=_OPTIONS)
        services.add_WorkerServicer_to_server(_Servicer(turns), self._server)
        try:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        except RuntimeError as error:
            text = f"no port for datum batching can be had on 127.0.0.1 ({error}); end what takes them all"
            raise Unavailable(ErrorKind.BUSY, text) from error
        self._server.start()

    def close(self) -> None:
        """Answer nobody any more; `turns` must have ended."""
        self._server.stop(0).wait()


class _Servicer(services.WorkerServicer):
    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def NextDatum(self, request: pb.NextDatumRequest, context: grpc.ServicerContext) -> pb.NextDatumResponse:
        """The next datum is in `/pfs` when this answers; the variables are those of `/pfs/.env`."""
        variables = self._turns.ask(request.error)
        if variables is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "there are no more datums for this process; end it")
        return pb.NextDatumResponse(env=variables)

    def Status(self, request: Empty, context: grpc.ServicerContext) -> NoReturn:  # noqa: ARG002 - it is empty
        """Refused; the answer says who knows."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "a worker does not tell what it does; ask the server: ListDatum")

    def Cancel(self, request: pb.CancelRequest, context: grpc.ServicerContext) -> NoReturn:  # noqa: ARG002
        """Refused; the answer says who can."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "a worker is told by the server alone; ask that: RestartDatum")

# SPDX-License-Identifier: Apache-2.0
"""A worker that a test moves by hand: it speaks the workers' protocol and does the work itself, without a process."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import grpc

from howdah.storage import changes, rows
from howdah.storage.slices import slice_rows
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.wire.stubs import pps_v2_pb2
from howdah.wire.stubs.howdah_v1_pb2_grpc import WorkStub

CALL_SECONDS = 30.0  # reached only by a failing test

# Given the files of a datum by path, the files it makes by path; a text instead is why it failed.
Work = Callable[[dict[str, bytes]], dict[str, bytes] | str]


class ScriptedWorker:
    """Claims, reads and hands in over gRPC; bytes go directly to the store, as those of a real worker do."""

    def __init__(self, channel: grpc.Channel, storage: Storage, worker_id: str = "scripted") -> None:
        self.stub = WorkStub(channel)
        self.worker_id = worker_id
        self._storage = storage
        # What it tells of each datum besides its state.
        self.told: dict[str, object] = {}

    def claim(self) -> wire.ClaimResponse:
        """The next set; one without a number when there is no work."""
        return self.stub.Claim(wire.ClaimRequest(worker_id=self.worker_id), timeout=CALL_SECONDS)

    def datums(self, claim: wire.ClaimResponse) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Each datum of a claim with the files it is made of."""
        todo = self._storage.fileset(claim.todo_root, "the todo of a test")
        roots = {one.name: one.root for one in claim.inputs}
        for batch in slice_rows(todo, claim.first, claim.count):
            for entry in rows.entries(batch):
                parts = json.loads(self._read(entry))["inputs"]
                yield entry.path.removeprefix("/"), {p["path"]: self._file(roots[p["name"]], p["path"]) for p in parts}

    def hand_in(self, claim: wire.ClaimResponse, work: Work, *, last: bool = True) -> None:
        """Do all datums of a claim and hand in what became of them."""
        results = []
        with ChangeWriter(self._storage, self._storage.fileset(None, "nothing")) as writer:
            for datum, files in self.datums(claim):
                outcome = work(files)
                failed = isinstance(outcome, str)
                for path, data in () if failed else outcome.items():
                    writer.put(path, [data], datum=datum, append=True)
                state = pps_v2_pb2.FAILED if failed else pps_v2_pb2.SUCCESS
                reason = outcome if failed else ""
                told = {"tries": 1, **self.told}
                results.append(wire.DatumResult(datum_id=datum, state=state, reason=reason, **told))
            change = changes.encode(writer.finish())
        request = wire.HandInResultsRequest(
            set_id=claim.set_id, fence=claim.fence, change=change, results=results, last=last, containment="scripted"
        )
        self.stub.HandInResults(request, timeout=CALL_SECONDS)

    @contextmanager
    def working(self, work: Work) -> Iterator[None]:
        """Take set after set inside the block, in a thread."""
        stopped = threading.Event()
        claims: list[grpc.Future[wire.ClaimResponse]] = []

        def go_on() -> None:
            while not stopped.is_set():
                claims[:] = [self.stub.Claim.future(wire.ClaimRequest(worker_id=self.worker_id))]
                with suppress(grpc.FutureCancelledError, grpc.RpcError):  # it is lost, or we stop
                    if (claim := claims[0].result(CALL_SECONDS)).set_id:
                        self.hand_in(claim, work)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            while thread.is_alive():
                for claim in claims:
                    claim.cancel()
                thread.join(0.02)

    def _file(self, root: bytes, path: str) -> bytes:
        [entry] = self._storage.fileset(root, "an input of a test").find(path)
        return self._read(entry)

    def _read(self, entry: rows.Entry) -> bytes:
        return b"".join(self._storage.reader.read(entry.extents, 0, entry.size, entry.path))

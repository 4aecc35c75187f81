# SPDX-License-Identifier: Apache-2.0
"""A server that a test scripts: real gRPC, a real store in a folder, and claims, results and logs as lists."""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from howdah.kit.clock import SystemClock
from howdah.kit.ids import new_id
from howdah.model.spec import parse_spec
from howdah.storage import changes, rows
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.lake import create_lake
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.wire.stubs import howdah_v1_pb2_grpc as services
from howdah.wire.stubs import pfs_v2_pb2, pps_v2_pb2
from howdah.worker.link import claim_of
from howdah.worker.values import Claim

JOB_ID = "1f0c3f5e8a7b4c1d9e2f3a4b5c6d7e8f"
COMMIT_ID = "2a0c3f5e8a7b4c1d9e2f3a4b5c6d7e8f"
SPEC_ID = "3b0c3f5e8a7b4c1d9e2f3a4b5c6d7e8f"
PATIENCE_SECONDS = 20


def datum_id(*matches: tuple[str, str]) -> str:
    return hashlib.sha256(repr(matches).encode()).hexdigest()[:32]


class Lake:
    """A store in a folder, and what a planner would put there."""

    def __init__(self, folder: Path) -> None:
        self.store = DirectoryStore(folder / "lake")
        self.lake = create_lake(self.store, clock=SystemClock(), new_id=new_id)
        self.storage = Storage(self.store)

    def commit(self, files: Mapping[str, bytes]) -> bytes:
        """The root of a fileset with these files."""
        with ChangeWriter(self.storage, self.storage.fileset(None, "nothing")) as writer:
            for path, data in sorted(files.items()):
                writer.put(path, [data])
            return self.storage.apply(None, writer.finish(), "test").root

    def read(self, root: bytes) -> dict[str, bytes]:
        """Path to content of all files of a fileset."""
        return {path: data for (path, _), data in self.read_tagged(root).items()}

    def read_tagged(self, root: bytes) -> dict[tuple[str, str], bytes]:
        """(Path, datum) to content of all files of a fileset."""
        found = {}
        for entry in self.entries(root):
            pieces = self.storage.reader.read(entry.extents, 0, entry.size, entry.path)
            found[entry.path, entry.datum] = b"".join(pieces)
        return found

    def entries(self, root):
        return [entry for batch in self.storage.fileset(root, "test").batches() for entry in rows.entries(batch)]

    def claim(
        self,
        inputs: Mapping[str, Mapping[str, bytes]],
        datums: Sequence[Sequence[tuple[str, str]]],
        *,
        lifetime: float = 30.0,
        first: int = 0,
        count: int | None = None,
        **spec: object,
    ) -> wire.ClaimResponse:
        """A claim of these datums, each a list of (input, path); `spec` are fields of the pipeline's spec."""
        roots = {name: self.commit(files) for name, files in inputs.items()}
        todo = {}
        for datum in datums:
            parts = [{"name": n, "path": p, "hash": "", "size": 0} for n, p in datum]
            todo[f"/{datum_id(*datum)}"] = json.dumps({"key": "0", "inputs": parts}).encode()
        tree = {
            "pipeline": {"name": "edges"},
            "transform": {"cmd": ["true"]},
            "input": {"cross": [{"pfs": {"repo": n, "glob": "/*"}} for n in roots]},
            **spec,
        }
        answer = wire.ClaimResponse(
            set_id=1,
            fence=7,
            job=pps_v2_pb2.Job(
                pipeline=pps_v2_pb2.Pipeline(project=pfs_v2_pb2.Project(name="default"), name="edges"), id=JOB_ID
            ),
            pipeline_version=1,
            spec=parse_spec(tree).to_json(),
            output_commit_id=JOB_ID,
            spec_commit_id=SPEC_ID,
            inputs=[
                wire.ClaimInput(name=n, commit=pfs_v2_pb2.Commit(id=COMMIT_ID), branch="master", root=root)
                for n, root in roots.items()
            ],
            todo_root=self.commit(todo),
            first=first,
            count=len(datums) if count is None else count,
        )
        answer.lifetime.FromMilliseconds(int(lifetime * 1000))
        return answer

    def value(self, *args, **kwargs) -> Claim:
        """As `claim`, as the worker's value."""
        return claim_of(self.claim(*args, **kwargs))


class Scripted(services.WorkServicer, services.LakeServicer):
    """Gives out the claims that a test adds, and remembers what is handed in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = Lake(folder)
        self._changed = threading.Condition()
        self._claims: list[wire.ClaimResponse] = []
        self.hand_ins: list[wire.HandInResultsRequest] = []
        self.lines: list[wire.LogLine] = []
        self.claimed_by: list[str] = []
        self.renewals = 0
        self.lost: set[int] = set()
        self.image = ""  # that claims name
        self.away = 0  # so many hand-ins more are answered UNAVAILABLE
        self._server = self._start(0)

    def _start(self, port: int) -> grpc.Server:
        server = grpc.server(ThreadPoolExecutor(16))
        services.add_WorkServicer_to_server(self, server)
        services.add_LakeServicer_to_server(self, server)
        self.port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        return server

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, claim: wire.ClaimResponse, set_id: int = 1) -> None:
        with self._changed:
            claim.set_id, claim.image = set_id, self.image
            self._claims.append(claim)
            self._changed.notify_all()

    def wait(self, condition) -> None:
        """Return when `condition()` holds; fail if it does not come."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_SECONDS), "waited in vain"

    def wait_done(self, set_id: int = 1) -> list[wire.DatumResult]:
        """The results of a set, when all of it was handed in."""
        self.wait(lambda: any(each.last and each.set_id == set_id for each in self.hand_ins))
        return [result for each in self.hand_ins if each.set_id == set_id for result in each.results]

    def output(self) -> dict[tuple[str, str], bytes]:
        """(Path, datum) to content of all that was handed in."""
        return self.lake.read_tagged(self.output_root())

    def output_root(self) -> bytes:
        """The fileset of all that was handed in."""
        layers = [layer for each in self.hand_ins for layer in changes.decode(each.change)]
        return self.lake.storage.apply(None, layers, "test").root

    def log(self, *, user: bool = True) -> list[str]:
        return [line.message for line in self.lines if line.user is user]

    def lose(self, set_id: int) -> None:
        """Give a claim to somebody else; whoever watches it is told."""
        with self._changed:
            self.lost.add(set_id)
            self._changed.notify_all()

    def restart(self) -> None:
        """Go away, and come back at the same port."""
        self._server.stop(0).wait()
        self._server = self._start(self.port)

    def close(self) -> None:
        self._server.stop(0).wait()
        self.lake.storage.close()

    def GetLake(self, request, context):  # noqa: N802
        return wire.GetLakeResponse(lake_id=self.lake.lake.id, store_url=self.lake.store.url)

    def Claim(self, request, context):  # noqa: N802
        with self._changed:
            self._changed.wait_for(lambda: self._claims or not context.is_active(), 1.0)
            if not self._claims or not context.is_active():
                return wire.ClaimResponse()
            self.claimed_by.append(request.worker_id)
            self._changed.notify_all()
            return self._claims.pop(0)

    def RenewClaim(self, request, context):  # noqa: N802
        with self._changed:
            self.renewals += not request.HasField("wait")
            self._changed.notify_all()
        self._fence(request, context)
        if request.HasField("wait"):
            context.add_callback(self._wake)
            with self._changed:
                patience = request.wait.ToTimedelta().total_seconds()
                self._changed.wait_for(lambda: request.set_id in self.lost or not context.is_active(), patience)
            self._fence(request, context)
        return wire.RenewClaimResponse()

    def HandInResults(self, request, context):  # noqa: N802
        self._fence(request, context)
        with self._changed:
            if self.away:
                self.away -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "server is restarting")
            self.hand_ins.append(request)
            self._changed.notify_all()
        return wire.HandInResultsResponse()

    def AppendLogs(self, request, context):  # noqa: N802
        with self._changed:
            self.lines.extend(request.lines)
            self._changed.notify_all()
        return wire.AppendLogsResponse()

    def _wake(self):
        with self._changed:
            self._changed.notify_all()

    def _fence(self, request, context):
        if request.set_id in self.lost:
            context.abort(grpc.StatusCode.ABORTED, "claim lost")

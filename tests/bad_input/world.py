# SPDX-License-Identifier: Apache-2.0
"""A small lake behind a real server, wrong calls on it by three faces, and how it looks before and after."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from howdah.apis.grpc.errors import GRPC_CODES
from howdah.cli.exits import EXIT_CODES
from howdah.cli.main import run
from howdah.client import Client
from howdah.client.errors import KIND_KEY
from howdah.errors import ErrorKind, HowdahError
from howdah.model.states import JobState
from howdah.testing.server import RunningServer
from howdah.wire.stubs import howdah_v1_pb2_grpc, pfs_v2_pb2_grpc, pps_v2_pb2_grpc

NO_ID: Final = "0123456789ab4def8123456789abcdef"  # looks like a commit's, and is none
NO_DATUM: Final = "0" * 32


@dataclass(frozen=True)
class Said:
    """How a face answered a wrong call; what it has no word for is None."""

    text: str
    kind: ErrorKind | None
    group: type[HowdahError]


class World:
    """Repo `images` with a finished commit on master and an open one on `draft`; pipeline `edges` reads master.

    Nobody works on the pipeline's job, so it keeps running.
    """

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.client = Client(server.grpc_address)
        self.channel = grpc.insecure_channel(server.grpc_address)
        self.pfs = pfs_v2_pb2_grpc.APIStub(self.channel)
        self.pps = pps_v2_pb2_grpc.APIStub(self.channel)
        self.lake = howdah_v1_pb2_grpc.LakeStub(self.channel)
        self.work = howdah_v1_pb2_grpc.WorkStub(self.channel)
        self._fill()
        self.seen = self.look()

    def close(self) -> None:
        self.client.close()
        self.channel.close()

    def look(self) -> list[object]:
        """All that callers can see of the lake."""
        client = self.client
        repos = [info for kind in ("user", "meta", "spec") for info in client.list_repos(repo_type=kind, projects=())]
        branches = [each for info in repos for each in client.list_branches(info.repo)]
        commits = [each for info in repos for each in client.list_commits(info.repo)]
        files = [list(client.walk_files(ref)) for ref in ("images@master", "images@draft")]
        pipelines = list(client.list_pipelines(projects=(), history=-1))
        jobs = list(client.list_jobs(projects=()))
        return [list(client.list_projects()), repos, branches, commits, files, pipelines, jobs]

    def file(self, name: str, text: str) -> str:
        """A local file with that text."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def _fill(self) -> None:
        client = self.client
        client.create_repo("images")
        with client.modify("images@master") as stream:
            stream.put("/a", b"one")
            stream.put("/dir/b", b"two")
        self.finished = str(client.inspect_branch("images@master").head).partition("@")[2]
        self.open = client.start_commit("images@draft").id
        client.create_pipeline(EDGES)
        [self.job] = [str(job.job) for job in client.list_jobs("edges")]
        while client.inspect_job(self.job).state is not JobState.RUNNING:
            time.sleep(0.01)


EDGES: Final = {
    "pipeline": {"name": "edges"},
    "transform": {"cmd": ["true"]},
    "input": {"pfs": {"repo": "images", "glob": "/*"}},
}


def by_cli(world: World, capfd: pytest.CaptureFixture[str], words: Sequence[str]) -> Said:
    """Run a command line: nothing on standard output, one line on standard error, an exit code of a group of errors."""
    capfd.readouterr()
    code = run(("--address", world.server.grpc_address, *words))
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("howdah: "), err
    assert err.count("\n") == 1
    [group] = [group for group, number in EXIT_CODES.items() if number == code]
    return Said(err.removeprefix("howdah: ").strip(), None, group)


def by_client(world: World, call: Callable[[World], Any]) -> Said:
    """Call the Python client."""
    try:
        answer = call(world)
        if hasattr(answer, "__next__"):
            answer = list(answer)
    except HowdahError as error:
        return Said(error.message, error.kind, type(error))
    raise AssertionError(f"the call was answered: {answer}")


def by_grpc(call: Callable[[], Any]) -> Said:
    """Call the raw stubs, as any client of the protocol may."""
    try:
        answer = call()
        if isinstance(answer, grpc.RpcContext):
            answer = list(answer)  # type: ignore[call-overload]
    except grpc.RpcError as error:
        return _said(error)
    raise AssertionError(f"the call was answered: {answer}")


def _said(status: Any) -> Said:
    kinds = [str(value) for key, value in status.trailing_metadata() or () if key == KIND_KEY]
    groups = [group for group, code in GRPC_CODES.items() if code is status.code()]
    assert groups, f"{status.code()}: {status.details()}"
    return Said(status.details(), ErrorKind(kinds[0]) if kinds else None, groups[0])

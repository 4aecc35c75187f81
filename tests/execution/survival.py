# SPDX-License-Identifier: Apache-2.0
"""A lake whose pipelines run in containers, with datums that tests can hold in the middle, to see what is survived."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from docker import APIClient

from howdah.client import Client
from howdah.model.states import JobState
from howdah.server.executions import ExecutionSettings
from howdah.testing.execution_contract import eventually
from howdah.testing.server import running_server
from tests.crash.pipelines import USER_VARIABLE

__all__ = ["PATIENCE_SECONDS", "Place", "running_place"]

PATIENCE_SECONDS = 60.0
_WAIT = "until [ -e /pfs/go ]; do sleep 0.01; done; rm /pfs/go"
_SCRIPT = f'if [ "${{in##*/}}" = hold ]; then {_WAIT}; fi; cat "$in" >> /pfs/out/${{in##*/}}'
_FILES = {"/a": b"first", "/hold": b"held", "/z": b"last"}


class Place:
    """A client of a server, and what is in the folder of its lake and on its engine."""

    def __init__(self, client: Client, root: Path, address: str, image: str) -> None:
        self.client = client
        self.address = address
        self.image = image
        self._root = root

    def begin(self, name: str, *, before: str = "", **fields: Any) -> Any:
        """A pipeline over three files of a repo of its own, the second of which is held; its first job."""
        self.client.create_repo(f"{name}-in")
        self.put(name)
        self.create(name, f"{before}{_SCRIPT}", **fields)
        return next(iter(self.client.list_jobs(name))).job

    def create(self, name: str, script: str, **fields: Any) -> None:
        """A pipeline by one worker."""
        transform = {"image": self.image, "cmd": ["sh", "-c", script], "env": {USER_VARIABLE: name}}
        source = {"pfs": {"repo": f"{name}-in", "glob": "/*", "name": "in"}}
        spec = {"pipeline": {"name": name}, "transform": transform, "input": source, "datumSetSpec": {"number": 3}}
        self.client.create_pipeline({**spec, **fields})

    def put(self, name: str, more: bytes = b"") -> None:
        """One commit of all files of a pipeline's repo, each with some bytes more."""
        with self.client.modify(f"{name}-in@master") as writer:
            for path, data in _FILES.items():
                writer.put(path, data + more)

    def held(self, but: Collection[Path] = ()) -> Path:
        """The folder that is `/pfs` where a datum is held; none of those."""
        found: list[Path] = []

        def look() -> bool:
            places = self._root.glob("workers/*/container-*/pfs/in/hold")
            found[:] = [each.parents[1] for each in places if each.parents[1] not in but]
            return bool(found)

        assert all(eventually(look) or eventually(look) for _ in range(2)), "no datum is held"
        return found[0]

    def go(self, pfs: Path) -> None:
        """Let the held datum end."""
        (pfs / "go").touch()

    def container(self, pfs: Path) -> str:
        """The container that has a folder."""
        with closing(APIClient(base_url=self.address, version="auto")) as api:
            for each in api.containers(all=True):
                if any(mount["Source"] == str(pfs) for mount in api.inspect_container(each["Id"])["Mounts"]):
                    return str(each["Id"])
        raise AssertionError(f"no container has {pfs}")

    def reason(self, job: Any, words: str) -> str:
        """What a job says, as soon as it says those words."""
        said = [""]

        def look() -> bool:
            said[0] = self.client.inspect_job(job).reason
            return words in said[0]

        assert eventually(look) or eventually(look), f"the job says {said[0]!r}"
        return said[0]

    def succeeded(self, job: Any, more: bytes = b"") -> Any:
        """The job when it has ended, each datum of it once."""
        ended = self.client.wait_job(job, timeout=PATIENCE_SECONDS)
        assert (JobState.SUCCESS, "", 3, 0) == (ended.state, ended.reason, ended.processed, ended.failed)
        commit = f"{job.pipeline.name}@{job.id}"
        outputs = {each.path: self.client.get_file(commit, each.path) for each in self.client.list_files(commit)}
        assert {path: data + more for path, data in _FILES.items()} == outputs
        return ended


@contextmanager
def running_place(root: Path, address: str, image: str) -> Iterator[Place]:
    """A server with one worker."""
    settings = ExecutionSettings(engine=address, network="none")
    with running_server(root, workers=1, execution=settings) as server, Client(server.grpc_address) as client:
        yield Place(client, root, address, image)

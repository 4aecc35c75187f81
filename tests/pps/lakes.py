# SPDX-License-Identifier: Apache-2.0
"""A lake in memory with pipelines, and a worker that does in Python what user code would do."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from howdah.db.engine import Database
from howdah.kit.ids import new_id
from howdah.model.names import DEFAULT_PROJECT
from howdah.model.refs import Branch, Commit, CommitRef, Job, Pipeline, Repo
from howdah.model.spec import parse_spec
from howdah.model.states import DatumState
from howdah.pfs.lake import Pfs
from howdah.pfs.writes import Delete, Put
from howdah.pps.executions import ExecutionRules
from howdah.pps.images import ImageSource
from howdah.pps.infos import Claim, DatumResult, JobInfo, PipelineInfo, ProcessStats
from howdah.pps.parts import InputsOfParts
from howdah.pps.pps import Pps
from howdah.pps.records import read_records
from howdah.pps.sealing import KeySource, MemoryKeys
from howdah.storage import changes
from howdah.storage.memory_store import MemoryStore
from howdah.storage.slices import slice_rows
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.testing import ManualClock

Parts = Mapping[str, dict[str, bytes]]
"""What a datum reads: by the name of the input, its files by path."""

Code = Callable[[Parts], Mapping[str, bytes]]
"""What user code is here: it answers its output files, or raises `Failure`."""


class Failure(Exception):
    """User code that ends badly."""

    state = DatumState.FAILED


class Recovered(Failure):
    """User code that ends badly, and whose recovery command succeeds."""

    state = DatumState.RECOVERED


def copy(parts: Parts) -> Mapping[str, bytes]:
    """Write each file that is read, in capitals."""
    return {path: data.upper() for files in parts.values() for path, data in files.items()}


@dataclass
class Lake:
    """One lake in memory; its clock stands still."""

    workers: int = 1
    process_ms: int = 7
    clock: ManualClock = field(default_factory=ManualClock)
    secret_keys: KeySource = field(default_factory=MemoryKeys)
    rules: ExecutionRules | None = None  # None: no containers
    engine: ImageSource | None = None

    def __post_init__(self) -> None:
        self.store = MemoryStore("pps")
        self.db = Database.open(":memory:", clock=self.clock)
        self.restart()
        self.ran: list[str] = []
        """The parts of each datum that the worker ran, in order, as text."""

    def restart(self) -> None:
        """As a server that starts over what is there: nothing is left in memory."""
        self.storage = Storage(self.store)
        self.pfs = Pfs.open(self.db, self.storage)
        self.pps = Pps.open(
            self.pfs.catalog,
            self.db,
            self.storage,
            clock=self.clock,
            workers=self.workers,
            keys=self.secret_keys,
            rules=self.rules,
            engine=self.engine,
        )

    def close(self) -> None:
        self.db.close()
        self.storage.close()

    def repo(self, name: str) -> Repo:
        repo = Repo(DEFAULT_PROJECT, name)
        self.pfs.catalog.repos.create(repo)
        return repo

    def commit(self, repo: str, files: Mapping[str, bytes | None]) -> Commit:
        """One commit on master: files with bytes are put, those with None deleted."""
        operations = [Delete(path) if data is None else Put(path, [data]) for path, data in files.items()]
        return self.pfs.writes.modify(master(repo), operations)

    def pipeline(
        self, name: str, *inputs: str | dict[str, Any], update: bool = False, reprocess: bool = False, **fields: Any
    ) -> PipelineInfo:
        """A pipeline that reads `/*` of these repos, or these pfs inputs; several are crossed."""
        nodes = [{"pfs": {"repo": each, "glob": "/*"} if isinstance(each, str) else each} for each in inputs]
        spec = {
            "pipeline": {"name": name},
            "transform": {"cmd": ["run"], "image": "an-image"},
            "input": nodes[0] if len(nodes) == 1 else {"cross": nodes},
            **fields,
        }
        return self.pps.pipelines.create(parse_spec(spec), json.dumps(spec), update=update, reprocess=reprocess)

    def run(self, code: Code = copy) -> None:
        """Let scheduler and worker go on until nothing is left to do."""
        self.pps.scheduler.settle()
        while self.work(code):
            self.pps.scheduler.settle()

    def work(self, code: Code = copy, worker: str = "w1") -> Claim | None:
        """Claim one set and hand in all of it; None if there is no work."""
        claim = self.pps.claims.claim(worker)
        if claim is not None:
            for number in range(claim.count):
                self.hand_in(claim, number, code)
        return claim

    def hand_in(self, claim: Claim, number: int, code: Code = copy, **options: Any) -> None:
        """Run the datum with that number in a claim and hand in its result."""
        todo = self.storage.fileset(claim.todo_root, "a test")
        [(path, _, record)] = read_records(self.storage, slice_rows(todo, claim.first + number, 1), "datum")
        parts = self._read(claim, record)
        self.ran.append(" ".join(f"{part['path']}" for part in record["inputs"]))
        state, reason = DatumState.SUCCESS, ""
        with ChangeWriter(self.storage, self.storage.fileset(None, "a test")) as writer:
            try:
                for name, data in code(parts).items():
                    writer.put(name, [data], datum=path[1:], append=True)
            except Failure as error:
                state, reason = error.state, str(error)
            body = changes.encode(writer.finish()) if state is DatumState.SUCCESS else b""
        result = DatumResult(path[1:], state, reason, 1, ProcessStats(process_ms=self.process_ms))
        self.pps.claims.hand_in(claim.set_id, claim.fence, body, [result], **options)

    def _read(self, claim: Claim, record: dict[str, Any]) -> Parts:
        inputs = InputsOfParts(claim.inputs)
        parts: dict[str, dict[str, bytes]] = {}
        for part in record["inputs"]:
            view = self.pfs.files.view(inputs.of(part).commit)
            files = {entry.path: b"".join(view.read(entry)) for entry in view.files(part["path"])}
            parts.setdefault(part["name"], {}).update(files)
        return parts

    def taken(self) -> list[str]:
        """What ran since the last call."""
        ran, self.ran = self.ran, []
        return sorted(ran)

    def files(self, repo: str, kind: str = "user") -> dict[str, bytes]:
        """All files at the head of master."""
        view = self.pfs.files.view(CommitRef(Repo(DEFAULT_PROJECT, repo, kind), "master"))
        return {entry.path: b"".join(view.read(entry)) for entry in view.files("/")} if view.fileset.total.files else {}

    def digest(self, repo: str, kind: str = "user") -> bytes:
        """The digest of all files at the head of master."""
        return self.pfs.files.view(CommitRef(Repo(DEFAULT_PROJECT, repo, kind), "master")).fileset.total.digest

    def job(self, pipeline: str) -> JobInfo:
        """The newest job of a pipeline."""
        return next(self.pps.jobs.list(pipe(pipeline)))

    def jobs(self, pipeline: str) -> list[JobInfo]:
        """The jobs of a pipeline, oldest first."""
        return list(self.pps.jobs.list(pipe(pipeline), reverse=True))


def master(repo: str) -> CommitRef:
    return CommitRef(Repo(DEFAULT_PROJECT, repo), "master")


def pipe(name: str) -> Pipeline:
    return Pipeline(DEFAULT_PROJECT, name)


def branch(repo: str, name: str = "master") -> Branch:
    return Branch(Repo(DEFAULT_PROJECT, repo), name)


def job_of(name: str, commit: Commit) -> Job:
    return Job(pipe(name), commit.id)


__all__ = ["Code", "Failure", "Lake", "Parts", "Recovered", "branch", "copy", "job_of", "master", "new_id", "pipe"]

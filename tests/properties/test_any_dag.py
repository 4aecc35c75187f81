# SPDX-License-Identifier: Apache-2.0
"""Whatever happened to a DAG, what its pipelines hold in the end is what a fresh lake makes of the final state.

Commits, updates, deletions, stops, killed and deleted jobs, failing datums, workers that die, servers that start anew;
the scheduler and the workers get on by single steps in between. User code is a function of what a datum reads. At the
end each pipeline's output must have the digest of the same pipeline in a lake that was made from the final files and
specs, unless its last job was stopped; and then all of them must, when what is bad has been mended in both lakes by one
more commit. And every job came to an end, and its counts add up.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import func, select

from howdah.db import tables
from howdah.errors import AlreadyExists, BadRequest, Conflict, ErrorKind, Refused
from howdah.model.refs import Commit
from howdah.model.spec import parse_spec
from howdah.model.states import JobState, is_terminal
from howdah.pfs.writes import Delete, Put
from howdah.pps.claims import CLAIM_SECONDS
from howdah.pps.infos import Claim, JobInfo
from tests.pps.lakes import Failure, Lake, Parts, branch, master, pipe

REPOS = ("r0", "r1")
NAMES = ("p0", "p1", "p2", "p3", "p4")
PATHS = ("/a", "/b", "/d/x", "/d/y")
CONTENTS = (b"one", b"two", b"three", b"four", b"bad")
MENDED = b"mended"
CLASH = "was written by two datums"  # a job ends at once then


@dataclass(frozen=True)
class Kind:
    """A kind of input: its word in specs, what each pfs input below it has to have, and the globs that it takes."""

    node: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    globs: tuple[str, ...] = ("/*", "/d/*", "/")


_KEYED = ("/(*)", "/d/(*)")

KINDS: Mapping[str, Kind] = {
    "pfs": Kind("pfs"),
    "cross": Kind("cross"),
    "union": Kind("union"),
    "join": Kind("join", {"joinOn": "$1"}, _KEYED),
    "outer join": Kind("join", {"joinOn": "$1", "outerJoin": True}, _KEYED),
    "group": Kind("group", {"groupBy": "$1"}, _KEYED),
}
"""The kinds that are drawn: one line each."""

CODES = ("copy", "copy too", "strict", "strict", "by content", "nothing")
"""What user code does; `strict` and `by content` fail on what is bad, `by content` lets datums write one path."""

WORKERS = ("w1", "w2")
EVERYTHING = -1
THEN = st.sampled_from((0, 1, 2, 4, EVERYTHING, EVERYTHING))
"""How far jobs get after a change."""

FILES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from((*CONTENTS, None)), min_size=1)


@dataclass(frozen=True)
class Leaf:
    """A pfs input."""

    repo: str
    glob: str


@dataclass(frozen=True)
class Spec:
    """What makes a pipeline what it is."""

    kind: str
    leaves: tuple[Leaf, ...]
    code: str
    set_size: int
    every_time: bool
    note: int = 0  # in its description: what may change without another output

    @property
    def reads(self) -> set[str]:
        return {leaf.repo for leaf in self.leaves}

    def fields(self) -> dict[str, Any]:
        """All but the input, as specs have it."""
        return {
            "transform": {"cmd": ["run", self.code]},
            "datumSetSpec": {"number": self.set_size},
            "description": str(self.note),
            "reprocessSpec": "every_job" if self.every_time else "until_success",
        }

    def tree(self) -> dict[str, Any]:
        kind = KINDS[self.kind]
        nodes: list[dict[str, Any]] = [
            {"pfs": {"repo": leaf.repo, "glob": leaf.glob, "name": f"in{number}", **kind.fields}}
            for number, leaf in enumerate(self.leaves)
        ]
        return nodes[0] if self.kind == "pfs" else {kind.node: nodes}


def run(code: str, parts: Parts) -> Mapping[str, bytes]:
    """The user code of all pipelines: the same for the same parts, in whatever lake, job or order."""
    contents = b"|".join(data for files in parts.values() for _, data in sorted(files.items()))
    if code in ("strict", "by content") and b"bad" in contents:
        raise Failure("what it reads is bad")
    names = [(name, path) for name, files in sorted(parts.items()) for path in sorted(files)]
    place = digest(contents) if code == "by content" else digest(repr(names).encode())
    return {} if code == "nothing" else {f"/{place}": digest(code.encode() + contents).encode(), f"/d/{place}": b"-"}


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]


def code_of(claim: Claim) -> Callable[[Parts], Mapping[str, bytes]]:
    code: str = json.loads(claim.spec)["transform"]["cmd"][1]
    return lambda parts: run(code, parts)


def finish_all(lake: Lake) -> None:
    """Let the scheduler and a worker go on until nothing is left to do."""
    lake.pps.scheduler.settle()
    while (claim := lake.pps.claims.claim("finisher")) is not None:
        all(hand_in(lake, claim, number) for number in range(claim.count))
        lake.pps.scheduler.settle()


def hand_in(lake: Lake, claim: Claim, number: int) -> bool:
    """Run a datum and hand in what it wrote; False if the claim is lost, perhaps by that."""
    try:
        lake.hand_in(claim, number, code_of(claim))
    except Conflict as error:
        if error.kind is not ErrorKind.CLAIM_LOST:
            raise
        return False
    return True


class AnyDag(RuleBasedStateMachine):
    """A lake, and what its final state must be made from: the files of each repo, the spec of each pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.lake = Lake()
        self.files: dict[str, dict[str, bytes]] = {}
        self.specs: dict[str, Spec] = {}
        self.stopped: set[str] = set()
        self.open: dict[str, Commit] = {}
        # What workers have, each with the number of datums that it has handed in.
        self.claims: dict[str, tuple[Claim, int]] = {}
        for name in REPOS:
            self.lake.repo(name)
            self.files[name] = {}

    @initialize(data=st.data(), count=st.integers(2, len(NAMES)))
    def begin(self, data: st.DataObject, count: int) -> None:
        """Begin with some files and pipelines."""
        for repo in REPOS:
            self._commit(repo, {"/a": b"first", "/d/x": b"second", **data.draw(FILES)})
        for name in NAMES[:count]:
            self._create(name, self._drawn(data, name))

    # What users do to repos.

    @rule(data=st.data(), paths=FILES, then=THEN)
    def commit(self, data: st.DataObject, paths: dict[str, bytes | None], then: int) -> None:
        """Put and delete files; into the open commit if there is one."""
        self._commit(data.draw(st.sampled_from(sorted(self.files))), paths)
        self._get_on(then)

    @rule(data=st.data(), content=st.sampled_from(CONTENTS), then=THEN)
    def commit_one_file(self, data: st.DataObject, content: bytes, then: int) -> None:
        repo = data.draw(st.sampled_from(sorted(self.files)))
        self._commit(repo, {data.draw(st.sampled_from(PATHS)): content})
        self._get_on(then)

    def _commit(self, repo: str, paths: Mapping[str, bytes | None]) -> None:
        now = {**self.files[repo]}
        for path, content in paths.items():
            if content is None:
                now.pop(path, None)
            else:
                now[path] = content
        operations = [Delete(path) if content is None else Put(path, [content]) for path, content in paths.items()]
        self.lake.pfs.writes.modify(self.open.get(repo, master(repo)), operations)
        self.files[repo] = now

    @rule(data=st.data())
    def start_commit(self, data: st.DataObject) -> None:
        """Its results have to wait for its finish."""
        repo = data.draw(st.sampled_from(sorted(self.files)))
        if repo not in self.open:
            self.open[repo] = self.lake.pfs.catalog.commits.start(branch(repo))

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def finish_commit(self, data: st.DataObject) -> None:
        repo = data.draw(st.sampled_from(sorted(self.open)))
        self.lake.pfs.finisher.finish(self.open.pop(repo))

    # What users do to pipelines.

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def create(self, data: st.DataObject, name: str) -> None:
        spec = self._drawn(data, name)
        if name in self.specs or name in self.files:
            with pytest.raises(AlreadyExists):
                self._make(self.lake, name, spec)
        else:
            self._create(name, spec)

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), then=THEN)
    def update(self, data: st.DataObject, then: int) -> None:
        """With other code everything has to run again; with other inputs or settings nothing that ran before has to."""
        name = data.draw(st.sampled_from(sorted(self.specs)))
        spec = self._drawn(data, name)
        reprocess = spec.code != self.specs[name].code or data.draw(st.booleans())
        self._make(self.lake, name, spec, update=True, reprocess=reprocess)
        self.specs[name] = spec
        self._get_on(then)

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), field=st.sampled_from(("code", "set_size", "every_time", "note")), then=THEN)
    def update_one_field(self, data: st.DataObject, field: str, then: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.specs)))
        spec = replace(self.specs[name], **{field: getattr(self._drawn(data, name), field)})
        self._make(self.lake, name, spec, update=True, reprocess=field == "code")
        self.specs[name] = spec
        self._get_on(then)

    @precondition(lambda self: self.specs)
    @rule(data=st.data())
    def update_to_a_cycle(self, data: st.DataObject) -> None:
        """Refused; nothing changes."""
        name = data.draw(st.sampled_from(sorted(self.specs)))
        below = sorted(self._below(name) - {name})
        if not below or self.stopped:
            return
        leaf = Leaf(data.draw(st.sampled_from(below)), "/")
        spec = replace(self.specs[name], kind="pfs", leaves=(leaf,))
        with pytest.raises(BadRequest) as error:
            self._make(self.lake, name, spec, update=True, reprocess=True)
        assert ErrorKind.DAG_INVALID is error.value.kind

    @precondition(lambda self: self.specs)
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.specs)))
        self.lake.pps.pipelines.stop(pipe(name))
        self.stopped.add(name)

    @precondition(lambda self: self.stopped)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.stopped)))
        self.lake.pps.pipelines.start(pipe(name))
        self.stopped.discard(name)

    @precondition(lambda self: len(self.specs) > 2)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Refused while others read it."""
        name = data.draw(st.sampled_from(sorted(self.specs)))
        readers = {each for each, spec in self.specs.items() if name in spec.reads}
        if readers - self.stopped:
            with pytest.raises(Refused) as error:
                self.lake.pps.pipelines.delete(pipe(name))
            assert ErrorKind.HAS_DEPENDANTS is error.value.kind
        elif not readers:  # a stopped pipeline follows nobody, and could not be started again without what it reads
            self.lake.pps.pipelines.delete(pipe(name))
            self._forget(name)

    @precondition(lambda self: len(self.specs) > 2 and len(self.files) == len(REPOS))
    @rule(data=st.data())
    def delete_but_keep_its_output(self, data: st.DataObject) -> None:
        """The output is a repo like others then, and whoever reads it goes on."""
        name = data.draw(st.sampled_from(sorted(self.specs)))
        self.lake.pps.pipelines.delete(pipe(name), keep_repo=True)
        self._forget(name)
        self.files[name] = self.lake.files(name)

    # What users do to jobs.

    @precondition(lambda self: self.specs)
    @rule(data=st.data(), delete=st.booleans())
    def end_a_job(self, data: st.DataObject, delete: bool) -> None:
        """Stop or delete any job, whatever its state."""
        jobs = [job for name in sorted(self.specs) for job in self.lake.jobs(name)]
        if jobs:
            job = jobs[data.draw(st.integers(0, 1000)) % len(jobs)].job
            (self.lake.pps.jobs.delete if delete else self.lake.pps.jobs.stop)(job)

    # What goes on by itself.

    def _get_on(self, then: int) -> None:
        """So many steps of the scheduler and a worker, or all that can be done."""
        if then == EVERYTHING:
            self.get_ready()
            return
        for _ in range(then):
            self.lake.pps.scheduler.step()
            self._work("w1", 1)

    @rule(steps=st.integers(1, 4))
    def schedule(self, steps: int) -> None:
        for _ in range(steps):
            self.lake.pps.scheduler.step()

    @rule(worker=st.sampled_from(WORKERS), datums=st.integers(1, 4))
    def work(self, worker: str, datums: int) -> None:
        """Go on with what the worker has, or claim; what was lost is refused."""
        self._work(worker, datums)

    def _work(self, worker: str, datums: int) -> None:
        held = self.claims.pop(worker, None)
        if held is None:
            if (claim := self.lake.pps.claims.claim(worker)) is None:
                return
            held = claim, 0
        claim, done = held
        upto = min(claim.count, done + datums)
        if all(hand_in(self.lake, claim, number) for number in range(done, upto)) and upto < claim.count:
            self.claims[worker] = claim, upto

    @rule()
    def lose_claims(self) -> None:
        """Workers that are not heard of for long; they may come back."""
        self.lake.clock.advance(CLAIM_SECONDS + 1)

    @rule()
    def restart(self) -> None:
        self.lake.restart()
        self.lake.pps.claims.release(everything=True)

    @rule()
    def get_ready(self) -> None:
        """All that can be done is done."""
        self.claims.clear()
        self.lake.clock.advance(CLAIM_SECONDS + 1)
        finish_all(self.lake)

    # The end.

    def teardown(self) -> None:
        fresh = Lake()
        try:
            self._settle()
            self._make_anew(fresh)
            for name in self._in_order():
                if self._is_sound(name):
                    self._compare(fresh, name)
            self._mend(fresh)
            for name in self._in_order():
                self._compare(fresh, name)
            self._add_up()
            self._nothing_is_left()
        finally:
            self.lake.close()
            fresh.close()

    def _settle(self) -> None:
        """Start what is stopped, finish what is open, and do all that can be done."""
        for repo in sorted(self.open):
            self.lake.pfs.finisher.finish(self.open.pop(repo))
        for name in sorted(self.stopped):
            self.lake.pps.pipelines.start(pipe(name))
        self.get_ready()

    def _make_anew(self, fresh: Lake) -> None:
        for repo, files in self.files.items():
            fresh.repo(repo)
            fresh.commit(repo, files)
        for name in self._in_order():
            self._make(fresh, name, self.specs[name])
        finish_all(fresh)

    def _mend(self, fresh: Lake) -> None:
        """Commit to each repo of both lakes, so that every pipeline has one more job, with nothing bad to read."""
        for lake in (self.lake, fresh):
            for repo, files in sorted(self.files.items()):
                mended: dict[str, bytes | None] = {path: MENDED for path, data in files.items() if b"bad" in data}
                lake.commit(repo, {**mended, "/touched": repo.encode()})
            finish_all(lake)

    def _is_sound(self, name: str) -> bool:
        """Whether nobody stopped or deleted the job of a pipeline's head, or of one above it.

        What a pipeline was in the middle of when it was deleted, and its output kept, is a commit with an error.
        """
        info = self.lake.pfs.catalog.commits.inspect(master(name))
        if name in self.files:
            return not info.error
        head = info.commit
        newest = self._newest(name)
        if newest is None or newest.job.id != head.id or newest.state is JobState.KILLED:
            return False
        return all(self._is_sound(above) for above in self.specs[name].reads)

    def _compare(self, fresh: Lake, name: str) -> None:
        old, new = self._newest(name), fresh.job(name)
        assert old is not None, f"{name} has no job"
        assert (new.state, new.reason == "") == (old.state, old.reason == ""), f"{name}: {old.reason}"
        assert new.datums_total == old.datums_total, name
        if new.state is JobState.SUCCESS:
            assert fresh.files(name) == self.lake.files(name), name
            assert fresh.digest(name) == self.lake.digest(name), name

    def _add_up(self) -> None:
        for job in self._all_jobs():
            seen = job.datums_processed + job.datums_skipped + job.datums_failed + job.datums_recovered
            assert is_terminal(job.state), job
            if job.state is JobState.SUCCESS or (job.state is JobState.FAILURE and CLASH not in job.reason):
                assert job.datums_total == seen, job
            else:
                assert job.datums_total >= seen, job
            assert job.finished_at is not None, job
            assert job.created_at <= job.finished_at, job

    def _nothing_is_left(self) -> None:
        """What was kept only until jobs ended, and no commit is open."""
        with self.lake.db.read() as tx:
            left = {
                table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (tables.datum_set, tables.datum_result)
            }
            unfinished = select(func.count()).where(tables.commit.c.finished_at.is_(None))
            left["open commits"] = tx.execute(unfinished).scalar_one()

        assert {"datum_set": 0, "datum_result": 0, "open commits": 0} == left

    # What the machine knows.

    def _drawn(self, data: st.DataObject, name: str) -> Spec:
        """A spec for a pipeline that reads what is not below it."""
        sources = sorted(self.files) + sorted(set(self.specs) - self._below(name))
        kind = data.draw(st.sampled_from(sorted(KINDS)))
        count = 1 if kind == "pfs" else 2
        leaves = tuple(self._leaf(data, sources, kind) for _ in range(count))
        return Spec(
            kind,
            leaves,
            data.draw(st.sampled_from(CODES)),
            data.draw(st.integers(1, 3)),
            data.draw(st.integers(0, 5)) == 0,
            data.draw(st.integers(0, 1)),
        )

    def _leaf(self, data: st.DataObject, sources: list[str], kind: str) -> Leaf:
        """Of a product, what pipelines made is read whole: it would be a product of products."""
        repo = data.draw(st.sampled_from(sources))
        globs = ("/",) if kind == "cross" and repo not in REPOS else KINDS[kind].globs
        return Leaf(repo, data.draw(st.sampled_from(globs)))

    def _create(self, name: str, spec: Spec) -> None:
        self._make(self.lake, name, spec)
        self.specs[name] = spec

    def _make(self, lake: Lake, name: str, spec: Spec, *, update: bool = False, reprocess: bool = False) -> None:
        tree = {"pipeline": {"name": name}, "input": spec.tree(), **spec.fields()}
        lake.pps.pipelines.create(parse_spec(tree), json.dumps(tree), update=update, reprocess=reprocess)

    def _forget(self, name: str) -> None:
        del self.specs[name]
        self.stopped.discard(name)

    def _below(self, name: str) -> set[str]:
        """A pipeline and all that read it, however far."""
        found, more = {name}, True
        while more:
            below = {each for each, spec in self.specs.items() if spec.reads & found}
            more = not below <= found
            found |= below
        return found

    def _in_order(self) -> list[str]:
        """The pipelines, each after those it reads."""
        done: list[str] = []
        while rest := [name for name in sorted(self.specs) if name not in done]:
            done += [name for name in rest if not (self.specs[name].reads & set(rest))]
        return done

    def _newest(self, name: str) -> JobInfo | None:
        return next(self.lake.pps.jobs.list(pipe(name)), None)

    def _all_jobs(self) -> Iterator[JobInfo]:
        return self.lake.pps.jobs.list()


def machine(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )


TestAnyDag = pytest.mark.slow(AnyDag.TestCase)
TestAnyDag.settings = machine(6, 30)


class AtLength(AnyDag):
    """The same, many times."""


TestAnyDagAtLength = pytest.mark.full(AtLength.TestCase)
TestAnyDagAtLength.settings = machine(60, 40)

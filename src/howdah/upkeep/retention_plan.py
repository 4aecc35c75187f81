# SPDX-License-Identifier: Apache-2.0
"""What retention rules would remove now, what stays all the same, and why. Only looked at here; done in `retiring`.

What a rule keeps is not spoken of. What it does not keep goes, unless something that stays needs it: a branch that
points to it, a commit that depends on it, a child that is not finished, or one with an error, which is read as it. A
rule that deletes takes along what depends on a commit, and heads too.

The newest are looked at first: so what needs a commit has been decided on before it, and each is looked at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.model.names import USER
from howdah.model.refs import Commit, Repo
from howdah.model.retention import Kept, Retention, Rule, RuleTarget
from howdah.pfs import branch_rows, commit_lines, commit_rows, provenance
from howdah.pfs.repo_rows import NAME_COLUMNS
from howdah.pfs.retentions import nearest

__all__ = ["DoomedCommit", "DoomedRepo", "Plan", "make_plan"]


@dataclass(frozen=True, slots=True)
class DoomedCommit:
    """A commit that shall go, and what it takes `along`: the other commit of its job, and what is deleted with it."""

    key: int
    commit: Commit
    by: Retention
    along: Mapping[int, Commit] = field(default_factory=dict)

    @property
    def deletes(self) -> bool:
        """Whether it goes whatever needs it."""
        return self.by.rule.delete_after is not None


@dataclass(frozen=True, slots=True)
class DoomedRepo:
    """A repo that shall go, with the keys of its commits."""

    repo: Repo
    by: Retention
    keys: frozenset[int]


@dataclass(slots=True)
class Plan:
    """What shall go, commits in the order in which they can, and what stays against a rule."""

    commits: list[DoomedCommit] = field(default_factory=list)
    repos: list[DoomedRepo] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    @property
    def keys(self) -> frozenset[int]:
        """The keys of all commits that go."""
        keys = {key for each in self.commits for key in (each.key, *each.along)}
        return frozenset(keys.union(*(each.keys for each in self.repos)))


class _Line(NamedTuple):
    """As much of a commit as rules look at."""

    id: int
    set_id: str
    branch: str
    parent_id: int | None
    started_at: datetime
    finished_at: datetime | None
    bad: bool
    files: int | None


class _Ruled(NamedTuple):
    """A repo that a rule may be about."""

    id: int
    repo: Repo
    created_at: datetime


def make_plan(tx: Transaction, rules: dict[RuleTarget, Retention], only: RuleTarget | None = None) -> Plan:
    """What the rules would do at the time of the transaction; with `only`, what that one of them would."""
    return _Planner(tx, rules, only).plan()


class _Planner:
    """Makes one plan."""

    def __init__(self, tx: Transaction, rules: dict[RuleTarget, Retention], only: RuleTarget | None) -> None:
        self._tx = tx
        self._rules = rules
        self._only = only
        self._plan = Plan()
        self._lines: dict[int, dict[int, _Line]] = {}
        self._children: dict[int, list[_Line]] = {}
        # What goes so far; and for each, the commits that stay and will be children of what it was a child of.
        self._gone: dict[int, list[_Line]] = {}

    def plan(self) -> Plan:
        candidates: dict[int, DoomedCommit] = {}
        for ruled in _ruled(self._tx, {each.project for each in self._rules}):
            found = nearest(self._rules, ruled.repo)
            if found is not None and found.rule.whole_repo:
                self._consider_repo(ruled, found)
            else:
                candidates |= {each.key: each for each in self._candidates(ruled)}
        heads = {row.head_id: row.branch for row in branch_rows.with_heads(self._tx, candidates)}
        partners = _partners(self._tx, candidates)
        for key in sorted(candidates, reverse=True):
            if key in self._gone:
                continue  # it depends on one that was deleted
            doomed = candidates[key]
            if not doomed.deletes and key in heads:
                self._keep(doomed, f"branch {heads[key]} points to it")
            else:
                self._consider(doomed, partners.get(key, ()))
        return self._plan

    def _consider_repo(self, ruled: _Ruled, found: Retention) -> None:
        assert found.rule.delete_after is not None
        target = RuleTarget(ruled.repo.project, ruled.repo.name)
        if not self._acts(found) or ruled.created_at > self._tx.now - found.rule.delete_after:
            return
        own = [each for each in self._rules if each.branch and RuleTarget(each.project, each.repo) == target]
        reason = f"branch {own[0]} has a rule of its own" if own else _repo_in_use(self._tx, ruled)
        if reason:
            self._plan.kept.append(Kept(ruled.repo, str(found.target), reason))
        else:
            self._plan.repos.append(DoomedRepo(ruled.repo, found, _commits_of(self._tx, ruled.repo)))

    def _candidates(self, ruled: _Ruled) -> Iterator[DoomedCommit]:
        """The commits of a repo that its rules do not keep."""
        by_branch: defaultdict[str, list[_Line]] = defaultdict(list)
        for line in self._of_repo(ruled.id).values():
            by_branch[line.branch].append(line)
        for branch, lines in by_branch.items():
            found = nearest(self._rules, ruled.repo, branch)
            if found is None or found.rule.keeps_everything or found.rule.whole_repo or not self._acts(found):
                continue
            for line in _unkept(found.rule, sorted(lines, reverse=True), self._tx.now):
                yield DoomedCommit(line.id, Commit(ruled.repo, line.set_id), found)

    def _consider(self, doomed: DoomedCommit, partners: Collection[int]) -> None:
        """Let a commit go with what hangs on it, or say why not."""
        group = {doomed.key, *partners}
        # Looked up one by one: all that is gone may be many times as much.
        below = {key for key in provenance.commits_below(self._tx, group) if key not in group and key not in self._gone}
        if doomed.deletes:
            group |= below
            group |= {key for keys in _partners(self._tx, below).values() for key in keys}
            below = set()
        rows = commit_rows.by_ids(self._tx, {key for key in group if key not in self._gone})
        if below:
            needs = commit_rows.by_ids(self._tx, [min(below)])[min(below)].commit
            self._keep(doomed, f"commit {needs} depends on it")
            return
        if not doomed.deletes and any(row.finished_at is None for row in rows.values()):
            self._keep(doomed, "it is not finished")
            return
        survivors: dict[int, list[_Line]] = {}
        for key in sorted(rows, reverse=True):
            survivors[key] = self._survivors(rows[key].repo_id, key, survivors)
            for child in survivors[key]:
                if reason := self._child_needs(child, rows.keys()):
                    self._keep(doomed, f"commit {Commit(rows[key].commit.repo, child.set_id)} {reason}")
                    return
        self._gone |= survivors
        along = {key: row.commit for key, row in sorted(rows.items()) if key != doomed.key}
        self._plan.commits.append(replace(doomed, along=along))

    def _survivors(self, repo_id: int, key: int, group: Mapping[int, list[_Line]]) -> list[_Line]:
        """The commits that stay and whose nearest ancestor that stays lies above this one."""
        self._of_repo(repo_id)
        found: list[_Line] = []
        for child in self._children.get(key, ()):
            goes = self._gone.get(child.id, group.get(child.id))
            found += [child] if goes is None else goes
        return found

    def _child_needs(self, child: _Line, group: Collection[int]) -> str:
        """Why a child that stays keeps what is above it; "" if it does not."""
        if child.finished_at is None:
            return "is made from it and not finished"
        if child.bad and (good := commit_lines.last_good(self._tx, child.id)) is not None and good.id in group:
            return "finished with an error and is read as it"
        return ""

    def _keep(self, doomed: DoomedCommit, because: str) -> None:
        self._plan.kept.append(Kept(doomed.commit, str(doomed.by.target), because))

    def _acts(self, found: Retention) -> bool:
        return self._only is None or found.target == self._only

    def _of_repo(self, repo_id: int) -> dict[int, _Line]:
        """All commits of a repo, read once."""
        if repo_id not in self._lines:
            lines = self._lines[repo_id] = _lines(self._tx, repo_id)
            for line in lines.values():
                if line.parent_id is not None:
                    self._children.setdefault(line.parent_id, []).append(line)
        return self._lines[repo_id]


def _unkept(rule: Rule, lines: Sequence[_Line], now: datetime) -> Iterator[_Line]:
    """The commits of a branch, newest first, that a rule does not keep."""
    for place, line in enumerate(lines):
        if rule.delete_after is not None:
            # An empty first commit is what a branch has when all else is gone.
            empty = line.files == 0 and line.parent_id is None
            if line.started_at <= now - rule.delete_after and not empty:
                yield line
            continue
        counted = rule.keep_commits is not None and place < rule.keep_commits
        young = rule.keep_for is not None and (line.finished_at is None or line.finished_at > now - rule.keep_for)
        if not counted and not young:
            yield line


def _ruled(tx: Transaction, projects: Collection[str]) -> list[_Ruled]:
    """The users' repos of these projects."""
    repo, project = tables.repo.c, tables.project.c
    wanted = select(repo.id, *NAME_COLUMNS, repo.created_at).join(tables.project, project.id == repo.project_id)
    wanted = wanted.where(project.name.in_(projects), repo.type == USER).order_by(project.name, repo.name)
    return [_Ruled(row[0], Repo(row[1], row[2], row[3]), row[4]) for row in tx.execute(wanted)]


def _lines(tx: Transaction, repo_id: int) -> dict[int, _Line]:
    commit = tables.commit.c
    columns = (commit.id, commit.set_id, commit.branch_name, commit.parent_id, commit.started_at, commit.finished_at)
    wanted = select(*columns, commit.error != "", commit.files).where(commit.repo_id == repo_id)
    return {row[0]: _Line(*row) for row in tx.execute(wanted)}


def _partners(tx: Transaction, keys: Collection[int]) -> dict[int, tuple[int, ...]]:
    """For each output and meta commit of a job among these: the other one."""
    job = tables.job.c
    found: dict[int, tuple[int, ...]] = {}
    for batch in batches(keys):
        wanted = select(job.output_commit_id, job.meta_commit_id).where(job.meta_commit_id.is_not(None))
        wanted = wanted.where(or_(job.output_commit_id.in_(batch), job.meta_commit_id.in_(batch)))
        for output, meta in tx.execute(wanted):
            found |= {output: (meta,), meta: (output,)}
    return found


def _commits_of(tx: Transaction, repo: Repo) -> frozenset[int]:
    """The keys of the commits of a repo and of its siblings."""
    project, commit = tables.project.c, tables.commit.c
    wanted = select(commit.id).join(tables.repo, tables.repo.c.id == commit.repo_id)
    wanted = wanted.join(tables.project, project.id == tables.repo.c.project_id)
    return frozenset(tx.execute(wanted.where(project.name == repo.project, tables.repo.c.name == repo.name)).scalars())


def _repo_in_use(tx: Transaction, ruled: _Ruled) -> str:
    """Why a repo cannot be deleted; "" if it can."""
    pipeline, project = tables.pipeline.c, tables.project.c
    named = select(pipeline.id).join(tables.project, project.id == pipeline.project_id)
    named = named.where(project.name == ruled.repo.project, pipeline.name == ruled.repo.name, ~pipeline.deleted)
    if tx.execute(named).first() is not None:
        return f"pipeline {ruled.repo} writes it"
    branches = {row.id for row in branch_rows.of_repos(tx, [ruled.id])}
    below = {key for keys in provenance.branches_below(tx, branches).values() for key in keys} - branches
    if not below:
        return ""
    first = min((row.branch.repo.type != USER, row.branch) for row in branch_rows.by_ids(tx, below).values())
    return f"branch {first[1]} depends on it"

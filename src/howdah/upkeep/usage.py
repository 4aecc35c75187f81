# SPDX-License-Identifier: Apache-2.0
"""What repos, branches and commits hold in the store, and what each holds alone.

An object belongs to all whose filesets reach it. What a pipeline remembers (its plans, its results, what it
did) belongs to the repo of its output, which goes with it, and so do the meta and spec repos of its name. What a
job remembers of its inputs belongs to nobody: it goes with the commits that it names.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import select

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.model.names import USER
from howdah.model.refs import HEAD, Branch, Commit, Commitish, CommitRef, Repo
from howdah.model.upkeep import Held
from howdah.pfs import branch_rows, repo_rows
from howdah.pfs.resolve import resolve
from howdah.storage.extents import NAME_BYTES
from howdah.storage.filesets import EMPTY_ROOT, Filesets
from howdah.storage.marks import KINDS, chunks_of
from howdah.storage.name_sets import NO_NAMES, Names, as_names, names_in, places
from howdah.storage.objects import ObjectStore
from howdah.upkeep.roots import Holder, Root, find_roots

__all__ = ["Target", "Usage"]

Target = Repo | Commitish
"""A repo, a branch (a reference without id and steps), or a commit."""

_CACHE_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class _Group:
    """A repo with all its types, by project's key and name."""

    project_id: int
    name: str


@dataclass(frozen=True, slots=True)
class _Commit:
    """What must be known of a commit."""

    id: int
    group: _Group
    branch: str
    size: int
    is_user: bool


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The lake at one moment: what there is, by key, and who holds which roots."""

    commits: Mapping[int, _Commit]
    heads: Mapping[_Group, set[int]]
    names: Mapping[_Group, str]
    repos: Mapping[int, _Group]
    roots: Sequence[tuple[_Group | None, Root]]


class Usage:
    """Answers what is held. Safe for many threads."""

    def __init__(self, db: Database, store: ObjectStore) -> None:
        self._db = db
        self._store = store

    def of(self, targets: Sequence[Target] = ()) -> list[Held]:
        """What each of these holds; every repo by project and name if none is given.

        Raises:
            NotFound: one of them does not exist.
            Damaged: a fileset cannot be read.
        """
        with self._db.read() as tx:
            now = _snapshot(tx)
            wanted = [_members(tx, now, each) for each in targets]
        reach, sizes = _Reach(self._store), _Sizes(self._store)
        if targets:
            return [self._held(now, reach, sizes, *each) for each in wanted]
        return self._repos(now, reach, sizes)

    def freed(self, keys: frozenset[int]) -> int:
        """The bytes that only commits with these keys hold, with the jobs that wrote them.

        Raises:
            Damaged: a fileset cannot be read.
        """
        with self._db.read() as tx:
            now = _snapshot(tx)
            job = tables.job.c
            jobs = {row.id for row in tx.execute(select(job.id, job.output_commit_id)) if row.output_commit_id in keys}
        mine: list[Root] = []
        others: list[Root] = []
        for _, root in now.roots:
            if root.holder is not Holder.JOB_INPUT:
                of = {Holder.COMMIT: keys, Holder.JOB: jobs}.get(root.holder, ())
                (mine if root.key in of else others).append(root)
        reach, sizes = _Reach(self._store), _Sizes(self._store)
        return sizes.total(np.setdiff1d(reach.of(mine), reach.of(others), assume_unique=True))

    def _held(
        self, now: _Snapshot, reach: "_Reach", sizes: "_Sizes", name: str, group: _Group, only: frozenset[int] | None
    ) -> Held:
        """Of one target: a whole group, or only some commits of it."""
        own: list[Root] = []
        others: list[Root] = []
        for holder, root in now.roots:
            if root.holder is Holder.JOB_INPUT:
                continue
            mine = holder == group if only is None else root.holder is Holder.COMMIT and root.key in only
            (own if mine else others).append(root)
        reached = reach.of(own)
        alone = np.setdiff1d(reached, reach.of(others), assume_unique=True)
        commits = [each for key, each in now.commits.items() if (each.group == group if only is None else key in only)]
        shown = _heads(now, group) if only is None else _newest(commits)
        return Held(name, len(commits), shown, sizes.total(reached), sizes.total(alone))

    def _repos(self, now: _Snapshot, reach: "_Reach", sizes: "_Sizes") -> list[Held]:
        """Of every group at once: what only one of them reaches is its own."""
        by_group: defaultdict[_Group | None, list[Root]] = defaultdict(list)
        for holder, root in now.roots:
            if root.holder is not Holder.JOB_INPUT:
                by_group[holder].append(root)
        reached = {holder: reach.of(roots) for holder, roots in by_group.items()}
        every, owners = np.unique(np.concatenate([NO_NAMES, *reached.values()]), return_counts=True)
        once = every[owners == 1]
        counts: defaultdict[_Group, int] = defaultdict(int)
        for each in now.commits.values():
            counts[each.group] += 1
        held = []
        for group, name in sorted(now.names.items(), key=lambda each: each[1]):
            own = reached.get(group, NO_NAMES)
            alone = np.intersect1d(own, once, assume_unique=True)
            held.append(Held(name, counts[group], _heads(now, group), sizes.total(own), sizes.total(alone)))
        return held


class _Reach:
    """What filesets reach. Remembers what was read, since commits share most of it."""

    def __init__(self, store: ObjectStore) -> None:
        self._filesets = Filesets(store, cache_bytes=_CACHE_BYTES)
        self._below: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
        self._chunks: dict[bytes, Names] = {}

    def of(self, roots: Iterable[Root]) -> Names:
        """The names of all objects that can be reached, sorted. Kinds share them: a name is a hash of its kind too."""
        seen: set[bytes] = set()
        vectors = [NO_NAMES]
        for root in roots:
            vectors.append(root.chunks)
            waiting = [] if root.name is None else [root.name]
            while waiting:
                name = waiting.pop()
                if name == EMPTY_ROOT or name in seen:
                    continue
                seen.add(name)
                nodes, ranges = self._children(name, root.text)
                waiting += nodes
                for each in ranges:
                    if each not in seen:
                        seen.add(each)
                        vectors.append(self._in_range(each, root.text))
        return np.unique(np.concatenate([*vectors, as_names(seen)]))

    def _children(self, name: bytes, referrer: str) -> tuple[list[bytes], list[bytes]]:
        if (found := self._below.get(name)) is None:
            children = self._filesets.node(name, referrer).children
            nodes = [child.name for child in children if child.level]
            found = self._below[name] = nodes, [child.name for child in children if not child.level]
        return found

    def _in_range(self, name: bytes, referrer: str) -> Names:
        if (found := self._chunks.get(name)) is None:
            found = self._chunks[name] = chunks_of(self._filesets.rows(name, referrer))
        return found


class _Sizes:
    """The size of every object in the store, by its name."""

    def __init__(self, store: ObjectStore) -> None:
        names, sizes = bytearray(), []
        for prefix in KINDS:
            for info in store.list(prefix):
                names += bytes.fromhex(info.key[-2 * NAME_BYTES :])
                sizes.append(info.size)
        found = names_in(bytes(names))
        order = np.argsort(found)
        self._names: Names = found[order]
        self._sizes = np.array(sizes, np.int64)[order]

    def total(self, names: Names) -> int:
        """The bytes of these objects together; those that are missing have none."""
        at, there = places(self._names, names)
        return int(self._sizes[at[there]].sum()) if len(self._names) else 0


def _snapshot(tx: Transaction) -> _Snapshot:
    repo, project, commit = tables.repo.c, tables.project.c, tables.commit.c
    named = select(repo.id, repo.project_id, repo.name, repo.type, project.name.label("project")).join(
        tables.project, project.id == repo.project_id
    )
    groups: dict[int, tuple[_Group, bool]] = {}
    names: dict[_Group, str] = {}
    for row in tx.execute(named):
        group = _Group(row.project_id, row.name)
        groups[row.id] = group, row.type == USER
        names[group] = f"{row.project}/{row.name}"
    wanted = select(commit.id, commit.repo_id, commit.branch_name, commit.size_bytes)
    commits = {
        row.id: _Commit(row.id, groups[row.repo_id][0], row.branch_name, row.size_bytes or 0, groups[row.repo_id][1])
        for row in tx.execute(wanted)
    }
    heads: defaultdict[_Group, set[int]] = defaultdict(set)
    for key in tx.execute(select(tables.branch.c.head_id).where(tables.branch.c.head_id.is_not(None))).scalars():
        if commits[key].is_user:
            heads[commits[key].group].add(key)
    return _Snapshot(
        commits, heads, names, {key: group for key, (group, _) in groups.items()}, list(_owned(tx, commits))
    )


def _owned(tx: Transaction, commits: Mapping[int, _Commit]) -> Iterator[tuple[_Group | None, Root]]:
    """Every root, and the group that it belongs to."""
    pipeline, job = tables.pipeline.c, tables.job.c
    pipelines = {
        row.id: _Group(row.project_id, row.name)
        for row in tx.execute(select(pipeline.id, pipeline.project_id, pipeline.name))
    }
    jobs = {row.id: pipelines[row.pipeline_id] for row in tx.execute(select(job.id, job.pipeline_id))}
    for root in find_roots(tx):
        if root.holder is Holder.COMMIT:
            yield commits[root.key].group, root
        else:
            of: Mapping[Holder, Mapping[int, _Group]] = {Holder.PIPELINE: pipelines, Holder.JOB: jobs}
            yield of.get(root.holder, {}).get(root.key), root


def _members(tx: Transaction, now: _Snapshot, target: Target) -> tuple[str, _Group, frozenset[int] | None]:
    """The name of a target, its group, and its commits if it is not the whole group."""
    repo = repo_rows.get(tx, target if isinstance(target, Repo) else target.repo)
    group = now.repos[repo.id]
    if isinstance(target, Repo):
        return str(target), group, None
    if isinstance(target, CommitRef) and not target.id and target.ancestry == HEAD:
        branch = Branch(target.repo, target.branch)
        if branch_rows.find(tx, repo.id, branch.name) is None:
            raise branch_rows.missing(branch)
        on = select(tables.commit.c.id).where(
            tables.commit.c.repo_id == repo.id, tables.commit.c.branch_name == branch.name
        )
        return str(branch), group, frozenset(tx.execute(on).scalars())
    row = resolve(tx, target)
    return str(Commit(row.commit.repo, row.commit.id)), group, frozenset([row.id])


def _heads(now: _Snapshot, group: _Group) -> int:
    return sum(now.commits[key].size for key in now.heads.get(group, ()))


def _newest(commits: Sequence[_Commit]) -> int:
    return max(commits, key=lambda each: each.id).size if commits else 0

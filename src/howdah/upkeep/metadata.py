# SPDX-License-Identifier: Apache-2.0
"""What must hold between the rows of the database, and what can be mended without losing anything.

Each check is one statement that finds the rows for which something does not hold. A repair runs in the transaction
that found its fault. Whether the bytes are there that the rows name: `upkeep.proving`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Select, and_, delete, or_, select, update

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.model.refs import Branch, Commit, Repo
from howdah.model.states import JobState, is_terminal
from howdah.model.upkeep import Fault
from howdah.pfs import provenance
from howdah.pfs.repo_rows import NAME_COLUMNS
from howdah.pfs.work import Work, Works

__all__ = ["check_metadata"]

_C: Final = tables.commit.c
_B: Final = tables.branch.c
_J: Final = tables.job.c
_PARENT: Final = tables.commit.alias("parent")

_REPORT: Final = "nothing is lost by it; report it with a copy of the database"
_REPAIR: Final = "repair it: howdah fsck --repair"

Found = tuple[Fault, Callable[[Work], None] | None]
"""A fault, and what mends it."""


def check_metadata(db: Database, works: Works, *, repair: bool = False) -> Iterator[Fault]:
    """Every fault that there is at one moment; with `repair` those that can be mended are, in one transaction."""
    if not repair:
        with db.read() as tx:
            yield from [fault for fault, _ in _faults(tx)]
        return
    found: list[Fault] = []
    with works.open() as work:
        for fault, mend in list(_faults(work.tx)):
            if mend is not None:
                mend(work)
                fault = replace(fault, repaired="repaired")
            found.append(fault)
    yield from found


def _faults(tx: Transaction) -> Iterator[Found]:
    for check in (_heads, _parents, _states, _changes, _jobs, _cycles, _provenance):
        yield from check(tx)


def _heads(tx: Transaction) -> Iterator[Found]:
    """The head of a branch is a commit of its repo."""
    wrong = (
        select(_B.id, _B.name, *NAME_COLUMNS)
        .join(tables.repo, tables.repo.c.id == _B.repo_id)
        .join(tables.project, tables.project.c.id == tables.repo.c.project_id)
        .outerjoin(tables.commit, _C.id == _B.head_id)
        .where(_B.head_id.is_not(None), or_(_C.id.is_(None), _C.repo_id != _B.repo_id))
    )
    for row in tx.execute(wrong).all():
        branch = Branch(_repo(row), row.name)
        text = f"branch {branch} has a head that is no commit of its repo"
        yield Fault(text, f"branch {branch}", f"give it another: howdah update branch {branch} --head COMMIT"), None


def _parents(tx: Transaction) -> Iterator[Found]:
    """A parent is an older commit of the same repo."""
    wrong = _commits().outerjoin(_PARENT, _PARENT.c.id == _C.parent_id).where(_C.parent_id.is_not(None))
    bad = or_(_PARENT.c.id.is_(None), _PARENT.c.repo_id != _C.repo_id, _PARENT.c.id >= _C.id)
    for row in tx.execute(wrong.where(bad)).all():
        commit = _commit(row)
        yield (
            Fault(f"commit {commit} has a parent that is no older commit of its repo", f"commit {commit}", _REPORT),
            None,
        )


def _states(tx: Transaction) -> Iterator[Found]:
    """A finished commit has files and was finishing; an open one has none yet; what waits for nothing is ready."""
    wrong = _commits().where(
        or_(
            and_(_C.finished_at.is_not(None), or_(_C.root.is_(None), _C.finishing_at.is_(None))),
            and_(_C.finished_at.is_(None), _C.root.is_not(None)),
        )
    )
    for row in tx.execute(wrong).all():
        commit = _commit(row)
        text = f"commit {commit} is finished without files, or has files and is open"
        yield Fault(text, f"commit {commit}", _REPORT), None
    halfway = _commits().where(_C.finishing_at.is_not(None), _C.finished_at.is_(None))
    for row in tx.execute(halfway).all():
        commit = _commit(row)
        reopen = update(tables.commit).where(_C.id == row.id).values(finishing_at=None)
        text = f"commit {commit} is finishing, and nobody finishes it"
        yield Fault(text, f"commit {commit}", _REPAIR), _statement(reopen)
    waiting = provenance.ready_among(tx, list(tx.execute(select(_C.id).where(_C.ready_at.is_(None))).scalars()))
    for row in tx.execute(_commits().where(_C.id.in_(waiting))).all() if waiting else ():
        commit = _commit(row)
        ready = update(tables.commit).where(_C.id == row.id).values(ready_at=_C.started_at)
        text = f"commit {commit} waits, and all that it depends on is finished"
        yield Fault(text, f"commit {commit}", _REPAIR), _statement(ready)


def _changes(tx: Transaction) -> Iterator[Found]:
    """Only open commits have changes that wait to be merged."""
    change = tables.commit_change.c
    closed = _commits().where(_C.finished_at.is_not(None), _C.id.in_(select(change.commit_id)))
    for row in tx.execute(closed).all():
        commit = _commit(row)
        forget = delete(tables.commit_change).where(change.commit_id == row.id)
        text = f"commit {commit} is finished and has changes that were not merged"
        yield Fault(text, "", _REPAIR), _statement(forget)


def _jobs(tx: Transaction) -> Iterator[Found]:
    """A job that has ended has closed its output commit."""
    ended = [int(state) for state in JobState if is_terminal(state)]
    wrong = _commits().add_columns(_J.state, tables.pipeline.c.name.label("pipeline"))
    wrong = wrong.join(tables.job, _J.output_commit_id == _C.id).join(
        tables.pipeline, tables.pipeline.c.id == _J.pipeline_id
    )
    for row in tx.execute(wrong.where(_J.state.in_(ended), _C.finished_at.is_(None))).all():
        commit = _commit(row)
        text = (
            f"job {row.pipeline}@{row.set_id} has ended as {JobState(row.state).name}, and its commit {commit} is open"
        )
        advice = f"finish it: howdah finish commit {commit} --force"
        yield Fault(text, f"commit {commit} and what depends on it", advice), None


def _cycles(tx: Transaction) -> Iterator[Found]:
    """No branch depends on itself."""
    for key in sorted(_circles(tx)):
        branch = _branch(tx, key)
        advice = f"take it out of the circle: howdah update branch {branch} with other provenance"
        yield Fault(f"branch {branch} depends on itself", f"branch {branch}", advice), None


def _provenance(tx: Transaction) -> Iterator[Found]:
    """A branch depends on another if and only if its head depends on that one's head."""
    edge, made = tables.branch_provenance.c, tables.commit_provenance.c
    upstream = tables.branch.alias("upstream")
    wanted = (
        select(edge.branch_id, edge.upstream_id, _B.head_id, upstream.c.head_id.label("upstream_head"))
        .join(tables.branch, _B.id == edge.branch_id)
        .join(upstream, upstream.c.id == edge.upstream_id)
        .outerjoin(
            tables.commit_provenance,
            and_(made.commit_id == _B.head_id, made.upstream_id == upstream.c.head_id),
        )
        .where(edge.never.is_(False), upstream.c.head_id.is_not(None), made.commit_id.is_(None))
    )
    circles = _circles(tx)
    for row in tx.execute(wanted).all():
        if row.branch_id in circles:
            continue
        branch, other = _branch(tx, row.branch_id), _branch(tx, row.upstream_id)
        text = f"branch {branch} depends on branch {other}, and its head does not depend on the head of that"

        def mend(work: Work, key: int = row.branch_id) -> None:
            work.moved(key)

        yield Fault(text, f"the results in branch {branch}, which are not of the newest data", _REPAIR), mend


def _circles(tx: Transaction) -> set[int]:
    """The branches that depend on themselves."""
    above = provenance.branches_above(tx, list(tx.execute(select(_B.id)).scalars()))
    return {key for key, found in above.items() if key in found}


def _commits() -> Select[Any]:
    return (
        select(_C.id, _C.set_id, *NAME_COLUMNS)
        .join(tables.repo, tables.repo.c.id == _C.repo_id)
        .join(tables.project, tables.project.c.id == tables.repo.c.project_id)
        .order_by(_C.id)
    )


def _branch(tx: Transaction, key: int) -> Branch:
    wanted = (
        select(_B.name, *NAME_COLUMNS)
        .join(tables.repo, tables.repo.c.id == _B.repo_id)
        .join(tables.project, tables.project.c.id == tables.repo.c.project_id)
    )
    row = tx.execute(wanted.where(_B.id == key)).one()
    return Branch(_repo(row), row.name)


def _repo(row: Any) -> Repo:
    return Repo(row.project_name, row.repo_name, row.repo_type)


def _commit(row: Any) -> Commit:
    return Commit(_repo(row), row.set_id)


def _statement(statement: Any) -> Callable[[Work], None]:
    def mend(work: Work) -> None:
        work.tx.execute(statement)

    return mend

# SPDX-License-Identifier: Apache-2.0
"""Retention rules: owner of the table `retention`. What rules say: `model.retention`; who applies them: `upkeep`.

A rule goes with its repo or project. The branch of a rule need not exist yet, and may be deleted: the rule then holds
for the commits that were made on it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from howdah.db import tables
from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import AlreadyExists, BadRequest, ErrorKind, NotFound
from howdah.model.refs import Repo
from howdah.model.retention import Retention, Rule, RuleTarget, parse_rule, parse_target
from howdah.pfs import project_rows, repo_rows
from howdah.pfs.subjects import retention_subject
from howdah.pfs.work import Works

__all__ = ["Retentions", "checked", "every", "find", "missing", "nearest"]

_T: Final = tables.retention.c
_ROWS: Final = select(_T.target, _T.rule, _T.created_at)
_PAGE: Final = 200


def every(tx: Transaction) -> dict[RuleTarget, Retention]:
    """All rules, by what they are of."""
    return {found.target: found for found in map(_row, tx.execute(_ROWS))}


def nearest(rules: dict[RuleTarget, Retention], repo: Repo, branch: str = "") -> Retention | None:
    """The rule that holds for commits of a branch, or for a repo as a whole; None if there is none."""
    wider = (RuleTarget(repo.project, repo.name, branch), RuleTarget(repo.project, repo.name), RuleTarget(repo.project))
    return next((rules[each] for each in wider if each in rules), None)


def checked(tx: Transaction, target: RuleTarget, rule: Rule) -> tuple[int, int | None]:
    """The keys of the project, and of the repo if there is one, that a rule may be of.

    Raises:
        NotFound: PROJECT_NOT_FOUND or REPO_NOT_FOUND.
        BadRequest: BAD_ARGUMENT: a rule about a whole repo for a branch.
    """
    if target.branch and rule.whole_repo:
        text = f"branch {target} cannot have the rule ({rule}); give it to repo {target.project}/{target.repo}"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
    project_id = project_rows.get_id(tx, target.project)
    return project_id, repo_rows.get(tx, Repo(target.project, target.repo)).id if target.repo else None


def find(tx: Transaction, target: RuleTarget) -> Retention | None:
    """The rule of exactly this project, repo or branch; None if it has none."""
    row = tx.execute(_ROWS.where(_T.target == str(target))).one_or_none()
    return None if row is None else _row(row)


def missing(target: RuleTarget) -> NotFound:
    """The error that says that there is no rule of this."""
    text = f"{target} has no retention rule of its own; see what there is: howdah list retention"
    return NotFound(ErrorKind.RETENTION_NOT_FOUND, text)


class Retentions:
    """The retention rules of a lake. Each method is one transaction."""

    def __init__(self, db: Database, works: Works) -> None:
        self._db = db
        self._works = works

    def create(self, target: RuleTarget, rule: Rule, *, update: bool = False) -> Retention:
        """Give a project, repo or branch a rule; with `update` another one instead of the one that it has.

        Raises:
            AlreadyExists: RETENTION_EXISTS: it has one, and `update` is off.
            NotFound: PROJECT_NOT_FOUND or REPO_NOT_FOUND; with `update` RETENTION_NOT_FOUND.
            BadRequest: BAD_ARGUMENT: a rule about a whole repo for a branch.
        """
        with self._works.open() as work:
            tx = work.tx
            project_id, repo_id = checked(tx, target, rule)
            found = find(tx, target)
            if update:
                if found is None:
                    raise missing(target)
                _change(tx, target, rule)
            elif found is not None:
                text = f"{target} has a retention rule already ({found.rule}); change it: howdah update retention"
                raise AlreadyExists(ErrorKind.RETENTION_EXISTS, f"{text} {target} …")
            else:
                values = {"target": str(target), "project_id": project_id, "repo_id": repo_id, "rule": str(rule)}
                tx.execute(insert(tables.retention), {**values, "created_at": tx.now})
            tx.emit(retention_subject(target), "updated" if update else "created", {"rule": str(rule)})
            return Retention(target, rule, tx.now)

    def inspect(self, target: RuleTarget) -> Retention:
        """The rule of exactly this project, repo or branch.

        Raises:
            NotFound: RETENTION_NOT_FOUND.
        """
        with self._db.read() as tx:
            if (found := find(tx, target)) is None:
                raise missing(target)
        return found

    def list(self) -> Iterator[Retention]:
        """All rules by what they are of. Each page is read when it is reached, as things are then."""
        after = ""
        while True:
            with self._db.read() as tx:
                page = _page(tx, after)
            yield from page
            if len(page) < _PAGE:
                return
            after = str(page[-1].target)

    def delete(self, target: RuleTarget) -> None:
        """Take a rule away; what it removed does not come back.

        Raises:
            NotFound: RETENTION_NOT_FOUND.
        """
        with self._works.open() as work:
            if not work.tx.execute(delete(tables.retention).where(_T.target == str(target))).rowcount:
                raise missing(target)
            work.tx.emit(retention_subject(target), "deleted")


def _change(tx: Transaction, target: RuleTarget, rule: Rule) -> None:
    changed = update(tables.retention).where(_T.target == str(target))
    tx.execute(changed.values(rule=str(rule), created_at=tx.now))


def _page(tx: Transaction, after: str) -> Sequence[Retention]:
    return [_row(row) for row in tx.execute(_ROWS.where(_T.target > after).order_by(_T.target).limit(_PAGE))]


def _row(row: Any) -> Retention:
    return Retention(parse_target(row.target), parse_rule(row.rule), row.created_at)

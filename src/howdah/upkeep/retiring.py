# SPDX-License-Identifier: Apache-2.0
"""Apply retention rules: remove what they do not keep, or say what that would be. What goes: `retention_plan`.

The plan is made from one snapshot; then each commit goes in a transaction of its own, the newest first. There the rule
is asked again: what has come to be needed meanwhile stays. Being stopped anywhere leaves a lake in which some commits
are gone and the rest goes with the next application. Bytes stay until nothing names them and garbage is collected.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.kit import fail
from howdah.model.infos import Removed
from howdah.model.retention import Kept, Retention, Retired, Rule, RuleTarget, Summary
from howdah.pfs import branch_rows, commit_rows, removal, repos, retentions
from howdah.pfs.subjects import commit_subject, repo_subject
from howdah.pfs.work import Works
from howdah.upkeep.retention_plan import DoomedCommit, DoomedRepo, Plan, make_plan

__all__ = ["Retiring"]

_log: Final = logging.getLogger(__name__)

Answer = Retired | Kept | Summary


@dataclass(slots=True)
class _Count:
    retired: int = 0
    kept: int = 0

    def add(self, answer: Retired | Kept) -> None:
        if isinstance(answer, Retired):
            self.retired += 1
        else:
            self.kept += 1


class Retiring:
    """Applies the retention rules of one lake. Safe for many threads."""

    def __init__(self, db: Database, works: Works, freed: Callable[[frozenset[int]], int]) -> None:
        """`freed` says how many bytes only commits with these keys hold."""
        self._db = db
        self._works = works
        self._freed = freed

    def apply(
        self, target: RuleTarget | None = None, *, dry_run: bool = False, rule: Rule | None = None
    ) -> Iterator[Answer]:
        """Remove what the rules do not keep, or only what that of `target` does not, as the iterator is read.

        What was removed, what stays against a rule, and at the end a summary. Repeating it goes on. With `dry_run`
        nothing is changed: it says what would be removed and how many bytes garbage collection would give back; then
        `rule` may be one that the target could have.

        Raises:
            NotFound: RETENTION_NOT_FOUND: the target has no rule and none was given; or there is no such target.
            BadRequest: BAD_ARGUMENT: a rule without a target, without a dry run, or one that the target cannot have.
            Damaged: a fileset cannot be read.
        """
        if rule is not None and (target is None or not dry_run):
            text = "a rule is tried on something and by a dry run; name a project, repo or branch, or make the rule"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        with self._db.read() as tx:
            plan = self._plan(tx, target, rule)
        return self._told(plan) if dry_run else self._carry_out(plan)

    def _told(self, plan: Plan) -> Iterator[Answer]:
        retired = list(_planned(plan))
        freed = self._freed(plan.keys) if plan.keys else 0
        return chain(retired, plan.kept, [Summary(True, len(retired), len(plan.kept), freed)])

    def _plan(self, tx: Transaction, target: RuleTarget | None, rule: Rule | None) -> Plan:
        rules = retentions.every(tx)
        if rule is not None and target is not None:
            retentions.checked(tx, target, rule)
            rules[target] = Retention(target, rule)
        if target is not None and target not in rules:
            raise retentions.missing(target)
        return make_plan(tx, rules, target)

    def _carry_out(self, plan: Plan) -> Iterator[Answer]:
        count = _Count()
        for kept in plan.kept:
            count.add(kept)
            yield kept
        for repo in plan.repos:
            answer = self._repo(repo)
            count.add(answer)
            yield answer
        for doomed in plan.commits:
            for each in self._commit(doomed):
                count.add(each)
                yield each
        yield Summary(False, count.retired, count.kept)

    def _commit(self, doomed: DoomedCommit) -> Iterator[Retired | Kept]:
        """Remove a commit and what goes with it, unless something needs it by now."""
        try:
            removed = self._retire(doomed)
        except NotFound:
            return  # somebody else removed it
        except Refused as error:
            yield Kept(doomed.commit, str(doomed.by.target), error.message)
            return
        fail.here("retention.retired")
        for commit in removed.commits:
            _log.info("the retention rule of %s removed commit %s", doomed.by.target, commit)
            yield Retired(commit, str(doomed.by.target))

    def _retire(self, doomed: DoomedCommit) -> Removed:
        with self._works.open() as work:
            _check(work.tx, doomed)
            heads = [] if doomed.deletes else branch_rows.with_heads(work.tx, [doomed.key])
            if heads:
                raise Refused(ErrorKind.HAS_DEPENDANTS, f"branch {heads[0].branch} points to it")
            if not commit_rows.by_ids(work.tx, [doomed.key]):
                raise NotFound(ErrorKind.COMMIT_NOT_FOUND, f"commit {doomed.commit} is gone; nothing is left to do")
            work.tx.emit(commit_subject(doomed.commit), "retired", {"rule": str(doomed.by.target)})
            return removal.retire(work, doomed.commit, recursive=doomed.deletes)

    def _repo(self, doomed: DoomedRepo) -> Retired | Kept:
        try:
            with self._works.open() as work:
                _check(work.tx, doomed)
                work.tx.emit(repo_subject(doomed.repo), "retired", {"rule": str(doomed.by.target)})
                repos.delete(work, doomed.repo)
        except Refused as error:
            return Kept(doomed.repo, str(doomed.by.target), error.message)
        fail.here("retention.retired")
        _log.info("the retention rule of %s removed repo %s", doomed.by.target, doomed.repo)
        return Retired(doomed.repo, str(doomed.by.target))


def _planned(plan: Plan) -> Iterator[Retired]:
    for repo in plan.repos:
        yield Retired(repo.repo, str(repo.by.target))
    for doomed in plan.commits:
        for commit in (doomed.commit, *doomed.along.values()):
            yield Retired(commit, str(doomed.by.target))


def _check(tx: Transaction, doomed: DoomedCommit | DoomedRepo) -> None:
    """Refuse to act by a rule that was changed since the plan was made."""
    if retentions.find(tx, doomed.by.target) != doomed.by:
        raise Refused(ErrorKind.BUSY, f"the rule of {doomed.by.target} was changed meanwhile; apply it again")

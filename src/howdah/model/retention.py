# SPDX-License-Identifier: Apache-2.0
"""Retention rules: what they say, of which commits, and what came of them.

    keep 10 commits                 the newest ten of each branch
    keep 30 days                    what was finished in the last thirty days
    keep 10 commits and 30 days     what either of them keeps
    keep everything                 for a branch or repo where a wider rule must not hold
    delete commits after 48 hours   every commit, heads too, with all that depends on it
    delete repo after 48 hours      the repo itself

A rule is of a project (`images/`), a repo or a branch; of several the nearest holds. How they act: `upkeep.retiring`.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import DEFAULT_PROJECT, USER, project_name
from howdah.model.refs import Branch, Commit, Repo, parse_branch, parse_repo
from howdah.model.texts import one_line

__all__ = ["Kept", "Retention", "Retired", "Rule", "RuleTarget", "Summary", "parse_rule", "parse_target"]

_SPAN: Final = r"([0-9]{1,9}) ?(seconds?|minutes?|hours?|days?|weeks?|[smhdw])"
_PART: Final = rf"(?:last )?(?:([0-9]{{1,9}}) commits?|{_SPAN})"
_KEEP: Final = re.compile(rf"keep {_PART}(?: and {_PART})?")
_DELETE: Final = re.compile(rf"delete (commits|repo) after {_SPAN}")
_EVERYTHING: Final = "keep everything"
_UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SHOWN: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SPAN_MAX: Final = timedelta(days=36_500)  # a century; the calendar of the database ends some day


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule says. Nothing set: it keeps everything. Either a time to delete after is set, or what is kept."""

    keep_commits: int | None = None
    keep_for: timedelta | None = None
    delete_after: timedelta | None = None
    whole_repo: bool = False

    @property
    def keeps_everything(self) -> bool:
        """Whether it removes nothing at all."""
        return self.keep_commits is None and self.keep_for is None and self.delete_after is None

    def __str__(self) -> str:
        if self.delete_after is not None:
            return f"delete {'repo' if self.whole_repo else 'commits'} after {_span_text(self.delete_after)}"
        parts = [] if self.keep_commits is None else [_counted(self.keep_commits, "commit")]
        parts += [] if self.keep_for is None else [_span_text(self.keep_for)]
        return f"keep {' and '.join(parts)}" if parts else _EVERYTHING


@dataclass(frozen=True, slots=True)
class RuleTarget:
    """What a rule is of: a project, a repo of it, or a branch of that."""

    project: str
    repo: str = ""
    branch: str = ""

    def __str__(self) -> str:
        return f"{self.project}/{self.repo}{'@' + self.branch if self.branch else ''}"


@dataclass(frozen=True, slots=True)
class Retention:
    """A rule and what it is of."""

    target: RuleTarget
    rule: Rule
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retired:
    """A commit, or a whole repo, that a rule removed or would remove; `rule` is the target of that rule.

    What went with it is told of by itself. The job that wrote an output commit goes with that.
    """

    what: Commit | Repo
    rule: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A commit, or a whole repo, that a rule would remove and that stays, and why."""

    what: Commit | Repo
    rule: str
    because: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The last word of an application of rules: how many went, and how many stay against a rule.

    `freed_bytes` is what garbage collection would give back; only a dry run reckons it, otherwise it is None.
    """

    dry_run: bool
    retired: int
    kept: int
    freed_bytes: int | None = None


def parse_rule(text: str) -> Rule:
    """Read a rule. Case and further spaces do not matter.

    Raises:
        BadRequest: BAD_ARGUMENT.
    """
    words = " ".join(text.lower().split())
    if words == _EVERYTHING:
        return Rule()
    if found := _DELETE.fullmatch(words):
        return Rule(delete_after=_span(text, found[2], found[3]), whole_repo=found[1] == "repo")
    if found := _KEEP.fullmatch(words):
        first, second = found.group(1, 2, 3), found.group(4, 5, 6)
        commits = [int(part[0]) for part in (first, second) if part[0]]
        spans = [_span(text, part[1], part[2]) for part in (first, second) if part[1]]
        if len(commits) < 2 and len(spans) < 2 and commits != [0]:
            return Rule(commits[0] if commits else None, spans[0] if spans else None)
    raise _bad(text, "it must be one of the six kinds")


def parse_target(text: str, project: str = DEFAULT_PROJECT) -> RuleTarget:
    """Read what a rule is of: `project/`, `repo` or `repo@branch`; the last two with or without a project.

    Raises:
        BadRequest: BAD_NAME or BAD_REFERENCE; BAD_ARGUMENT: the repo is not one of users.
    """
    if text.endswith("/"):
        return RuleTarget(project_name(text[:-1]))
    branch = parse_branch(text, project) if "@" in text else Branch(parse_repo(text, project), "")
    if branch.repo.type != USER:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"repo {branch.repo} can have no retention rule: its commits go with those of the pipeline's output; "
            f"give {branch.repo.project}/{branch.repo.name} a rule",
        )
    return RuleTarget(branch.repo.project, branch.repo.name, branch.name)


def _span(text: str, number: str, unit: str) -> timedelta:
    try:
        span = timedelta(**{_UNITS[unit[0]]: int(number)})
    except OverflowError:
        span = _SPAN_MAX * 2
    if not timedelta() < span <= _SPAN_MAX:
        raise _bad(text, "a time must be longer than nothing and shorter than a century")
    return span


def _bad(text: str, why: str) -> BadRequest:
    hint = "write keep 10 commits, keep 30 days, keep 10 commits and 30 days, keep everything, "
    hint += "delete commits after 48 hours, or delete repo after 48 hours"
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"retention rule ({one_line(text)}) invalid: {why}; {hint}")


def _span_text(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    name, length = next(each for each in _SHOWN if seconds % each[1] == 0)
    return _counted(seconds // length, name)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

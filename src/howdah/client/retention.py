# SPDX-License-Identifier: Apache-2.0
"""Calls on retention rules: what is kept of projects, repos and branches, and what that removes."""

from collections.abc import Iterator
from datetime import UTC, datetime

from howdah.client import read_pfs
from howdah.client.caller import Caller
from howdah.model.retention import Kept, Retention, Retired, Rule, RuleTarget, Summary, parse_rule, parse_target
from howdah.wire.stubs import howdah_v1_pb2 as hd

__all__ = ["RetentionCalls"]

TargetLike = str | RuleTarget
"""What a rule is of: `project/`, `repo` or `repo@branch`."""


class RetentionCalls(Caller):
    """Rules as `keep 10 commits and 30 days`; `howdah.model.retention` has all of them. The server applies them."""

    def create_retention(self, target: TargetLike, rule: str | Rule, *, update: bool = False) -> Retention:
        """Give a project, repo or branch a rule; with `update` another one instead of the one that it has.

        Raises:
            AlreadyExists: RETENTION_EXISTS: it has one, and `update` is off.
            NotFound: there is no such project or repo; with `update`, it has no rule.
            BadRequest: it is no rule, or not one for this.
        """
        request = hd.CreateRetentionRequest(target=self._ruled(target), rule=str(_rule(rule)), update=update)
        return _retention(self._wire.call(self._wire.upkeep.CreateRetention, request))

    def list_retentions(self) -> Iterator[Retention]:
        """All rules, by what they are of."""
        return map(_retention, self._wire.stream(self._wire.upkeep.ListRetention, hd.ListRetentionRequest()))

    def inspect_retention(self, target: TargetLike) -> Retention:
        """The rule of exactly this project, repo or branch. Raises NotFound."""
        request = hd.InspectRetentionRequest(target=self._ruled(target))
        return _retention(self._wire.call(self._wire.upkeep.InspectRetention, request))

    def delete_retention(self, target: TargetLike) -> None:
        """Take a rule away; what it removed does not come back. Raises NotFound."""
        request = hd.DeleteRetentionRequest(target=self._ruled(target))
        self._wire.call(self._wire.upkeep.DeleteRetention, request)

    def apply_retention(
        self, target: TargetLike | None = None, *, dry_run: bool = False, rule: str | Rule | None = None
    ) -> Iterator[Retired | Kept | Summary]:
        """Remove what the rules do not keep, or only what that of `target` does not, and say what went as it goes.

        Then what stays against a rule, and why; a summary comes last. With `dry_run` nothing is changed, and the
        summary has the bytes that garbage collection would give back; `rule` is then tried as if the target had it.

        Raises:
            NotFound: the target has no rule and none was given, or there is no such target.
            BadRequest: a rule without a target or without a dry run, or one that is none.
        """
        named = "" if target is None else self._ruled(target)
        request = hd.ApplyRetentionRequest(dry_run=dry_run, target=named, rule="" if rule is None else str(_rule(rule)))
        return map(_answer, self._wire.stream(self._wire.upkeep.ApplyRetention, request))

    def _ruled(self, target: TargetLike) -> str:
        return str(parse_target(target, self.project) if isinstance(target, str) else target)


def _rule(rule: str | Rule) -> Rule:
    return parse_rule(rule) if isinstance(rule, str) else rule


def _retention(message: hd.RetentionInfo) -> Retention:
    created: datetime | None = message.created.ToDatetime(tzinfo=UTC) if message.HasField("created") else None
    return Retention(parse_target(message.target), parse_rule(message.rule), created)


def _answer(message: hd.ApplyRetentionResponse) -> Retired | Kept | Summary:
    if message.HasField("summary"):
        found = message.summary
        return Summary(found.dry_run, found.retired, found.kept, found.freed_bytes if found.dry_run else None)
    part = message.retired if message.HasField("retired") else message.kept
    what = read_pfs.commit(part.commit) if part.HasField("commit") else read_pfs.repo(part.repo)
    return Retired(what, part.rule) if isinstance(part, hd.Retired) else Kept(what, part.rule, part.because)

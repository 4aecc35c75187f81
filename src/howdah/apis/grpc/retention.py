# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""The calls of `howdah.v1.Upkeep` about retention rules; the rest of that service: `upkeep_service`."""

from collections.abc import Iterator

from howdah.apis.grpc.bridge import Bridge, Context
from howdah.model.refs import Commit, Repo
from howdah.model.retention import Kept, Retention, Retired, Summary, parse_rule, parse_target
from howdah.pfs.retentions import Retentions
from howdah.upkeep import Upkeep
from howdah.wire.convert import commit_message, repo_message, timestamp
from howdah.wire.stubs import howdah_v1_pb2 as pb

__all__ = ["RetentionCalls"]


class RetentionCalls:
    """Rules are made, shown and taken away, applied now, or tried."""

    _bridge: Bridge
    _upkeep: Upkeep

    @property
    def _rules(self) -> Retentions:
        return self._upkeep.retentions

    async def CreateRetention(self, request: pb.CreateRetentionRequest, context: Context) -> pb.RetentionInfo:
        """Give something a rule, or another one."""

        def create() -> pb.RetentionInfo:
            target, rule = parse_target(request.target), parse_rule(request.rule)
            return _info(self._rules.create(target, rule, update=request.update))

        return await self._bridge.unary(context, create)

    async def ListRetention(self, request: pb.ListRetentionRequest, context: Context) -> None:  # noqa: ARG002 - empty
        """All rules."""
        await self._bridge.stream(context, lambda: map(_info, self._rules.list()))

    async def InspectRetention(self, request: pb.InspectRetentionRequest, context: Context) -> pb.RetentionInfo:
        """One rule."""
        return await self._bridge.unary(context, lambda: _info(self._rules.inspect(parse_target(request.target))))

    async def DeleteRetention(self, request: pb.DeleteRetentionRequest, context: Context) -> pb.DeleteRetentionResponse:
        """Take a rule away."""

        def delete() -> pb.DeleteRetentionResponse:
            self._rules.delete(parse_target(request.target))
            return pb.DeleteRetentionResponse()

        return await self._bridge.unary(context, delete)

    async def ApplyRetention(self, request: pb.ApplyRetentionRequest, context: Context) -> None:
        """Apply rules, or with `dry_run` say what that would do."""

        def answers() -> Iterator[pb.ApplyRetentionResponse]:
            target = parse_target(request.target) if request.target else None
            rule = parse_rule(request.rule) if request.rule else None
            return map(_answer, self._upkeep.retiring.apply(target, dry_run=request.dry_run, rule=rule))

        await self._bridge.stream(context, answers)


def _info(retention: Retention) -> pb.RetentionInfo:
    created = timestamp(retention.created_at)
    return pb.RetentionInfo(target=str(retention.target), rule=str(retention.rule), created=created)


def _answer(answer: Retired | Kept | Summary) -> pb.ApplyRetentionResponse:
    if isinstance(answer, Summary):
        summary = pb.RetentionSummary(
            dry_run=answer.dry_run, retired=answer.retired, kept=answer.kept, freed_bytes=answer.freed_bytes or 0
        )
        return pb.ApplyRetentionResponse(summary=summary)
    commit = commit_message(answer.what) if isinstance(answer.what, Commit) else None
    repo = repo_message(answer.what) if isinstance(answer.what, Repo) else None
    if isinstance(answer, Retired):
        return pb.ApplyRetentionResponse(retired=pb.Retired(commit=commit, repo=repo, rule=answer.rule))
    kept = pb.RetentionKept(commit=commit, repo=repo, rule=answer.rule, because=answer.because)
    return pb.ApplyRetentionResponse(kept=kept)

# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`howdah.v1.Work`: what workers call. They claim datum sets, keep their claims, hand in results and lines of logs.

A worker holds nothing but a set's number and a fence: whatever it sends under an older fence is answered
ABORTED, and it drops that work. What a claim means is in `howdah.pps.claims`.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration

from howdah.apis.grpc import log_requests, pps_requests
from howdah.apis.grpc.bridge import Bridge, Context
from howdah.apis.grpc.pps_answers import job_message
from howdah.errors import BadRequest, ErrorKind
from howdah.model.states import DatumState
from howdah.pps.infos import Claim, DatumResult, GivenSecret, JobInput, LogLine, ProcessStats
from howdah.pps.pps import Pps
from howdah.pps.subjects import WORK, claims_subject
from howdah.wire.convert import commit_message, moment
from howdah.wire.stubs import howdah_v1_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2 as pps

__all__ = ["CLAIM_WAIT_SECONDS", "WorkServicer"]

# How long a worker is kept waiting, for work or for the loss of its claim, before it is told to ask again. Below the
# idle time at which proxies and firewalls begin to cut connections.
CLAIM_WAIT_SECONDS: Final = 20.0

# What a worker can tell of a datum that it ran.
_OUTCOMES: Final = {
    pps.SUCCESS: DatumState.SUCCESS,
    pps.FAILED: DatumState.FAILED,
    pps.RECOVERED: DatumState.RECOVERED,
}


class WorkServicer:
    """The methods of the service."""

    def __init__(self, bridge: Bridge, core: Pps, *, wait_seconds: float = CLAIM_WAIT_SECONDS) -> None:
        self._bridge = bridge
        self._core = core
        self._wait_seconds = wait_seconds

    async def Claim(self, request: pb.ClaimRequest, context: Context) -> pb.ClaimResponse:
        """The next datum set; an answer without one after some seconds. Waiting holds no thread."""
        asking = _Asking(lambda: self._core.claims.claim(_worker(request.worker_id)))
        try:
            async with asyncio.timeout(self._wait_seconds):
                claim: Claim | None = await self._bridge.wait(context, [WORK], asking.ask)
        except TimeoutError:
            claim = await self._bridge.unary(context, asking.stop)
        return pb.ClaimResponse() if claim is None else _claim(claim)

    async def RenewClaim(self, request: pb.RenewClaimRequest, context: Context) -> pb.RenewClaimResponse:
        """Keep a claim for another lifetime; a worker that waits hears of its loss at once. Waiting holds no thread."""
        job = await self._bridge.unary(context, self._core.claims.renew, request.set_id, request.fence)
        seconds = min(request.wait.seconds + request.wait.nanos / 1e9, self._wait_seconds)

        def is_lost() -> bool | None:
            self._core.claims.check(request.set_id, request.fence)
            return None

        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._bridge.wait(context, [claims_subject(job)], is_lost)
        return pb.RenewClaimResponse()

    async def HandInResults(self, request: pb.HandInResultsRequest, context: Context) -> pb.HandInResultsResponse:
        """Store what has been done since the last hand-in; repeating one changes nothing."""

        def hand_in() -> None:
            results = [_result(one) for one in request.results]
            self._core.claims.hand_in(
                request.set_id,
                request.fence,
                request.change,
                results,
                last=request.last,
                containment=request.containment,
            )

        await self._bridge.unary(context, hand_in)
        return pb.HandInResultsResponse()

    async def GiveBackClaim(self, request: pb.GiveBackClaimRequest, context: Context) -> pb.GiveBackClaimResponse:
        """Take back what a worker cannot run as things are; its job says why, and it waits."""
        await self._bridge.unary(context, self._core.claims.give_back, request.set_id, request.fence, request.reason)
        return pb.GiveBackClaimResponse()

    async def AppendLogs(self, request: pb.AppendLogsRequest, context: Context) -> pb.AppendLogsResponse:
        """Append lines to a job's logs, in their order."""

        def append() -> None:
            lines = [_line(one) for one in request.lines]
            self._core.logs.append(pps_requests.job(request), _worker(request.worker_id), lines)

        await self._bridge.unary(context, append)
        return pb.AppendLogsResponse()


class _Asking:
    """Asks for a claim until it is stopped, so that none is taken in the name of a call that has given up."""

    def __init__(self, claim: Callable[[], Claim | None]) -> None:
        self._claim = claim
        self._lock = threading.Lock()
        # Guarded by the lock. Invariant: once stopped, no claim is made.
        self._made: Claim | None = None
        self._stopped = False

    def ask(self) -> Claim | None:
        """A claim, if there is work now."""
        with self._lock:
            if not self._stopped and self._made is None:
                self._made = self._claim()
            return self._made

    def stop(self) -> Claim | None:
        """Ask no more; the claim that was made meanwhile, if one was."""
        with self._lock:
            self._stopped = True
            return self._made


def _claim(claim: Claim) -> pb.ClaimResponse:
    lifetime = Duration()
    lifetime.FromTimedelta(timedelta(seconds=claim.seconds))
    return pb.ClaimResponse(
        set_id=claim.set_id,
        fence=claim.fence,
        lifetime=lifetime,
        job=job_message(claim.job),
        pipeline_version=claim.version,
        spec=claim.spec,
        output_commit_id=claim.output_commit.id,
        inputs=[_input(one) for one in claim.inputs],
        todo_root=claim.todo_root,
        first=claim.first,
        count=claim.count,
        spec_commit_id=claim.spec_commit_id,
        secrets=[_secret(one) for one in claim.secrets],
        image=claim.image,
    )


def _input(one: JobInput) -> pb.ClaimInput:
    return pb.ClaimInput(name=one.name, commit=commit_message(one.commit), branch=one.branch.name, root=one.root)


def _secret(one: GivenSecret) -> pb.ClaimSecret:
    return pb.ClaimSecret(mount_path=one.mount_path, files=one.files, env_var=one.env_var, value=one.value)


def _worker(worker_id: str) -> str:
    if not worker_id:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "worker_id is empty; give the worker a name of its own")
    return worker_id


def _result(message: pb.DatumResult) -> DatumResult:
    state = _OUTCOMES.get(message.state)
    if state is None:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"datum {message.datum_id} is handed in with state {message.state}; use SUCCESS, FAILED or RECOVERED",
        )
    return DatumResult(message.datum_id, state, message.reason, message.tries, _stats(message.stats))


def _stats(message: pps.ProcessStats) -> ProcessStats:
    return ProcessStats(
        download_ms=message.download_time.ToMilliseconds(),
        process_ms=message.process_time.ToMilliseconds(),
        upload_ms=message.upload_time.ToMilliseconds(),
        download_bytes=message.download_bytes,
        upload_bytes=message.upload_bytes,
    )


def _line(message: pb.LogLine) -> LogLine:
    level = log_requests.level(message.level)
    return LogLine(moment(message.at), message.message, message.user, message.datum_id, level=level)

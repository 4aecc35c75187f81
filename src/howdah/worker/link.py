# SPDX-License-Identifier: Apache-2.0
"""The worker's calls to its server, as values and errors of ours. Nothing else of the worker knows the wire."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import grpc

from howdah.errors import BadRequest, Conflict, ErrorKind, HowdahError, NotFound, Refused, Unavailable
from howdah.model.refs import Branch, Job, Pipeline, Repo
from howdah.model.spec import parse_spec
from howdah.model.states import DatumState
from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.wire.stubs import howdah_v1_pb2_grpc as services
from howdah.wire.stubs import pfs_v2_pb2, pps_v2_pb2
from howdah.worker.values import Claim, ClaimInput, ClaimSecret, LogLine, Result, input_key

__all__ = ["Link", "claim_of"]

CALL_SECONDS: Final = 30.0
CLAIM_SECONDS: Final = 90.0  # the server answers without work after some 20 s
WATCH_SECONDS: Final = 15.0  # below what the server allows, and below what cuts idle connections
MESSAGE_BYTES_MAX: Final = 24 << 20  # what the server takes

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    # A worker has nothing else to do than to find its server again.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A server that vanished without a word is noticed while a claim waits.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Its own connection, not one that it shares with a client of the same process.
    ("grpc.use_local_subchannel_pool", 1),
)

_Code = grpc.StatusCode
_ERRORS: Final[dict[grpc.StatusCode, tuple[type[HowdahError], ErrorKind]]] = {
    _Code.ABORTED: (Conflict, ErrorKind.CLAIM_LOST),
    _Code.NOT_FOUND: (NotFound, ErrorKind.JOB_NOT_FOUND),
    _Code.INVALID_ARGUMENT: (BadRequest, ErrorKind.BAD_ARGUMENT),
    _Code.FAILED_PRECONDITION: (Refused, ErrorKind.JOB_FINISHED),
    _Code.UNAVAILABLE: (Unavailable, ErrorKind.UNREACHABLE),
    _Code.DEADLINE_EXCEEDED: (Unavailable, ErrorKind.TIMED_OUT),
    _Code.CANCELLED: (Unavailable, ErrorKind.CANCELLED),
}


class Link:
    """A connection to one server, made when it is needed and again when it broke. For many threads.

    Every call may raise Unavailable: the server cannot be reached now, repeat the call.
    """

    def __init__(self, address: str, worker_id: str) -> None:
        self._address = address
        self._worker_id = worker_id
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._work = services.WorkStub(self._channel)
        self._lake = services.LakeStub(self._channel)
        self._lock = threading.Lock()
        # The Claim that waits for work, so that `stop_claiming` can end it; guarded by _lock.
        self._claiming: grpc.Future[wire.ClaimResponse] | None = None
        self._stopped = False

    def lake(self) -> tuple[str, str]:
        """The id of the server's lake, and the URL of its store."""
        try:
            answer = self._lake.GetLake(wire.GetLakeRequest(), timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise self._explained(error) from error
        return answer.lake_id, answer.store_url

    def claim(self) -> Claim | None:
        """The next datum set; waits for one for some seconds.

        Raises:
            BadRequest: the claim cannot be understood: the server is of another version.
        """
        request = wire.ClaimRequest(worker_id=self._worker_id)
        with self._lock:
            if self._stopped:
                return None
            future = self._claiming = self._work.Claim.future(request, timeout=CLAIM_SECONDS)
        try:
            answer = future.result()
        except (grpc.RpcError, grpc.FutureCancelledError) as error:
            raise self._explained(error) from error
        finally:
            with self._lock:
                self._claiming = None
        return replace(claim_of(answer), worker_id=self._worker_id) if answer.set_id else None

    def stop_claiming(self) -> None:
        """Let no claim wait from now on."""
        with self._lock:
            self._stopped = True
            if self._claiming is not None:
                self._claiming.cancel()

    def renew(self, claim: Claim) -> None:
        """Keep a claim for another lifetime.

        Raises:
            Conflict: CLAIM_LOST.
        """
        request = wire.RenewClaimRequest(set_id=claim.set_id, fence=claim.fence)
        # A renewal that takes longer than the time between two is as good as none.
        timeout = min(CALL_SECONDS, max(1.0, claim.lifetime / 3))
        try:
            self._work.RenewClaim(request, timeout=timeout)
        except grpc.RpcError as error:
            raise self._explained(error) from error

    def watch(self, claim: Claim, told: Callable[[HowdahError | None], None]) -> Callable[[], object]:
        """Begin to wait for the loss of a claim; what is returned ends the wait.

        `told` is called once, in another thread: with Conflict (CLAIM_LOST) as soon as it is lost, with None after
        some seconds in which it was not, with Unavailable if nobody answered.
        """
        request = wire.RenewClaimRequest(set_id=claim.set_id, fence=claim.fence)
        request.wait.FromTimedelta(timedelta(seconds=WATCH_SECONDS))
        future = self._work.RenewClaim.future(request, timeout=WATCH_SECONDS + CALL_SECONDS)

        def tell(_: object) -> None:
            try:
                future.result()
            except (grpc.RpcError, grpc.FutureCancelledError) as error:
                told(self._explained(error))
            else:
                told(None)

        future.add_done_callback(tell)
        return future.cancel

    def hand_in(self, claim: Claim, change: bytes, results: Iterable[Result], *, last: bool, containment: str) -> None:
        """Hand in what became of some datums, and their output; `last` if these are the last of the claim.

        Raises:
            Conflict: CLAIM_LOST.
        """
        request = wire.HandInResultsRequest(
            set_id=claim.set_id,
            fence=claim.fence,
            change=change,
            results=[_result(each) for each in results],
            last=last,
            containment=containment,
        )
        try:
            self._work.HandInResults(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise self._explained(error) from error

    def give_back(self, claim: Claim, reason: str) -> None:
        """Give a claim back that nobody can run now, and say why.

        Raises:
            Conflict: CLAIM_LOST.
        """
        request = wire.GiveBackClaimRequest(set_id=claim.set_id, fence=claim.fence, reason=reason)
        try:
            self._work.GiveBackClaim(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise self._explained(error) from error

    def append_logs(self, job: Job, lines: Sequence[LogLine]) -> None:
        """Add lines to a job's logs.

        Raises:
            NotFound: there is no such job any more.
        """
        messages = [_line(each) for each in lines]
        request = wire.AppendLogsRequest(job=_job(job), worker_id=self._worker_id, lines=messages)
        try:
            self._work.AppendLogs(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise self._explained(error) from error

    def close(self) -> None:
        """End the connection; calls that wait fail."""
        self._channel.close()

    def _explained(self, error: Exception) -> HowdahError:
        code = error.code() if isinstance(error, grpc.Call) else _Code.CANCELLED
        details = " ".join((error.details() or "").split()) if isinstance(error, grpc.Call) else "cancelled"
        kind, name = _ERRORS.get(code, (Refused, ErrorKind.UNSUPPORTED))
        return kind(name, f"server {self._address}: {details or code.name.lower()}")


def claim_of(answer: wire.ClaimResponse) -> Claim:
    """The value of a message that has a claim.

    Raises:
        BadRequest: its spec cannot be understood.
    """
    pipeline = Pipeline(answer.job.pipeline.project.name, answer.job.pipeline.name)
    return Claim(
        set_id=answer.set_id,
        fence=answer.fence,
        lifetime=answer.lifetime.ToTimedelta().total_seconds(),
        job=Job(pipeline, answer.job.id),
        pipeline_version=answer.pipeline_version,
        spec=parse_spec(answer.spec, project=pipeline.project),
        output_commit_id=answer.output_commit_id,
        inputs=_inputs(answer),
        todo_root=answer.todo_root,
        first=answer.first,
        count=answer.count,
        spec_commit_id=answer.spec_commit_id,
        image=answer.image,
        secrets=tuple(
            ClaimSecret(each.mount_path, dict(each.files), each.env_var, each.value) for each in answer.secrets
        ),
    )


def _inputs(answer: wire.ClaimResponse) -> dict[str, ClaimInput]:
    """The inputs by name; those that share one by name and branch."""
    names = Counter(each.name for each in answer.inputs)
    found = {}
    for each in answer.inputs:
        repo = each.commit.repo
        branch = Branch(Repo(repo.project.name, repo.name, repo.type), each.branch)
        key = each.name if names[each.name] == 1 else input_key(each.name, str(branch))
        found[key] = ClaimInput(each.name, each.commit.id, each.branch, each.root)
    return found


def _job(job: Job) -> pps_v2_pb2.Job:
    project = pfs_v2_pb2.Project(name=job.pipeline.project)
    return pps_v2_pb2.Job(pipeline=pps_v2_pb2.Pipeline(project=project, name=job.pipeline.name), id=job.id)


def _result(result: Result) -> wire.DatumResult:
    failed = DatumState.RECOVERED if result.recovered else DatumState.FAILED
    state = failed if result.reason else DatumState.SUCCESS
    message = wire.DatumResult(
        datum_id=result.datum_id,
        state=pps_v2_pb2.DatumState.Name(state),
        reason=result.reason,
        tries=result.tries,
    )
    stats = message.stats
    stats.download_time.FromTimedelta(timedelta(seconds=result.download_seconds))
    stats.process_time.FromTimedelta(timedelta(seconds=result.process_seconds))
    stats.upload_time.FromTimedelta(timedelta(seconds=result.upload_seconds))
    stats.download_bytes = result.download_bytes
    stats.upload_bytes = result.upload_bytes
    message.cpu_time.FromMicroseconds(round(result.cost.cpu_seconds * 1e6))
    message.memory_max_bytes = result.cost.memory_max_bytes
    return message


def _line(line: LogLine) -> wire.LogLine:
    message = wire.LogLine(datum_id=line.datum_id, user=line.user, message=line.message, level=line.level.wire_name)
    message.at.seconds, message.at.nanos = divmod(line.at_ns, 1_000_000_000)
    return message

# SPDX-License-Identifier: Apache-2.0
"""Claims: how workers get work and give results, each claim under a fence.

A worker claims a datum set, renews the claim, and hands in results in the order of the set, a few at a
time or all at once. What was handed in is kept, whatever becomes of the worker; the rest of the set goes to
another one when the claim runs out. A call under a claim that was lost is refused and changes nothing.
What a job does before is in `pps.starting`, what comes of the results in `pps.finishing`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, Conflict, ErrorKind
from howdah.kit import fail
from howdah.kit.clock import Clock
from howdah.model.logs import LogLevel
from howdah.model.refs import Job
from howdah.model.states import DatumState, JobState
from howdah.model.texts import printable
from howdah.pfs import commit_rows
from howdah.pfs.handing_in import checked
from howdah.pps import execution_rows, job_rows, logs, pipeline_rows, set_rows
from howdah.pps.conditions import Equipment, equip
from howdah.pps.finishing import clash_text, end_badly
from howdah.pps.handed_in import HandIn, Outcomes, encode_hand_in
from howdah.pps.image_keeper import ImageKeeper
from howdah.pps.infos import Claim, DatumResult, ProcessStats
from howdah.pps.job_rows import JobRow
from howdah.pps.secrets import Secrets
from howdah.pps.set_rows import SetRow
from howdah.pps.sharing import Turns, share
from howdah.pps.starting import Details
from howdah.pps.subjects import WORK, job_subject
from howdah.storage import changes, rows
from howdah.storage.slices import slice_rows
from howdah.storage.storage import Storage

__all__ = ["CLAIM_SECONDS", "Claims"]

CLAIM_SECONDS: Final = 30  # three renewals missed; shorter, and a worker in a long pause would lose its datums

_REASON_MAX: Final = 1_000  # characters of what a worker says
_ENDED: Final = (DatumState.SUCCESS, DatumState.FAILED, DatumState.RECOVERED)


class Claims:
    """The protocol of workers. Safe for many threads."""

    def __init__(self, db: Database, storage: Storage, clock: Clock, secrets: Secrets, images: ImageKeeper) -> None:
        self._db = db
        self._storage = storage
        self._clock = clock
        self._secrets = secrets
        self._images = images
        self._turns = Turns()

    def claim(self, worker: str) -> Claim | None:
        """Give a worker a datum set that waits; None if there is none.

        It is of the job that has the fewest workers now, if its pipeline may have one more (`pps.sharing`). A pipeline
        whose image or secrets cannot be had gets none, and is CRASHING (`pps.conditions`).

        Whoever waits for work listens to the subject `work` and asks again. Two workers never get the same set.
        """
        now = self._clock.now()
        with self._db.read() as tx:  # most calls of idle workers end here, without the writer
            if next(set_rows.claimable(tx, now), None) is None:
                return None
        with self._db.write() as tx:
            fail.here("pps.claim")
            for job_id, set_id, live in self._turns.order(list(set_rows.claimable(tx, now))):
                job, found = job_rows.by_id(tx, job_id), set_rows.get(tx, set_id)
                if job is None or found is None:
                    continue
                bound = share(tx, job)
                if bound is not None and live >= bound:
                    continue
                if (equipment := equip(tx, self._secrets, self._images, job)) is not None:
                    fence = set_rows.claim(tx, found, worker, _until(now))
                    job_rows.set_reason(tx, job, "")  # whatever it waited for
                    self._turns.had(job_id)
                    return _claim(tx, job, found, fence, equipment)
        return None

    def renew(self, set_id: int, fence: int) -> Job:
        """Keep a claim for another `CLAIM_SECONDS`; the job that it is of.

        Raises:
            Conflict: CLAIM_LOST: drop the work.
        """
        with self._db.write() as tx:
            _, job = _held(tx, set_id, fence)
            set_rows.renew(tx, set_id, _until(self._clock.now()))
        return job.job

    def check(self, set_id: int, fence: int) -> None:
        """Return if a claim is still good. Whoever waits for its loss listens to the job's `claims_subject`.

        Raises:
            Conflict: CLAIM_LOST: drop the work.
        """
        with self._db.read() as tx:
            _held(tx, set_id, fence)

    def hand_in(
        self,
        set_id: int,
        fence: int,
        change: bytes,
        results: Sequence[DatumResult],
        *,
        last: bool = False,
        containment: str = "",
    ) -> None:
        """Take the results of the next datums of a set, and renew the claim. They are durable when this returns.

        `change` holds the output files of these datums (`storage.changes`, made over nothing; empty for none),
        each tagged with its datum and *appended*, so that one path written by two datums is seen. Its objects
        must be durable. `last` says that the set ends here. Results that were taken a moment ago are not taken again.

        Raises:
            Conflict: CLAIM_LOST: nothing was taken; drop the work. Also if two of these datums write one path: the job
                has failed then, and its reason names both.
            BadRequest: the results are not those of the next datums of the set; or `change` is not a change, or
                names what is not in the store.
        """
        with self._db.read() as tx:
            found, job = _held(tx, set_id, fence)
        if self._is_repeated(found, job, results):
            return
        self._check(found, job, change, results, last)
        if clash := _clash(change):
            self._end_by_clash(set_id, fence, clash)
        body = encode_hand_in(HandIn(Outcomes.of(results), found.worker, containment, change))
        with self._db.write() as tx:
            found, job = _held(tx, set_id, fence)
            if self._is_repeated(found, job, results):
                return
            self._check_order(found, job, results)
            set_rows.add_result(tx, found, body, [each.state for each in results])
            ended = set_rows.progress(tx, found, len(results), _until(self._clock.now()))
            _count(tx, job, results)
            tx.emit(job_subject(job.job), "progress")
            if ended and not set_rows.any_left(tx, job.id):
                job_rows.move(tx, job, JobState.FINISHING)
            elif ended:
                tx.emit(WORK, "waiting")
            fail.here("pps.result")
        self._images.worked(job.pipeline_id, job.version)

    def give_back(self, set_id: int, fence: int, reason: str) -> None:
        """Take back what is left of a set that its worker cannot run as things are, and why; the job says so.

        It is given to nobody for a while, or until what was amiss is mended (`pps.image_keeper`). What was handed in
        stays done.

        Raises:
            Conflict: CLAIM_LOST: also when it was given back before.
        """
        why = printable(" ".join(reason.split())[:_REASON_MAX]) or "a worker could not run it, and did not say why"
        with self._db.write() as tx:
            found, job = _held(tx, set_id, fence)
            set_rows.take_back(tx, found)
            job_rows.set_reason(tx, job, why)
            logs.say(tx, job, f"worker {found.worker} could not run datums, which wait now: {why}", LogLevel.ERROR)
            execution = execution_rows.get(tx, job.pipeline_id, job.version)
            # Before others see that the set is free: nobody may be given it at once.
            self._images.doubt(job, execution, why)
            fail.here("images.given_back")

    def release(self, *, everything: bool = False) -> bool:
        """Give back the claims that have run out, or with `everything` all of them; whether there were any.

        A server that starts gives back everything: its workers are new.
        """
        now = self._clock.now()
        with self._db.read() as tx:
            if not everything and not set_rows.has_expired(tx, now):
                return False
        with self._db.write() as tx:
            given_back = set_rows.release(tx, expired=None if everything else now)
            if given_back:
                tx.emit(WORK, "waiting")
        return given_back > 0

    def release_of(self, worker: str) -> None:
        """Give back the claims of a worker that is surely dead; without this they would have to run out."""
        with self._db.write() as tx:
            if set_rows.release(tx, worker=worker):
                tx.emit(WORK, "waiting")

    def _check(self, found: SetRow, job: JobRow, change: bytes, results: Sequence[DatumResult], last: bool) -> None:
        if bad := [result for result in results if result.state not in _ENDED]:
            text = f"datum {bad[0].id} cannot be handed in as {bad[0].state.name}; hand it in when it has ended"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        if last and len(results) < found.count:
            left = found.count - len(results)
            text = (
                f"datum set {found.id} of job {job.job} has {left} more datums; hand them in, or let the claim run out"
            )
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        self._check_order(found, job, results)
        if change:
            checked(self._storage, changes.decode(change), f"a result of job {job.job}")

    def _end_by_clash(self, set_id: int, fence: int, clash: str) -> None:
        """Fail a job at the first moment at which it is known that two of its datums write one path.

        Nothing of it counts as done, as when it is found out at the end (`pps.finishing`).

        Raises:
            Conflict: CLAIM_LOST, always.
        """
        with self._db.write() as tx:
            _, job = _held(tx, set_id, fence)
            end_badly(tx, job, JobState.FAILURE, clash_text(clash))
            set_rows.clear(tx, job.id)
        raise Conflict(ErrorKind.CLAIM_LOST, f"the claim of datum set {set_id} is lost: {clash}; claim again")

    def _is_repeated(self, found: SetRow, job: JobRow, results: Sequence[DatumResult]) -> bool:
        """Whether these are the last results that were taken: their worker did not hear that they were."""
        before = found.first - len(results)
        return bool(results) and before >= 0 and self._ids(job, before, len(results)) == [each.id for each in results]

    def _ids(self, job: JobRow, first: int, count: int) -> list[str]:
        todo = self._storage.fileset(Details.of(job).todo, f"job {job.job}")
        return [path[1:] for batch in slice_rows(todo, first, count) for path in batch.column(0).to_pylist()]

    def _check_order(self, found: SetRow, job: JobRow, results: Sequence[DatumResult]) -> None:
        """Refuse anything but the next datums of the set, each once."""
        wanted = self._ids(job, found.first, min(len(results), found.count))
        given = [result.id for result in results]
        if given != wanted:
            at = next((n for n, (a, b) in enumerate(zip(given, wanted, strict=False)) if a != b), len(wanted))
            text = f"datum {given[at]} is not the next one of datum set {found.id} of job {job.job}"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; hand in results in the order of the set, each once")


def _clash(change: bytes) -> str:
    """Which path two datums of one hand-in write, and which datums; "" if none is seen.

    What clashes with another hand-in, or lies in a change that was too big for a message, is seen at the end.
    """
    for layer in changes.decode(change) if change else ():
        if isinstance(layer.appends, pa.RecordBatch) and (found := rows.duplicate(layer.appends)):
            path, first, second = found
            return f"file {path} was written by two datums, {first} and {second}"
    return ""


def _held(tx: Transaction, set_id: int, fence: int) -> tuple[SetRow, JobRow]:
    """The set and the job of a claim that is still good."""
    found = set_rows.get(tx, set_id)
    job = None if found is None else job_rows.by_id(tx, found.job_id)
    if found is None or job is None:
        why = "its job has ended, or is gone"
    elif job.state is not JobState.RUNNING:
        why = f"job {job.job} is in state {job.state.wire_name}"
    elif found.state == set_rows.CLAIMED and found.fence == fence:
        return found, job
    else:
        why = "another worker has it, or may take it"
    raise Conflict(ErrorKind.CLAIM_LOST, f"the claim of datum set {set_id} is lost: {why}; drop the work, claim again")


def _claim(tx: Transaction, job: JobRow, found: SetRow, fence: int, equipment: Equipment) -> Claim:
    execution, secrets = equipment
    detail = Details.of(job)
    pipeline = pipeline_rows.get(tx, job.job.pipeline)
    version = pipeline_rows.version(tx, pipeline, job.version)
    return Claim(
        set_id=found.id,
        fence=fence,
        seconds=CLAIM_SECONDS,
        job=job.job,
        version=job.version,
        spec=version.effective_spec,
        output_commit=commit_rows.by_ids(tx, [job.output_commit_id])[job.output_commit_id].commit,
        inputs=detail.inputs,
        todo_root=detail.todo,
        first=found.first,
        count=found.count,
        spec_commit_id=version.spec_set_id,
        secrets=secrets,
        image=execution.digest if execution.in_container else "",
    )


def _count(tx: Transaction, job: JobRow, results: Sequence[DatumResult]) -> None:
    states = [result.state for result in results]
    stats = [result.stats for result in results]
    job_rows.add_counts(
        tx,
        job.id,
        processed=states.count(DatumState.SUCCESS),
        failed=states.count(DatumState.FAILED),
        recovered=states.count(DatumState.RECOVERED),
        stats=ProcessStats(
            sum(each.download_ms for each in stats),
            sum(each.process_ms for each in stats),
            sum(each.upload_ms for each in stats),
            sum(each.download_bytes for each in stats),
            sum(each.upload_bytes for each in stats),
        ),
    )


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=CLAIM_SECONDS)

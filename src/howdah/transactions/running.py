# SPDX-License-Identifier: Apache-2.0
"""Make a list of operations in one work: one database transaction, one commit set, one propagation at the end.

Filesets cannot be made inside: that takes seconds, and there is one writer. So they are made before, and the
transaction only refers to them (`pfs.finish.Closings`, `pps.pipelines.StoredSpec`). What a list needs is found by a
trial, which is taken back; if an open commit is written to between that and the real run, the run is taken back too,
what has changed is merged again, and it is repeated.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind, HowdahError
from howdah.kit import fail
from howdah.model.operations import (
    CreateBranch,
    CreatePipeline,
    CreateRepo,
    DeleteBranch,
    DeleteRepo,
    FinishCommit,
    Operation,
    SquashCommitSet,
    StartCommit,
    StopJob,
    UpdateJobState,
)
from howdah.model.refs import Commit
from howdah.model.spec import PipelineSpec
from howdah.pfs import branches, finish, removal, repos, starting
from howdah.pfs.finish import ClosingOf, Closings
from howdah.pfs.lake import Pfs
from howdah.pfs.work import Work
from howdah.pps import jobs
from howdah.pps.pipelines import StoredSpec
from howdah.pps.pps import Pps

__all__ = ["Answers", "Runner"]

# Times that a list is run again because a commit that it finishes was written to; each time somebody else went ahead.
_ATTEMPTS: Final = 100

Answers = tuple[Commit | None, ...]
"""What each operation answers: the commit that it starts, or nothing."""

_StoredOf = Callable[[PipelineSpec], StoredSpec]


class Runner:
    """Makes lists of operations in one lake. Safe for many threads."""

    def __init__(self, pfs: Pfs, pps: Pps) -> None:
        self._pfs = pfs
        self._pps = pps

    def trial(self, set_id: str, operations: Sequence[Operation]) -> Answers:
        """What `run` would answer now; nothing changes, and nothing is stored. Raises what it would raise."""
        stored_of = _each_spec(operations, self._pps.pipelines.unstored)
        return self._try(set_id, operations, self._pfs.finisher.closings(), stored_of)

    def run(self, set_id: str, operations: Sequence[Operation], end: Callable[[Transaction], None]) -> Answers:
        """Make all these changes, in their order and in that commit set, or none; `end` is the last step of it.

        Raises:
            HowdahError: what an operation raises by itself; the text says which one it was.
            Conflict: WRITE_CONFLICT: a commit that is finished in it was written to again and again.
        """
        stored_of = _each_spec(operations, self._pps.pipelines.store)
        closings = self._pfs.finisher.closings()
        if any(isinstance(each, FinishCommit) for each in operations):
            self._try(set_id, operations, closings, stored_of)
            closings.make()
        fail.here("transactions.prepared")
        for _ in range(_ATTEMPTS):
            try:
                with self._pfs.catalog.work(set_id) as work:
                    answers = self._each(work, operations, closings.exact, stored_of)
                    end(work.tx)
                    fail.here("transactions.made")
                return answers
            except Conflict as error:
                if error.kind is not ErrorKind.WRITE_CONFLICT or not closings.make():
                    raise
        text = f"the commits of transaction {set_id} were written to all the time; let their writers end, then repeat"
        raise Conflict(ErrorKind.WRITE_CONFLICT, text)

    def _try(self, set_id: str, operations: Sequence[Operation], closings: Closings, stored_of: _StoredOf) -> Answers:
        with self._pfs.catalog.works.trial(set_id) as work:
            return self._each(work, operations, closings.guess, stored_of)

    def _each(
        self, work: Work, operations: Sequence[Operation], closing_of: ClosingOf, stored_of: _StoredOf
    ) -> Answers:
        answers: list[Commit | None] = []
        for number, operation in enumerate(operations, 1):
            with _placed(operations, number):
                answers.append(self._one(work, operation, closing_of, stored_of))
        return tuple(answers)

    def _one(self, work: Work, operation: Operation, closing_of: ClosingOf, stored_of: _StoredOf) -> Commit | None:
        match operation:
            case CreateRepo(repo, description, update):
                repos.create(work, repo, description, update=update)
            case DeleteRepo(repo, force):
                repos.delete(work, repo, force=force)
            case StartCommit(branch, parent, description):
                return starting.start(work, branch, parent, description)
            case FinishCommit(commit, text, error, force):
                finish.finish(work, commit, closing_of, description=text, error=error, force=force)
            case CreateBranch(branch, head, provenance, trigger, never):
                branches.create(work, branch, head, provenance, trigger, never=never)
            case DeleteBranch(branch, force):
                branches.delete(work, branch, force=force)
            case UpdateJobState(job, state, reason):
                jobs.end(work.tx, job, state, reason)
            case StopJob(job, reason):
                jobs.stop(work.tx, job, jobs.stopped(reason))
            case CreatePipeline(spec, given, update, reprocess):
                pipelines = self._pps.pipelines
                pipelines.create_in(work, spec, given, stored_of(spec), update=update, reprocess=reprocess)
            case SquashCommitSet(id):
                removal.squash_set(work, id)
        return None


@contextmanager
def _placed(operations: Sequence[Operation], number: int) -> Iterator[None]:
    """Say in errors which operation of several it was."""
    try:
        yield
    except HowdahError as error:
        if len(operations) == 1:
            raise
        place = f"request {number} of {len(operations)}: {operations[number - 1]}"
        raise type(error)(error.kind, f"{error.message} ({place})") from error


def _each_spec(operations: Sequence[Operation], store: Callable[[PipelineSpec, str], StoredSpec]) -> _StoredOf:
    """Store the specs of all pipelines that are made; what finds each again, by identity, since specs have no hash."""
    stored: list[tuple[PipelineSpec, StoredSpec]] = []
    for number, each in enumerate(operations, 1):
        if isinstance(each, CreatePipeline):
            with _placed(operations, number):
                stored.append((each.spec, store(each.spec, each.user_spec)))

    def find(spec: PipelineSpec) -> StoredSpec:
        return next(each for known, each in stored if known is spec)

    return find

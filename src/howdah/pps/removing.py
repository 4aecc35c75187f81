# SPDX-License-Identifier: Apache-2.0
"""What removing things from versioned files means to pipelines: a job goes with its output and its meta commit.

Called by `pfs` through its hooks (`pfs.work.Hooks`), inside its transaction. A job that still runs is ended first:
its claims are lost with it, so its workers end their user code, and what they hand in is refused.
"""

from collections.abc import Collection, Sequence

from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, Refused
from howdah.model.names import SPEC
from howdah.model.refs import Branch, Pipeline
from howdah.model.states import JobState, is_terminal
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.work import Attached
from howdah.pps import job_lists, job_rows, logs, pipeline_rows

__all__ = ["attached", "end_jobs", "name_readers"]


def attached(tx: Transaction, rows: Sequence[CommitRow]) -> Attached:
    """The jobs that wrote these commits, and both commits of each.

    Raises:
        Refused: HAS_DEPENDANTS: one of them holds a version of a pipeline's spec.
    """
    for row in rows:
        pipeline = Pipeline(row.commit.repo.project, row.commit.repo.name)
        if row.commit.repo.type == SPEC and pipeline_rows.find(tx, pipeline) is not None:
            raise Refused(
                ErrorKind.HAS_DEPENDANTS,
                f"commit {row.commit} cannot be removed because it updated pipeline {pipeline}; remove other commits "
                f"of its set one by one, or delete the pipeline: howdah delete pipeline {pipeline}",
            )
    jobs = job_lists.of_commits(tx, [row.id for row in rows])
    keys = {key for job in jobs for key in (job.output_commit_id, job.meta_commit_id) if key is not None}
    return Attached(frozenset(keys), tuple(job.job for job in jobs))


def end_jobs(tx: Transaction, commit_ids: Collection[int]) -> None:
    """End the jobs that write these commits and forget them; what they handed in and was not collected is lost."""
    for job in job_lists.of_commits(tx, commit_ids):
        if not is_terminal(job.state):
            reason = "its output commit was removed from history"
            logs.say_end(tx, job_rows.move(tx, job, JobState.KILLED, reason))
        job_rows.remove(tx, job)


def name_readers(tx: Transaction, what: str, branches: Sequence[Branch]) -> None:
    """Say which pipelines read what cannot be deleted, if any of the branches is a pipeline's.

    Raises:
        Refused: HAS_DEPENDANTS.
    """
    repos = {(branch.repo.project, branch.repo.name) for branch in branches}
    found = [each for each in sorted(Pipeline(*repo) for repo in repos) if pipeline_rows.find(tx, each) is not None]
    if found:
        names, (reads, it) = ", ".join(map(str, found)), ("reads", "it") if len(found) == 1 else ("read", "them")
        raise Refused(
            ErrorKind.HAS_DEPENDANTS,
            f"{what} cannot be deleted: pipeline{'s' if found[1:] else ''} {names} {reads} from it; "
            f"delete {it} first: howdah delete pipeline {found[-1]}, or use force",
        )

# SPDX-License-Identifier: Apache-2.0
"""Jobs follow commits: whoever gives a pipeline an output commit gives it a job, in the same transaction."""

from datetime import timedelta

from howdah.db.transaction import Transaction
from howdah.model.names import META, USER
from howdah.model.refs import Job, Pipeline
from howdah.pfs.propagation import NewCommit
from howdah.pps import job_rows, pipeline_rows

__all__ = ["add_jobs"]


def add_jobs(tx: Transaction, made: list[NewCommit]) -> None:
    """Add a job, CREATED, for each new commit on the output branch of a pipeline, with the meta commit of its set."""
    metas = {(each.repo.project, each.repo.name): each.row_id for each in made if each.repo.type == META}
    for number, each in enumerate(made):
        if each.repo.type != USER:
            continue
        pipeline = Pipeline(each.repo.project, each.repo.name)
        row = pipeline_rows.find(tx, pipeline)
        if row is None or row.stopped:
            continue
        spec = pipeline_rows.spec_of(pipeline_rows.version(tx, row, row.version).effective_spec)
        if spec.output_branch == each.branch:
            meta = metas.get((each.repo.project, each.repo.name))
            # Each a microsecond later than the one before it, so that a page of a list can begin after any of them.
            created_at = tx.now + timedelta(microseconds=number)
            job = Job(pipeline, each.set_id)
            job_rows.insert_job(tx, row.id, job, row.version, each.row_id, meta, created_at)

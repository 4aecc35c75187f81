# SPDX-License-Identifier: Apache-2.0
"""Jobs follow commits: whoever gives a pipeline an output commit gives it a job, in the same transaction."""

from howdah.db.transaction import Transaction
from howdah.model.names import META, USER
from howdah.model.refs import Job, Pipeline
from howdah.pfs.propagation import NewCommit
from howdah.pps import job_rows, pipeline_rows
from howdah.pps.job_rows import JobDraft

__all__ = ["add_jobs"]


def add_jobs(tx: Transaction, made: list[NewCommit]) -> None:
    """Add a job, CREATED, for each new commit on the output branch of a pipeline, with the meta commit of its set.

    A commit may be read by thousands of pipelines, so no statement is made for each of them.
    """
    metas = {Pipeline(each.repo.project, each.repo.name): each.row_id for each in made if each.repo.type == META}
    outputs = [(Pipeline(each.repo.project, each.repo.name), each) for each in made if each.repo.type == USER]
    found = pipeline_rows.present(tx, {pipeline for pipeline, _ in outputs})
    drafts = []
    for pipeline, each in outputs:
        now = found.get(pipeline)
        if now is None or now.stopped or pipeline_rows.spec_of(now.effective_spec).output_branch != each.branch:
            continue
        job = Job(pipeline, each.set_id)
        drafts.append(JobDraft(now.id, job, now.version, each.row_id, metas.get(pipeline)))
    job_rows.insert_jobs(tx, drafts)

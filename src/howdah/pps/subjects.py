# SPDX-License-Identifier: Apache-2.0
"""Subjects of the events of pipelines: paths, so that a waiter on a prefix hears all below it.

pipeline/<project>/<name>                     created, updated, started, stopped, deleted, moved (body: state)
pipeline/<project>/<name>/job/<id>            created, moved (body: state), progress, deleted
pipeline/<project>/<name>/job/<id>/claims     lost: the job ended while workers were at work on it
pipeline/<project>/<name>/job/<id>/logs       appended
secret/<name>                                 created, deleted
work                                          waiting: a datum set can be claimed
server/logs                                   appended: lines of the server itself
"""

from typing import Final

from howdah.model.refs import Job, Pipeline

__all__ = [
    "PIPELINES",
    "SERVER_LOGS",
    "WORK",
    "claims_subject",
    "job_subject",
    "logs_subject",
    "pipeline_subject",
    "project_subject",
    "secret_subject",
]

WORK: Final = "work"
PIPELINES: Final = "pipeline"
"""The prefix of all that happens in pipelines."""
SERVER_LOGS: Final = "server/logs"


def project_subject(project: str) -> str:
    """The prefix of all that happens in the pipelines of a project."""
    return f"{PIPELINES}/{project}"


def pipeline_subject(pipeline: Pipeline) -> str:
    """The subject of a pipeline, and with a slash the prefix of all that happens in it."""
    return f"pipeline/{pipeline.project}/{pipeline.name}"


def job_subject(job: Job) -> str:
    """The subject of a job, and with a slash the prefix of its logs."""
    return f"{pipeline_subject(job.pipeline)}/job/{job.id}"


def claims_subject(job: Job) -> str:
    """The subject of the claims of a job: what its workers wait for while they work. Progress does not wake them."""
    return f"{job_subject(job)}/claims"


def logs_subject(job: Job) -> str:
    """The subject of the lines of a job."""
    return f"{job_subject(job)}/logs"


def secret_subject(name: str) -> str:
    """The subject of a secret."""
    return f"secret/{name}"

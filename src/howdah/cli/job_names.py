# SPDX-License-Identifier: Apache-2.0
"""How a job is named on the command line: by its id, by a commit of its pipeline's output, or as the newest one."""

from typing import TYPE_CHECKING, Final

from howdah.cli.names import is_id

if TYPE_CHECKING:
    from howdah.cli.session import Session
    from howdah.model.refs import Job

__all__ = ["NAMED_JOB", "a_job", "reasons"]

NAMED_JOB: Final = "PIPELINE[@ID|@BRANCH]"
"""What commands that take a job accept; `PIPELINE` is its newest job, `@BRANCH` may go on with steps (`master^`)."""


def a_job(session: "Session", text: str) -> "Job":
    """The job that a text names. The server is asked only if it is not named by its id; that it exists is not checked.

    Raises:
        NotFound: there is no such pipeline, or none of its jobs is this; the text says what could be written.
        BadRequest: it is no name of a job.
    """
    from howdah.errors import BadRequest, ErrorKind
    from howdah.model.refs import Job, parse_job, parse_pipeline

    pipeline, at, rest = text.partition("@")
    if not at and is_id(text):
        reason = f"{text} is the id of a commit set, which has a job for each pipeline"
        raise BadRequest(ErrorKind.BAD_REFERENCE, f"{reason}; write PIPELINE@{text}, see: howdah list job {text}")
    project = session.client.project
    if not at:
        return _newest(session, text)
    if is_id(rest):
        return parse_job(text, project)
    return Job(parse_pipeline(pipeline, project), _id_of(session, text))


def reasons(session: "Session", text: str) -> str:
    """Why what a text names is not done: what its jobs wait for, or those of its commit set.

    Raises:
        NotFound, BadRequest: as `a_job`.
    """
    client = session.client
    jobs = client.inspect_job_set(text) if is_id(text) else [client.inspect_job(a_job(session, text))]
    return "; ".join(f"{info.job}: {info.reason}" for info in jobs if info.reason and info.finished_at is None)


def _newest(session: "Session", text: str) -> "Job":
    from howdah.errors import ErrorKind, NotFound

    for info in session.client.list_jobs(text, number=1):
        return info.job
    raise NotFound(ErrorKind.JOB_NOT_FOUND, f"pipeline {text} has no job; see all: howdah list job")


def _id_of(session: "Session", text: str) -> str:
    """The id of the commit that a text names, which its job has too."""
    from howdah.errors import ErrorKind, NotFound

    try:
        return session.client.inspect_commit(text).commit.id
    except NotFound as error:
        reason = error.message.partition(";")[0]
        raise NotFound(
            ErrorKind.JOB_NOT_FOUND,
            f"{text} names no job: {reason}; write PIPELINE for its newest job, PIPELINE@ID, or PIPELINE@BRANCH",
        ) from error

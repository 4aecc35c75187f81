# SPDX-License-Identifier: Apache-2.0
"""What clients send to `pps_v2`, read into references and checked. The same for `pfs_v2` is in `requests`."""

from collections.abc import Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from howdah.apis.grpc import requests
from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import commit_id, pipeline_name
from howdah.model.refs import Job, Pipeline
from howdah.model.states import DatumState, JobState
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps

__all__ = [
    "datum_states",
    "duration",
    "job",
    "job_set",
    "job_state",
    "page",
    "pipeline",
    "pipeline_or_none",
    "projects",
]


def pipeline(message: Message, field: str = "pipeline") -> Pipeline:
    """The pipeline in that field of a request.

    Raises:
        BadRequest: BAD_ARGUMENT without one, else BAD_NAME.
    """
    requests.required(message, field)
    return _pipeline(getattr(message, field))


def pipeline_or_none(message: Message, field: str = "pipeline") -> Pipeline | None:
    """The pipeline in that field of a request; None when the field is absent."""
    return pipeline(message, field) if message.HasField(field) else None


def job(message: Message, field: str = "job") -> Job:
    """The job in that field of a request.

    Raises:
        BadRequest: BAD_ARGUMENT without one, else BAD_NAME or BAD_REFERENCE.
    """
    if not message.HasField(field):
        raise _bad("must specify a job; name one, as in pipeline@id")
    named: pps.Job = getattr(message, field)
    if not named.HasField("pipeline"):
        raise _bad("a job must name its pipeline; write it as pipeline@id")
    return Job(_pipeline(named.pipeline), commit_id(named.id))


def job_set(message: Message) -> str:
    """The id of the job set that a request names.

    Raises:
        BadRequest: BAD_ARGUMENT without one, else BAD_REFERENCE.
    """
    requests.required(message, "job_set")
    named: pps.JobSet = message.job_set  # type: ignore[attr-defined]  # checked above
    return commit_id(named.id)


def projects(messages: Sequence[pfs.Project]) -> tuple[str, ...]:
    """The names of projects; empty is all."""
    return tuple(requests.project(message) for message in messages)


def duration(message: Message, field: str) -> timedelta | None:
    """The duration in that field; None when it is absent.

    Raises:
        BadRequest: BAD_ARGUMENT: it is negative, or longer than any calendar.
    """
    if not message.HasField(field):
        return None
    given: Duration = getattr(message, field)
    try:
        found = given.ToTimedelta()
    except (ValueError, OverflowError):
        raise _bad(f"{field} is out of range; give a duration of some years at most") from None
    if found < timedelta():
        raise _bad(f"{field} is negative; give how long ago to begin")
    return found


def datum_states(numbers: Sequence[int]) -> frozenset[DatumState]:
    """States of datums to look for; empty is any.

    Raises:
        BadRequest: BAD_ARGUMENT: the protocol has no such state.
    """
    try:
        return frozenset(DatumState(number) for number in numbers)
    except ValueError:
        raise _bad(f"a datum state is unknown; use 0 to {max(DatumState)}") from None


def job_state(number: int) -> JobState:
    """The state of a job that a request names.

    Raises:
        BadRequest: BAD_ARGUMENT: the protocol has no such state.
    """
    try:
        return JobState(number)
    except ValueError:
        raise _bad(f"job state {number} is unknown; use one of 1 to {max(JobState)}") from None


def page(name: str, number: int) -> int:
    """A count of answers, 0 for all.

    Raises:
        BadRequest: BAD_ARGUMENT: it is negative.
    """
    if number < 0:
        raise _bad(f"{name} is {number}; use 0 for all, or how many you want")
    return number


def _pipeline(message: pps.Pipeline) -> Pipeline:
    if not message.name:
        raise _bad("validate request: invalid pps_v2.Pipeline.name: value length must be at least 1 bytes; name it")
    project = requests.project(message.project)
    return Pipeline(project, pipeline_name(message.name, project))


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)

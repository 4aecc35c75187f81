# SPDX-License-Identifier: Apache-2.0
"""What clients ask of logs by any of three services, read into a `LogQuery`. What they are answered: `log_answers`."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.message import Message

from howdah.apis.grpc import pps_requests
from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.model.logs import LogLevel, Speaker
from howdah.model.names import DEFAULT_PROJECT, commit_id, pipeline_name, project_name
from howdah.model.refs import Job, Pipeline
from howdah.model.texts import one_line
from howdah.pps.log_patterns import line_pattern
from howdah.pps.log_query import EVERYBODY, LogQuery
from howdah.wire.convert import moment
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import logs_pb2 as lg
from howdah.wire.stubs import pps_v2_pb2 as pps

__all__ = ["SINCE", "filtered", "level", "of_lake", "of_logs", "of_pps"]

SINCE: Final = timedelta(hours=24)
"""How far back `pps_v2.API` gives lines when the request does not say."""

# What the server's own process is called where the protocol has one.
_SERVER_NAMES: Final = frozenset({"server", "howdah", "pachd"})
_CONTAINERS: Final = {
    "": EVERYBODY,
    "user": frozenset({Speaker.USER}),
    "storage": frozenset({Speaker.WORKER}),
    "worker": frozenset({Speaker.WORKER}),
}


def of_pps(request: pps.GetLogsRequest, now: datetime) -> LogQuery:
    """`pps_v2.API/GetLogs`: the planner's and scheduler's lines, or all others; without a name the server's own log.

    Raises:
        BadRequest: a name, a time or a number that will not do.
    """
    pps_requests.page("tail", request.tail)
    job = pps_requests.job(request) if request.HasField("job") else None
    if job is None and request.datum.HasField("job"):
        job = pps_requests.job(request.datum)
    pipeline = pps_requests.pipeline_or_none(request) if job is None else None
    server = job is None and pipeline is None and not (request.datum.id or request.data_filters)
    others = frozenset({Speaker.MASTER}) if request.master else frozenset({Speaker.USER, Speaker.WORKER})
    return LogQuery(
        job=job,
        pipeline=pipeline,
        server=server,
        datum=request.datum.id,
        files=tuple(request.data_filters),
        speakers=EVERYBODY if server else others,
        since=now - (pps_requests.duration(request, "since") or SINCE),
    )


def of_lake(request: hd.ReadLogsRequest) -> LogQuery:
    """`howdah.v1.Logs/ReadLogs`.

    Raises:
        BadRequest: a name, a time, a number or a pattern that will not do.
    """
    pps_requests.page("tail", request.tail)
    job = pps_requests.job(request) if request.HasField("job") else None
    given = {Speaker.USER: request.by_user, Speaker.WORKER: request.by_worker, Speaker.MASTER: request.by_master}
    return LogQuery(
        job=job,
        pipeline=pps_requests.pipeline_or_none(request) if job is None else None,
        job_set=commit_id(request.job_set) if request.job_set else "",
        project=project_name(request.project) if request.project else "",
        server=request.server,
        datum=request.datum_id,
        files=tuple(request.files),
        worker=request.worker_id,
        speakers=frozenset(who for who, wanted in given.items() if wanted) or EVERYBODY,
        level=level(request.level),
        pattern=line_pattern(request.pattern),
        negate=request.negate,
        since=_moment(request, "since"),
        until=_moment(request, "until"),
    )


def of_logs(request: lg.LogQuery) -> LogQuery:
    """Whose lines `logs.API/GetLogs` asks for.

    Raises:
        BadRequest: nobody's, or a name that will not do.
        Unsupported: a query in the language of another store of logs.
    """
    kind = request.WhichOneof("query_type")
    if kind == "user":
        return _of_user(request.user)
    if kind == "admin":
        return _of_admin(request.admin)
    raise _bad("a query must say whose logs; ask for those of a user, or those of an admin")


def filtered(query: LogQuery, only: lg.LogFilter) -> LogQuery:
    """The query with all that a filter has but its time.

    Raises:
        BadRequest: a level or a pattern that will not do.
    """
    speakers = frozenset({Speaker.USER}) if only.user_logs_only else EVERYBODY
    return replace(
        query,
        level=level(only.level),
        pattern=line_pattern(only.regex.pattern),
        negate=only.regex.negate,
        speakers=query.speakers & speakers,
    )


def level(number: int) -> LogLevel:
    """A level of the protocol.

    Raises:
        BadRequest: it has no such level.
    """
    try:
        return LogLevel(number)
    except ValueError:
        raise _bad(f"log level {number} is unknown; use 0 to {max(LogLevel)}") from None


def _of_user(query: lg.UserLogQuery) -> LogQuery:
    kind = query.WhichOneof("user_type")
    if kind == "project":
        return LogQuery(project=project_name(query.project or DEFAULT_PROJECT))
    if kind == "pipeline":
        return LogQuery(pipeline=_pipeline(query.pipeline))
    if kind == "datum":
        return LogQuery(datum=_datum(query.datum))
    if kind == "job":
        return LogQuery(job_set=commit_id(query.job))
    if kind == "pipeline_job":
        return LogQuery(job=_job(_pipeline(query.pipeline_job.pipeline), query.pipeline_job.job))
    if kind == "job_datum":
        return LogQuery(job_set=commit_id(query.job_datum.job), datum=_datum(query.job_datum.datum))
    if kind == "pipeline_datum":
        return LogQuery(pipeline=_pipeline(query.pipeline_datum.pipeline), datum=_datum(query.pipeline_datum.datum))
    raise _bad("a user's query must name a project, a pipeline, a job or a datum; name one")


def _of_admin(query: lg.AdminLogQuery) -> LogQuery:
    kind = query.WhichOneof("admin_type")
    if kind == "user":
        return _of_user(query.user)
    if kind == "master":
        return LogQuery(pipeline=_pipeline(query.master), speakers=frozenset({Speaker.MASTER}))
    if kind == "storage":
        return LogQuery(pipeline=_pipeline(query.storage), speakers=frozenset({Speaker.WORKER}))
    if kind == "pod":
        return _of_pod(query.pod, "")
    if kind == "pod_container":
        return _of_pod(query.pod_container.pod, query.pod_container.container)
    if kind == "app":
        return _of_app(query.app)
    if kind == "logql":
        text = (
            "logql is the language of a store of logs that howdah does not have; ask by pipeline, job, datum or worker"
        )
        raise Unsupported(ErrorKind.UNSUPPORTED, f"{text}, with a filter by time, level and regular expression")
    raise _bad("an admin's query must say whose logs; name a pod, an app, a pipeline's master or storage, or a user's")


def _of_pod(pod: str, container: str) -> LogQuery:
    """A pod is a worker here, or the server."""
    if not pod:
        raise _bad("pod is empty; name a worker by its id, or the server as `server`")
    if pod in _SERVER_NAMES:
        return LogQuery(server=True)
    speakers = _CONTAINERS.get(container)
    if speakers is None:
        raise _bad(f"container {one_line(container)} is not one of a worker; use user or storage")
    return LogQuery(worker=pod, speakers=speakers)


def _of_app(app: str) -> LogQuery:
    if app in _SERVER_NAMES:
        return LogQuery(server=True)
    if app in ("pipeline", "worker"):
        return LogQuery()
    raise _bad(f"app {one_line(app)} is not known here; there are `server` and `pipeline`")


def _pipeline(query: lg.PipelineLogQuery) -> Pipeline:
    if not query.pipeline:
        raise _bad("the query names no pipeline; name one")
    project = project_name(query.project or DEFAULT_PROJECT)
    return Pipeline(project, pipeline_name(query.pipeline, project))


def _job(pipeline: Pipeline, id: str) -> Job:
    return Job(pipeline, commit_id(id))


def _datum(id: str) -> str:
    if not id:
        raise _bad("the query names no datum; give its id, as list datum shows it")
    return id


def _moment(message: Message, field: str) -> datetime | None:
    return moment(getattr(message, field)) if message.HasField(field) else None


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)

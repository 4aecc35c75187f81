# SPDX-License-Identifier: Apache-2.0
"""Reading logs: of jobs, pipelines, projects and the server."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from howdah.client import read_pps
from howdah.client.caller import Caller
from howdah.client.coerce import JobLike, PipelineLike, a_job, a_pipeline
from howdah.client.read_pfs import when
from howdah.client.values import DroppedLines, LogLine
from howdah.model.logs import LogLevel, Speaker
from howdah.wire.convert import project_message, timestamp
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["Logs"]


class Logs(Caller):
    """What was said while work was done."""

    def logs(
        self,
        *,
        pipeline: PipelineLike | None = None,
        job: JobLike | None = None,
        job_set: str = "",
        server: bool = False,
        datum: str = "",
        files: Sequence[str] = (),
        worker: str = "",
        speakers: Collection[Speaker] = (),
        level: LogLevel = LogLevel.UNSET,
        pattern: str = "",
        negate: bool = False,
        since: datetime | timedelta | None = None,
        until: datetime | None = None,
        tail: int = 0,
        follow: bool = False,
        on_dropped: Callable[[DroppedLines], None] = lambda _: None,
    ) -> Iterator[LogLine]:
        """Lines of a job, a pipeline, the jobs of a job set, or the server itself; else of this client's project.

        Oldest first, and only those that pass: of a datum, of datums that read all these `files` (paths, or hashes in
        hex), of a worker, by some `speakers`, at least of a `level`, with (`negate`: without) something that the
        regular expression `pattern` matches, of a time; `since` may be a span that ends now.

        `tail` is the number of lines from the end, 0 for all. With `follow` new lines come for ever, until the iterator
        is closed. `on_dropped` is told, first of all, how many lines are gone because of the rules for logs.

        Raises:
            NotFound: the pipeline or job, and there are no lines of one of that name.
            BadRequest: a pattern that is none.
        """
        request = hd.ReadLogsRequest(
            job_set=job_set,
            server=server,
            datum_id=datum,
            files=files,
            worker_id=worker,
            by_user=Speaker.USER in speakers,
            by_worker=Speaker.WORKER in speakers,
            by_master=Speaker.MASTER in speakers,
            level=level.wire_name,
            pattern=pattern,
            negate=negate,
            tail=tail,
            follow=follow,
            **self._whose(pipeline, job, everything=not (job_set or server)),
        )
        begin = datetime.now().astimezone() - since if isinstance(since, timedelta) else since
        for field, moment in (("since", begin), ("until", until)):
            if moment is not None:
                getattr(request, field).CopyFrom(timestamp(moment))
        return _lines(self._wire.stream(self._wire.logs.ReadLogs, request), on_dropped)

    def _whose(self, pipeline: PipelineLike | None, job: JobLike | None, *, everything: bool) -> dict[str, Any]:
        if job is not None:
            named = a_job(job, self.project)
            of = pb.Pipeline(name=named.pipeline.name, project=project_message(named.pipeline.project))
            return {"job": pb.Job(pipeline=of, id=named.id)}
        if pipeline is not None:
            found = a_pipeline(pipeline, self.project)
            return {"pipeline": pb.Pipeline(name=found.name, project=project_message(found.project))}
        return {"project": self.project} if everything else {}


def _lines(answers: Iterator[hd.ReadLogsResponse], on_dropped: Callable[[DroppedLines], None]) -> Iterator[LogLine]:
    for each in answers:
        if each.HasField("line"):
            yield read_pps.log_line(each.line, LogLevel(each.level))
        else:
            on_dropped(DroppedLines(each.dropped_lines, when(each.dropped_until)))

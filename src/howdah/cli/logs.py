# SPDX-License-Identifier: Apache-2.0
"""`howdah logs`: show what user code printed, and what workers, planner and server have to say."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.job_names import NAMED_JOB, a_job
from howdah.cli.names import is_id
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import DroppedLines, LogLine
    from howdah.model.logs import Speaker

__all__ = ["logs"]


@command(
    "logs",
    "howdah logs -p edges -f",
    "howdah logs -j edges@4fc0… --tail 20 -t",
    "howdah logs -j 4fc0… --datum 91ab… --user --worker",
    "howdah logs -p edges --inputs /photos/a.png --since 2h --level error",
    "howdah logs -p edges --grep 'took [0-9]{4,} ms' --since 2025-01-31 --until 2025-02-01",
    "howdah logs --server --tail 50",
    output=False,
)
@click.option("-p", "--pipeline", help="Of this pipeline.")
@click.option("-j", "--job", metavar=f"{NAMED_JOB}|ID", help="Of this job; of all jobs with an ID.")
@click.option("--server", is_flag=True, help="Of the server itself, not of pipelines.")
@click.option("--datum", default="", metavar="ID", help="Of this datum only.")
@click.option("--inputs", metavar="FILE,…", help="Of datums that read all these files: their paths, or hashes in hex.")
@click.option("--user", is_flag=True, help="What user code printed: the default. Several of these may be given.")
@click.option("--worker", is_flag=True, help="What the workers say of datums.")
@click.option("--master", is_flag=True, help="What planner and scheduler say of jobs.")
@click.option("--worker-id", default="", metavar="ID", help="Of this worker only.")
@click.option("--level", type=click.Choice(["debug", "info", "error"]), help="Only lines that are at least so grave.")
@click.option("--since", metavar="WHEN", help="Only later lines: a span until now (30s, 10m, 2h, 7d) or a time in UTC.")
@click.option("--until", metavar="WHEN", help="Only earlier lines; as --since.")
@click.option(
    "--grep", "--regex", "pattern", default="", metavar="REGEX", help="Only lines that this matches somewhere."
)
@click.option("-v", "--invert", is_flag=True, help="Only lines that --grep does not match.")
@click.option("--tail", type=click.IntRange(0), default=0, metavar="N", help="Only so many lines from the end; 0: all.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they come, until Ctrl-C.")
@click.option("-t", "--timestamps", is_flag=True, help="Begin each line with its time.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "raw"]),
    help="json: an object a line; raw: texts alone, without who said them.",
)
def logs(
    session: Session,
    pipeline: str | None,
    job: str | None,
    server: bool,
    datum: str,
    inputs: str | None,
    user: bool,
    worker: bool,
    master: bool,
    worker_id: str,
    level: str | None,
    since: str | None,
    until: str | None,
    pattern: str,
    invert: bool,
    tail: int,
    follow: bool,
    timestamps: bool,
) -> None:
    """Show lines of logs, the oldest first: what user code printed unless somebody else is named.

    Lines stay when workers, jobs and pipelines are gone, for as long as the server is told (howdah server
    --logs-keep). The level of a line is what it says of itself, as a JSON object with a key `level`; else it is info.
    """
    from howdah.model.logs import LogLevel

    if not (pipeline or job or server or datum):
        raise click.UsageError(
            "say whose logs: a pipeline's with -p, a job's with -j, a datum's with --datum, the server's with --server"
        )
    lines = session.client.logs(
        pipeline=pipeline if job is None else None,
        job=None if job is None or is_id(job) else a_job(session, job),
        job_set=job if job is not None and is_id(job) else "",
        server=server,
        datum=datum,
        files=[each for each in (inputs or "").split(",") if each],
        worker=worker_id,
        speakers=() if server else _speakers(user, worker, master),
        level=LogLevel[level.upper()] if level else LogLevel.UNSET,
        pattern=pattern,
        negate=invert,
        since=_when("--since", since),
        until=_when("--until", until),
        tail=tail,
        follow=follow,
        on_dropped=lambda gone: session.note(_lost(gone)),
    )
    raw = session.output == "raw"
    session.stream(lines, lambda line: _text(line, timestamps=timestamps, raw=raw))


def _speakers(user: bool, worker: bool, master: bool) -> "list[Speaker]":
    from howdah.model.logs import Speaker

    given = [(Speaker.USER, user), (Speaker.WORKER, worker), (Speaker.MASTER, master)]
    return [who for who, wanted in given if wanted] or [Speaker.USER]


def _text(line: "LogLine", *, timestamps: bool, raw: bool) -> str:
    at = "" if not timestamps or line.at is None else f"{line.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ} "
    if raw or line.user or line.pipeline is None:
        return at + line.message
    return f"{at}[{line.worker_id or 'planner'}] {line.message}"


def _lost(gone: "DroppedLines") -> str:
    from howdah.cli.output import time

    return (
        f"{gone.dropped_lines} lines until {time(gone.dropped_until)} are not kept any more (--logs-keep, --logs-max)"
    )


def _when(option: str, text: str | None) -> datetime | None:
    """A moment: so long ago, or a time in UTC unless it says otherwise."""
    from howdah.errors import BadRequest
    from howdah.model.units import parse_duration

    if text is None:
        return None
    try:
        return datetime.now(UTC) - parse_duration(text)
    except BadRequest:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"{option} {text!r} is no time; write 30s, 2h, 7d, 2025-01-31 or 2025-01-31T08:00:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

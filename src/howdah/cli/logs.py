# SPDX-License-Identifier: Apache-2.0
"""`howdah logs`: show what user code and workers printed."""

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import LogLine

__all__ = ["logs"]


@command(
    "logs",
    "howdah logs -p edges -f",
    "howdah logs -j edges@4fc0… --tail 20",
    "howdah logs -j edges@4fc0… --datum 91ab…",
)
@click.option("-p", "--pipeline", help="Of this pipeline.")
@click.option("-j", "--job", metavar="PIPELINE@ID", help="Of this job.")
@click.option("--datum", default="", metavar="ID", help="Of this datum only.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they come, until Ctrl-C.")
@click.option("--tail", default=0, help="Only so many lines from the end; 0 for all.")
@click.option("--since", metavar="SPAN", help="Only lines of the last SPAN: 30s, 10m, 2h. Else the last 24h.")
@click.option("--worker", is_flag=True, help="Also what the worker says, not only what user code printed.")
def logs(
    session: Session,
    pipeline: str | None,
    job: str | None,
    datum: str,
    follow: bool,
    tail: int,
    since: str | None,
    worker: bool,
) -> None:
    """Show what user code printed. Lines stay when workers are gone."""
    from howdah.model.units import parse_duration

    if pipeline is None and job is None:
        raise click.UsageError("say whose logs: a pipeline's with -p, or a job's with -j")
    lines = session.client.logs(
        pipeline=pipeline if job is None else None,
        job=job,
        datum=datum,
        follow=follow,
        tail=tail if follow or worker else 0,
        since=None if since is None else parse_duration(since),
    )
    shown: Iterable[LogLine] = (line for line in lines if worker or line.user)
    if tail and not (follow or worker):
        shown = deque(shown, tail)  # the server counts the worker's lines too
    session.stream(shown, lambda line: line.message if line.user else f"[{line.worker_id or 'worker'}] {line.message}")

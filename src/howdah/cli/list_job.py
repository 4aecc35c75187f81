# SPDX-License-Identifier: Apache-2.0
"""`howdah list job`: show jobs."""

from datetime import datetime

import click

from howdah.cli.base import command
from howdah.cli.columns import JOBS
from howdah.cli.names import JOB_STATES, a_filter
from howdah.cli.session import Session

__all__ = ["list_job"]


@command(
    "job",
    "howdah list job",
    "howdah list job -p edges -n 10",
    "howdah list job -p edges --state failure --state killed",
    "howdah list job --jq '.data_failed != null'",
    "howdah list job 4fc0…",
)
@click.argument("commit_set", metavar="[ID]", required=False)
@click.option("-p", "--pipeline", help="Of this pipeline only.")
@click.option("-i", "--input", "inputs", multiple=True, metavar="REPO@COMMIT", help="That read this commit.")
@click.option("-s", "--state", "states", multiple=True, type=click.Choice(JOB_STATES), help="Only those in this state.")
@click.option("--jq", default="", metavar="FILTER", help="Only those for which this jq expression holds.")
@click.option("--history", default=-1, help="With -p: of so many older versions of the pipeline, too; -1 for all.")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option(
    "--after",
    metavar="TIME",
    type=click.UNPROCESSED,
    callback=lambda _, __, text: _moment(text),
    help="Begin after the job created then (with microseconds, as -o json has it): the last of the page before.",
)
@click.option("--reverse", is_flag=True, help="The oldest first.")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
def list_job(
    session: Session,
    commit_set: str | None,
    pipeline: str | None,
    inputs: tuple[str, ...],
    states: tuple[str, ...],
    jq: str,
    history: int,
    number: int,
    after: datetime | None,
    reverse: bool,
    everywhere: bool,
) -> None:
    """Show jobs, the newest first; with ID, those of a commit set."""
    if commit_set is not None:
        session.show_all(session.client.inspect_job_set(commit_set), JOBS)
        return
    projects: list[str] | None = [] if everywhere else None
    found = session.client.list_jobs(
        pipeline,
        projects=projects,
        inputs=inputs,
        number=number,
        reverse=reverse,
        jq=a_filter("JOB_", states, jq),
        history=history,
        after=after,
    )
    session.show_all(found, JOBS)


def _moment(text: str | None) -> datetime | None:
    """A time as `-o json` writes it."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise click.BadParameter("write a time like 2030-01-31T12:00:00.123456Z") from None

# SPDX-License-Identifier: Apache-2.0
"""`howdah list job`: show jobs."""

import click

from howdah.cli.base import command
from howdah.cli.columns import JOBS
from howdah.cli.session import Session

__all__ = ["list_job"]


@command("job", "howdah list job", "howdah list job -p edges -n 10", "howdah list job 4fc0…")
@click.argument("commit_set", metavar="[ID]", required=False)
@click.option("-p", "--pipeline", help="Of this pipeline only.")
@click.option("-i", "--input", "inputs", multiple=True, metavar="REPO@COMMIT", help="That read this commit.")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
def list_job(
    session: Session,
    commit_set: str | None,
    pipeline: str | None,
    inputs: tuple[str, ...],
    number: int,
    everywhere: bool,
) -> None:
    """Show jobs, the newest first; with ID, those of a commit set."""
    if commit_set is not None:
        session.show_all(session.client.inspect_job_set(commit_set), JOBS)
        return
    projects: list[str] | None = [] if everywhere else None
    found = session.client.list_jobs(pipeline, projects=projects, inputs=inputs, number=number)
    session.show_all(found, JOBS)

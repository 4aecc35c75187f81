# SPDX-License-Identifier: Apache-2.0
"""`howdah list datum PIPELINE[@ID]`: show the datums of a job, or those that an input would give."""

import click

from howdah.cli.base import command
from howdah.cli.columns import DATUMS, TRIED
from howdah.cli.input_files import one_input, warning
from howdah.cli.job_names import NAMED_JOB, a_job
from howdah.cli.names import STATES
from howdah.cli.session import Session

__all__ = ["list_datum"]


@command("datum", "howdah list datum edges", "howdah list datum edges@4fc0…", "howdah list datum --input edges.yaml")
@click.argument("job", metavar=NAMED_JOB, required=False)
@click.option("-i", "--input", "source", metavar="FILE", help="Not of a job: of this spec or input, in JSON or YAML.")
@click.option("-s", "--state", "states", multiple=True, type=click.Choice(STATES), help="Only those in this state.")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option("--after", default="", metavar="DATUM", help="Begin after this datum: the last of the page before.")
def list_datum(
    session: Session, job: str | None, source: str | None, states: tuple[str, ...], number: int, after: str
) -> None:
    """Show the datums of a job, in order of their ids; or with --input those of a pipeline that is not there yet."""
    from howdah.model.states import DatumState

    if (job is None) == (source is None):
        raise click.UsageError("give either PIPELINE[@ID] or --input FILE")
    if source is not None:
        if states:
            raise click.UsageError("datums of an input have no state; leave --state out")
        tried = session.client.try_input(
            one_input(source), after=after, number=number, warn=lambda text: session.note(warning(text))
        )
        session.show_all(tried, TRIED)
    elif job is not None:
        wanted = [DatumState[state.upper()] for state in states]
        found = session.client.list_datums(a_job(session, job), states=wanted, after=after, number=number)
        session.show_all(found, DATUMS)

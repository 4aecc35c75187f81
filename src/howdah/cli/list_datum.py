# SPDX-License-Identifier: Apache-2.0
"""`howdah list datum PIPELINE@ID`: show the datums of a job."""

import click

from howdah.cli.base import command
from howdah.cli.columns import DATUMS
from howdah.cli.names import STATES
from howdah.cli.session import Session

__all__ = ["list_datum"]


@command("datum", "howdah list datum edges@4fc0…", "howdah list datum edges@4fc0… --state failed")
@click.argument("job", metavar="PIPELINE@ID")
@click.option("-s", "--state", "states", multiple=True, type=click.Choice(STATES), help="Only those in this state.")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option("--after", default="", metavar="DATUM", help="Begin after this datum: the last of the page before.")
def list_datum(session: Session, job: str, states: tuple[str, ...], number: int, after: str) -> None:
    """Show the datums of a job, in order of their ids."""
    from howdah.model.states import DatumState

    wanted = [DatumState[state.upper()] for state in states]
    session.show_all(session.client.list_datums(job, states=wanted, after=after, number=number), DATUMS)

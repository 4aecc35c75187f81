# SPDX-License-Identifier: Apache-2.0
"""`howdah check status`: show the pipelines that somebody should look at."""

import click

from howdah.cli.base import command
from howdah.cli.columns import ALERTS
from howdah.cli.session import Session

__all__ = ["check_status"]


@command("status", "howdah check status", "howdah check status --all -o json")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
def check_status(session: Session, everywhere: bool) -> None:
    """Show the pipelines that somebody should look at: those that work for longer than maximumExpectedUptime allows."""
    session.show_all(session.client.check_status(everywhere=everywhere), ALERTS)

# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect project NAME`: show one project."""

import click

from howdah.cli.base import command
from howdah.cli.columns import PROJECT
from howdah.cli.session import Session

__all__ = ["inspect_project"]


@command("project", "howdah inspect project default", project=False)
@click.argument("name")
def inspect_project(session: Session, name: str) -> None:
    """Show one project."""
    session.show(session.client.inspect_project(name), PROJECT)

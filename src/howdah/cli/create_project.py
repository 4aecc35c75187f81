# SPDX-License-Identifier: Apache-2.0
"""`howdah create project NAME`: make a name space for repos and pipelines."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["create_project"]


@command("project", "howdah create project vision", project=False, output=False)
@click.argument("name")
@click.option("-d", "--description", default="", help="What it is for.")
def create_project(session: Session, name: str, description: str) -> None:
    """Make a project, in which repos and pipelines have names of their own."""
    session.client.create_project(name, description=description)

# SPDX-License-Identifier: Apache-2.0
"""`howdah update project NAME`: change a project's description."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["update_project"]


@command("project", "howdah update project vision -d 'all that cameras see'", project=False, output=False)
@click.argument("name")
@click.option("-d", "--description", required=True, help="What it is for.")
def update_project(session: Session, name: str, description: str) -> None:
    """Change a project's description."""
    session.client.inspect_project(name)  # to update one that is not there would make it
    session.client.create_project(name, description=description, update=True)

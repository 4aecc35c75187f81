# SPDX-License-Identifier: Apache-2.0
"""`howdah delete project NAME`: remove a project."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_project"]


@command("project", "howdah delete project vision", project=False, output=False)
@click.argument("name")
@click.option("-f", "--force", is_flag=True, help="Remove its repos and pipelines too.")
def delete_project(session: Session, name: str, force: bool) -> None:
    """Remove a project. One that has repos is refused unless --force is given."""
    session.client.delete_project(name, force=force)

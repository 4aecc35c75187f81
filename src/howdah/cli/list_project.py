# SPDX-License-Identifier: Apache-2.0
"""`howdah list project`: show all projects."""

from howdah.cli.base import command
from howdah.cli.columns import PROJECTS
from howdah.cli.session import Session

__all__ = ["list_project"]


@command("project", "howdah list project", project=False)
def list_project(session: Session) -> None:
    """Show all projects."""
    session.show_all(session.client.list_projects(), PROJECTS)

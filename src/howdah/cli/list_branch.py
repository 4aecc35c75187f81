# SPDX-License-Identifier: Apache-2.0
"""`howdah list branch REPO`: show the branches of a repo."""

import click

from howdah.cli.base import command
from howdah.cli.columns import BRANCHES
from howdah.cli.session import Session

__all__ = ["list_branch"]


@command("branch", "howdah list branch images")
@click.argument("repo")
def list_branch(session: Session, repo: str) -> None:
    """Show the branches of a repo, the newest first."""
    session.show_all(session.client.list_branches(repo), BRANCHES)

# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect repo REPO`: show one repo."""

import click

from howdah.cli.base import command
from howdah.cli.columns import REPO
from howdah.cli.session import Session

__all__ = ["inspect_repo"]


@command("repo", "howdah inspect repo images")
@click.argument("repo")
def inspect_repo(session: Session, repo: str) -> None:
    """Show one repo and its branches."""
    session.show(session.client.inspect_repo(repo), REPO)

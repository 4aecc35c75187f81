# SPDX-License-Identifier: Apache-2.0
"""`howdah update repo REPO`: change a repo's description."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["update_repo"]


@command("repo", "howdah update repo images -d 'photographs of 2026'", output=False)
@click.argument("repo")
@click.option("-d", "--description", required=True, help="What it is for.")
def update_repo(session: Session, repo: str, description: str) -> None:
    """Change a repo's description."""
    if not session.place().transaction:  # which may make the repo that it updates
        session.client.inspect_repo(repo)  # to update one that is not there would make it
    session.client.create_repo(repo, description=description, update=True)

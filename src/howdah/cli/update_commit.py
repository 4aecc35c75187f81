# SPDX-License-Identifier: Apache-2.0
"""`howdah update commit COMMIT`: change a commit's description."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["update_commit"]


@command("commit", "howdah update commit images@master -d 'the March photographs'", output=False)
@click.argument("commit")
@click.option("-d", "--description", required=True, help="What it holds, or why it was made.")
def update_commit(session: Session, commit: str, description: str) -> None:
    """Change a commit's description, also after it was finished. Its files never change."""
    session.client.update_commit(commit, description=description)

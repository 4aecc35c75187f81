# SPDX-License-Identifier: Apache-2.0
"""`howdah start commit REPO@BRANCH`: open a commit."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["start_commit"]


@command("commit", "howdah start commit images@master", output=False)
@click.argument("branch")
@click.option("-m", "--message", default="", help="The commit's description.")
@click.option("-p", "--parent", help="Build on this commit instead of the branch's head.")
def start_commit(session: Session, branch: str, message: str, parent: str | None) -> None:
    """Open a commit and print its id. Files are put into it until it is finished."""
    if parent is not None and "@" not in parent:
        parent = f"{branch.partition('@')[0]}@{parent}"
    session.line(session.client.start_commit(branch, parent=parent, description=message).id)

# SPDX-License-Identifier: Apache-2.0
"""`howdah create commit REPO@BRANCH`: open and close a commit at once."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["create_commit"]


@command("commit", "howdah create commit images@master -m 'run everything that follows'", output=False)
@click.argument("branch")
@click.option("-m", "--message", default="", help="The commit's description.")
def create_commit(session: Session, branch: str, message: str) -> None:
    """Make a commit with the files of its parent, open and close it at once, and print its id.

    What depends on the branch gets new commits and jobs.
    """
    commit = session.client.start_commit(branch, description=message)
    session.client.finish_commit(commit)
    session.line(commit.id)

# SPDX-License-Identifier: Apache-2.0
"""`howdah delete repo REPO`: remove a repo."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_repo"]


@command("repo", "howdah delete repo images", output=False)
@click.argument("repo")
@click.option("-f", "--force", is_flag=True, help="Also when other branches depend on its own.")
def delete_repo(session: Session, repo: str, force: bool) -> None:
    """Remove a repo with all its branches, commits and files."""
    if not session.place().transaction:  # which may make the repo that it deletes
        session.client.inspect_repo(repo)  # the protocol takes a repo that is not there for a deleted one
    session.client.delete_repo(repo, force=force)

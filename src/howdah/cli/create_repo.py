# SPDX-License-Identifier: Apache-2.0
"""`howdah create repo REPO`: make a repo."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["create_repo"]


@command("repo", "howdah create repo images", "howdah create repo vision/images -d 'photographs'", output=False)
@click.argument("repo")
@click.option("-d", "--description", default="", help="What it is for.")
def create_repo(session: Session, repo: str, description: str) -> None:
    """Make an empty repo. Files are put into its branches; a branch is made by the first commit on it."""
    session.client.create_repo(repo, description=description)

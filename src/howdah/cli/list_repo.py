# SPDX-License-Identifier: Apache-2.0
"""`howdah list repo`: show the repos of a project."""

import click

from howdah.cli.base import command
from howdah.cli.columns import REPOS
from howdah.cli.session import Session

__all__ = ["list_repo"]


@command("repo", "howdah list repo", "howdah list repo --all --type ''")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
@click.option("--type", "repo_type", default="user", help="user, meta or spec; '' for all. Default: user.")
def list_repo(session: Session, everywhere: bool, repo_type: str) -> None:
    """Show the repos of a project. The size is that of branch master."""
    projects: list[str] | None = [] if everywhere else None
    session.show_all(session.client.list_repos(repo_type=repo_type, projects=projects), REPOS)

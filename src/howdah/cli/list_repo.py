# SPDX-License-Identifier: Apache-2.0
"""`howdah list repo`: show the repos of a project."""

import click

from howdah.cli.base import command
from howdah.cli.columns import REPOS
from howdah.cli.session import Session

__all__ = ["list_repo"]


@command("repo", "howdah list repo", "howdah list repo --all --type ''", "howdah list repo -n 100 --page 2")
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
@click.option("--type", "repo_type", default="user", help="user, meta or spec; '' for all. Default: user.")
@click.option("-n", "--number", default=0, help="A page of so many; 0 for all.")
@click.option("--page", default=0, help="Which page, counted from 0.")
def list_repo(session: Session, everywhere: bool, repo_type: str, number: int, page: int) -> None:
    """Show the repos of a project. The size is that of branch master."""
    if page and not number:
        raise click.UsageError("a page has a size; give --number as well")
    projects: list[str] | None = [] if everywhere else None
    found = session.client.list_repos(repo_type=repo_type, projects=projects, page_size=number, page=page)
    session.show_all(found, REPOS)

# SPDX-License-Identifier: Apache-2.0
"""`howdah delete all`: remove every pipeline, repo and project."""

import sys
from operator import itemgetter

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_all"]


@command("all", "howdah delete all --dry-run", "howdah delete all", "howdah delete all --yes", project=False)
@click.option("--dry-run", is_flag=True, help="Remove nothing; say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_all(session: Session, dry_run: bool, yes: bool) -> None:
    """Remove everything that the lake holds: transactions, pipelines, repos with their commits, and projects.

    Asks first, and says how much it is. The bytes go with the next garbage collections; `howdah gc --undelete` brings
    back bytes, never names.
    """
    client = session.client
    names = {
        "projects": [project.name for project in client.list_projects()],
        "pipelines": [str(info.pipeline) for info in client.list_pipelines(projects=())],
        "repos": [str(info.repo) for info in client.list_repos(projects=())],
    }
    session.show(names, [(kind, itemgetter(kind)) for kind in names])
    if dry_run:
        session.note("this was a dry run: nothing was removed")
        return
    if not yes:
        _ask(f"remove all of it from {client.address}?")
    client.delete_everything()


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is there to ask; say --yes")
    click.confirm(question, abort=True, err=True)

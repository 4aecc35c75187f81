# SPDX-License-Identifier: Apache-2.0
"""`howdah list commit REPO[@COMMIT]`: show commits."""

import click

from howdah.cli.base import command
from howdah.cli.columns import COMMITS
from howdah.cli.names import is_id
from howdah.cli.session import Session

__all__ = ["list_commit"]


@command("commit", "howdah list commit images", "howdah list commit images@master", "howdah list commit 4fc0…")
@click.argument("what", metavar="REPO[@COMMIT]|ID")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option("--from", "from_", help="Only those after this ancestor.")
def list_commit(session: Session, what: str, number: int, from_: str | None) -> None:
    """Show the commits of a repo, the newest first; or a commit and its ancestors; or all commits of a set."""
    if is_id(what):
        session.show_all(session.client.inspect_commit_set(what), COMMITS)
        return
    repo, at, _ = what.partition("@")
    if from_ is not None and "@" not in from_:
        from_ = f"{repo}@{from_}"
    to = what if at else None
    session.show_all(session.client.list_commits(repo, to=to, from_=from_, number=number), COMMITS)

# SPDX-License-Identifier: Apache-2.0
"""`howdah forget commit COMMIT`: give up the files of a commit, and keep the commit."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["forget_commit"]


@command("commit", "howdah forget commit images@master^ --dry-run", "howdah forget commit images@master^")
@click.argument("commit", metavar="COMMIT")
@click.option("--dry-run", is_flag=True, help="Give up nothing; say which commit it would be, or why not.")
def forget_commit(session: Session, commit: str, dry_run: bool) -> None:
    """Give up the files of a finished commit. Its size, its provenance and its place in history stay.

    What is read as the head of a branch, or is needed to finish another commit, is refused. Says which commit it was.
    """
    found = session.client.forget_commit(commit, dry_run=dry_run)
    session.show({"commit": found}, [("commit", lambda row: row["commit"])])
    if dry_run:
        session.note("this was a dry run: nothing was given up")

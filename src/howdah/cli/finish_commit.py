# SPDX-License-Identifier: Apache-2.0
"""`howdah finish commit REPO@BRANCH`: close a commit and let pipelines run."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["finish_commit"]


@command("commit", "howdah finish commit images@master", output=False)
@click.argument("commit")
@click.option("-m", "--message", default="", help="Replace the commit's description.")
@click.option("-f", "--force", is_flag=True, help="Also a pipeline's output commit.")
def finish_commit(session: Session, commit: str, message: str, force: bool) -> None:
    """Close COMMIT. Its files can be read at once; nothing more can be written."""
    session.client.finish_commit(commit, description=message, force=force)

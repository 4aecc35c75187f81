# SPDX-License-Identifier: Apache-2.0
"""`howdah clear commit COMMIT`: begin an open commit anew."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["clear_commit"]


@command("commit", "howdah clear commit images@master", output=False)
@click.argument("commit")
def clear_commit(session: Session, commit: str) -> None:
    """Forget what was written to an open COMMIT: it holds what its parent does, and can be written again."""
    session.client.clear_commit(commit)

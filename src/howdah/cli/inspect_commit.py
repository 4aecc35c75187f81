# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect commit REPO@COMMIT`: show one commit."""

import click

from howdah.cli.base import command
from howdah.cli.columns import COMMIT
from howdah.cli.session import Session

__all__ = ["inspect_commit"]


@command("commit", "howdah inspect commit images@master", "howdah inspect commit images@master^2 -o json")
@click.argument("commit")
def inspect_commit(session: Session, commit: str) -> None:
    """Show one commit: its state, what it was made of, what follows it."""
    session.show(session.client.inspect_commit(commit), COMMIT)

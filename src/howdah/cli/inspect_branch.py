# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect branch REPO@BRANCH`: show one branch."""

import click

from howdah.cli.base import command
from howdah.cli.columns import BRANCH
from howdah.cli.session import Session

__all__ = ["inspect_branch"]


@command("branch", "howdah inspect branch images@master")
@click.argument("branch")
def inspect_branch(session: Session, branch: str) -> None:
    """Show a branch: its head, what it depends on, what follows it."""
    session.show(session.client.inspect_branch(branch), BRANCH)

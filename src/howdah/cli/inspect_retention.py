# SPDX-License-Identifier: Apache-2.0
"""`howdah inspect retention OF`: show one retention rule."""

import click

from howdah.cli.base import command
from howdah.cli.retaining import RETENTION, shown
from howdah.cli.session import Session

__all__ = ["inspect_retention"]


@command("retention", "howdah inspect retention images@master")
@click.argument("of", metavar="REPO|REPO@BRANCH|PROJECT/")
def inspect_retention(session: Session, of: str) -> None:
    """Show the rule of exactly this repo, branch or project."""
    session.show(shown(session.client.inspect_retention(of)), RETENTION)

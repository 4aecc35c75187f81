# SPDX-License-Identifier: Apache-2.0
"""`howdah apply retention [OF]`: apply retention rules now, or see what they would remove."""

import click

from howdah.cli.base import command
from howdah.cli.retaining import show_applied
from howdah.cli.session import Session

__all__ = ["apply_retention"]


@command("retention", "howdah apply retention --dry-run", "howdah apply retention images@master")
@click.argument("of", metavar="[REPO|REPO@BRANCH|PROJECT/]", required=False)
@click.option(
    "--dry-run", is_flag=True, help="Remove nothing; say what would go, what would stay and why, and how much."
)
def apply_retention(session: Session, of: str | None, dry_run: bool) -> None:
    """Apply all retention rules now, or only the one of OF, and say what went and what stays against a rule.

    The server does so by itself every ten minutes. Bytes come back with the next garbage collection.
    """
    show_applied(session, session.client.apply_retention(of, dry_run=dry_run))

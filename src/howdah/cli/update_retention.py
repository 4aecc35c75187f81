# SPDX-License-Identifier: Apache-2.0
"""`howdah update retention OF RULE`: replace a retention rule."""

import click

from howdah.cli.base import command
from howdah.cli.retaining import RETENTION, show_applied, shown
from howdah.cli.session import Session

__all__ = ["update_retention"]


@command(
    "retention",
    "howdah update retention images keep 20 commits --dry-run",
    "howdah update retention images keep 20 commits",
)
@click.argument("of", metavar="REPO|REPO@BRANCH|PROJECT/")
@click.argument("rule", metavar="RULE...", nargs=-1, required=True)
@click.option(
    "--dry-run", is_flag=True, help="Change no rule; say what it would remove now, and what would stay and why."
)
def update_retention(session: Session, of: str, rule: tuple[str, ...], dry_run: bool) -> None:
    """Replace the retention rule of a repo, branch or project. Rules are those of `create retention`."""
    text = " ".join(rule)
    if dry_run:
        show_applied(session, session.client.apply_retention(of, dry_run=True, rule=text))
    else:
        session.show(shown(session.client.create_retention(of, text, update=True)), RETENTION)

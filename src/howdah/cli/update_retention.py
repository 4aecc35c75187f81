# SPDX-License-Identifier: Apache-2.0
"""`howdah update retention OF RULE`: replace a retention rule."""

from howdah.cli.base import command
from howdah.cli.retaining import give_rule, given_rule
from howdah.cli.session import Session

__all__ = ["update_retention"]


@command(
    "retention",
    "howdah update retention images keep 20 commits --dry-run",
    "howdah update retention images keep 20 commits",
)
@given_rule
def update_retention(session: Session, of: str, rule: tuple[str, ...], dry_run: bool) -> None:
    """Replace the retention rule of a repo, branch or project. Rules are those of `create retention`."""
    give_rule(session, of, rule, update=True, dry_run=dry_run)

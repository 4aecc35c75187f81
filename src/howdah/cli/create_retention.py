# SPDX-License-Identifier: Apache-2.0
"""`howdah create retention OF RULE`: say what is kept of a project, repo or branch."""

from howdah.cli.base import command
from howdah.cli.retaining import give_rule, given_rule
from howdah.cli.session import Session

__all__ = ["create_retention"]


@command(
    "retention",
    "howdah create retention images@master keep 10 commits",
    "howdah create retention images keep 10 commits and 30 days",
    "howdah create retention vision/ keep 90 days",
    "howdah create retention uploads delete commits after 24 hours",
    "howdah create retention images keep 1 commit --dry-run",
)
@given_rule
def create_retention(session: Session, of: str, rule: tuple[str, ...], dry_run: bool) -> None:
    """Give a repo, a branch or all repos of a project a retention rule, which the server applies every ten minutes.

    `keep 10 commits` and `keep 30 days` keep the newest commits of each branch, and those that were finished in that
    time; `and` keeps both. Heads always stay, and so does what other commits depend on. `keep everything` is for what a
    wider rule must leave alone. `delete commits after 48 hours` removes commits by age with all that depends on them,
    heads too; `delete repo after 48 hours` the repo. Of several rules the nearest holds: of the branch, the repo, the
    project.
    """
    give_rule(session, of, rule, update=False, dry_run=dry_run)

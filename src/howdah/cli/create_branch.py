# SPDX-License-Identifier: Apache-2.0
"""`howdah create branch REPO@BRANCH`: make or move a branch."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["create_branch"]


@command(
    "branch",
    "howdah create branch images@staging",
    "howdah create branch images@master --head staging",
    "howdah create branch out@master -p images@master",
    output=False,
)
@click.argument("branch")
@click.option("--head", help="The commit it shall point to: a branch, an id, with steps, of the same repo.")
@click.option("-p", "--provenance", multiple=True, help="A branch it shall depend on; may be given several times.")
def create_branch(session: Session, branch: str, head: str | None, provenance: tuple[str, ...]) -> None:
    """Make a branch, or give an existing one another head or provenance.

    Without --head a new branch begins with an empty commit.
    """
    if head is not None and "@" not in head:
        head = f"{branch.partition('@')[0]}@{head}"
    session.client.create_branch(branch, head=head, provenance=provenance)

# SPDX-License-Identifier: Apache-2.0
"""`howdah update branch REPO@BRANCH --head COMMIT`: move a branch that exists."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["update_branch"]


@command(
    "branch",
    "howdah update branch images@master --head staging",
    "howdah update branch images@master --head master^",
    output=False,
)
@click.argument("branch")
@click.option("--head", required=True, help="The commit it shall point to: a branch, an id, with steps.")
def update_branch(session: Session, branch: str, head: str) -> None:
    """Move a branch to another commit of its repo. What depends on it follows; its provenance stays."""
    info = session.client.inspect_branch(branch)
    target = head if "@" in head else f"{info.branch.repo}@{head}"
    session.client.create_branch(info.branch, head=target, provenance=info.direct_provenance)

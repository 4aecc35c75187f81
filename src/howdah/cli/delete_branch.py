# SPDX-License-Identifier: Apache-2.0
"""`howdah delete branch REPO@BRANCH`: remove a branch."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_branch"]


@command("branch", "howdah delete branch images@staging", output=False)
@click.argument("branch")
@click.option("-f", "--force", is_flag=True, help="Also when other branches depend on it.")
def delete_branch(session: Session, branch: str, force: bool) -> None:
    """Remove a branch. Its commits stay and can be read by their ids."""
    session.client.delete_branch(branch, force=force)

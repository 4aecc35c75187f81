# SPDX-License-Identifier: Apache-2.0
"""`howdah create branch REPO@BRANCH`: make or move a branch."""

from typing import Any

import click

from howdah.cli.base import command
from howdah.cli.branching import Wishes, change, options
from howdah.cli.session import Session

__all__ = ["create_branch"]


@command(
    "branch",
    "howdah create branch images@staging",
    "howdah create branch images@master --head staging",
    "howdah create branch out@master -p images@master",
    "howdah create branch images@release --trigger master --trigger-commits 10",
    output=False,
)
@click.argument("branch")
@options
def create_branch(session: Session, branch: str, **given: Any) -> None:
    """Make a branch, or give an existing one another head, provenance or trigger; what is not given stays.

    Without --head a new branch begins with an empty commit.
    """
    from howdah.errors import ErrorKind, NotFound

    try:
        info = session.client.inspect_branch(branch)
    except NotFound as error:
        if error.kind is not ErrorKind.BRANCH_NOT_FOUND:
            raise
        info = None
    change(session.client, branch, info, Wishes(**given))

# SPDX-License-Identifier: Apache-2.0
"""`howdah update branch REPO@BRANCH`: change a branch that exists."""

from typing import Any

import click

from howdah.cli.base import command
from howdah.cli.branching import Wishes, change, options
from howdah.cli.session import Session

__all__ = ["update_branch"]


@command(
    "branch",
    "howdah update branch images@master --head staging",
    "howdah update branch images@master --head master^",
    "howdah update branch out@master --no-provenance",
    output=False,
)
@click.argument("branch")
@options
def update_branch(session: Session, branch: str, **given: Any) -> None:
    """Give a branch another head, provenance or trigger; what is not given stays. What depends on it follows."""
    wishes = Wishes(**given)
    info = session.client.inspect_branch(branch)
    if wishes == _NOTHING:
        raise click.UsageError("nothing to change is given; give --head, --provenance or --trigger")
    change(session.client, branch, info, wishes)


_NOTHING = Wishes(None, (), False, (), None, 0, "", "", "", False)

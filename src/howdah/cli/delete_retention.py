# SPDX-License-Identifier: Apache-2.0
"""`howdah delete retention OF`: take a retention rule away."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["delete_retention"]


@command("retention", "howdah delete retention images@master", output=False)
@click.argument("of", metavar="REPO|REPO@BRANCH|PROJECT/")
def delete_retention(session: Session, of: str) -> None:
    """Take a rule away. A wider one holds then, if there is one; what was removed does not come back."""
    session.client.delete_retention(of)

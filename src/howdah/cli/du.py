# SPDX-License-Identifier: Apache-2.0
"""`howdah du [REPO|REPO@BRANCH|REPO@COMMIT]…`: what things hold, and what deleting them would give back."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["du"]


@command("du", "howdah du", "howdah du images", "howdah du images@master images@master^2 -o json")
@click.argument("targets", nargs=-1, metavar="[REPO|REPO@BRANCH|REPO@COMMIT]…")
def du(session: Session, targets: tuple[str, ...]) -> None:
    """Show what repos, branches and commits hold in the store; every repo when none is named.

    FILES is what users see. STORED is what it takes, all versions together, each object once. EXCLUSIVE is the part
    that nothing else needs: deleting the repo or the commits gives that back.
    """
    from howdah.cli.output import size

    columns = (
        ("NAME", lambda held: held.name),
        ("COMMITS", lambda held: held.commits),
        ("FILES", lambda held: size(held.size_bytes)),
        ("STORED", lambda held: size(held.stored_bytes)),
        ("EXCLUSIVE", lambda held: size(held.exclusive_bytes)),
    )
    session.show_all(session.client.usage(*targets), columns)

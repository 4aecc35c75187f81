# SPDX-License-Identifier: Apache-2.0
"""`howdah subscribe commit REPO[@BRANCH]`: print commits as they come."""

from itertools import islice

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["subscribe_commit"]

_STATES = ("started", "ready", "finishing", "finished")


@command(
    "commit",
    "howdah subscribe commit images@master",
    "howdah subscribe commit images@master --from images@master -n 1",
    "howdah subscribe commit images --state started -o json",
)
@click.argument("where", metavar="REPO[@BRANCH]")
@click.option("--from", "from_", metavar="COMMIT", help="Begin after this commit; with the first one unless given.")
@click.option("--state", type=click.Choice(_STATES), default="finished", help="Print each when it is so far.")
@click.option(
    "--origin", type=click.Choice(["user", "auto", "fsck"]), help="Only those that were made for this reason."
)
@click.option("-n", "--number", type=click.IntRange(0), default=0, help="End after so many; 0: go on until Ctrl-C.")
def subscribe_commit(
    session: Session, where: str, from_: str | None, state: str, origin: str | None, number: int
) -> None:
    """Print the commits of a repo, or those made on a branch, oldest first, and then each new one as it comes."""
    from howdah.model.states import CommitState, OriginKind

    repo, _, branch = where.partition("@")
    found = session.client.subscribe_commits(
        repo,
        branch=branch,
        from_=from_,
        state=CommitState[state.upper()],
        origin=OriginKind[origin.upper()] if origin else None,
    )
    try:
        session.stream(islice(found, number or None), lambda info: str(info.commit))
    finally:
        found.close()

# SPDX-License-Identifier: Apache-2.0
"""`howdah squash commit COMMIT|ID`: take commits out of history, and keep their data."""

from howdah.cli.base import command
from howdah.cli.removing import removal_options, remove
from howdah.cli.session import Session

__all__ = ["squash_commit"]


@command(
    "commit",
    "howdah squash commit images@master^",
    "howdah squash commit images@master^ --recursive --dry-run",
    "howdah squash commit 4fc0…",
)
@removal_options
def squash_commit(session: Session, what: str, recursive: bool, dry_run: bool) -> None:
    """Take COMMIT, or all commits of the set ID, out of history. Their children keep the data.

    A commit without children is refused, since its data would be lost: drop it. A pipeline's output goes with its
    job. Says what went.
    """
    remove(session, True, what, recursive=recursive, dry_run=dry_run)

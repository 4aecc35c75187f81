# SPDX-License-Identifier: Apache-2.0
"""`howdah drop commit COMMIT|ID`: take commits out of history with their data."""

from howdah.cli.base import command
from howdah.cli.removing import removal_options, remove
from howdah.cli.session import Session

__all__ = ["drop_commit"]


@command(
    "commit",
    "howdah drop commit images@master",
    "howdah drop commit images@master --recursive --dry-run",
    "howdah drop commit 4fc0…",
)
@removal_options
def drop_commit(session: Session, what: str, recursive: bool, dry_run: bool) -> None:
    """Take COMMIT, or all commits of the set ID, out of history with their data.

    A commit with children is refused: squash it, or drop the children first. Branches move back to the parent. A
    pipeline's output goes with its job, which is ended if it runs. Says what went.
    """
    remove(session, False, what, recursive=recursive, dry_run=dry_run)

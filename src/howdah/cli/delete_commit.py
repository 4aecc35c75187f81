# SPDX-License-Identifier: Apache-2.0
"""`howdah delete commit COMMIT|ID`: the same as `howdah drop commit`."""

from howdah.cli.base import command
from howdah.cli.removing import removal_options, remove
from howdah.cli.session import Session

__all__ = ["delete_commit"]


@command(
    "commit",
    "howdah delete commit images@master",
    "howdah delete commit images@master --recursive --dry-run",
    "howdah delete commit 4fc0…",
)
@removal_options
def delete_commit(session: Session, what: str, recursive: bool, dry_run: bool) -> None:
    """Take COMMIT, or all commits of the set ID, out of history with their data: the same as `howdah drop commit`.

    A commit with children is refused: squash it, or delete the children first. Branches move back to the parent. A
    pipeline's output goes with its job, which is ended if it runs. Says what went.
    """
    remove(session, False, what, recursive=recursive, dry_run=dry_run)

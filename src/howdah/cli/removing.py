# SPDX-License-Identifier: Apache-2.0
"""What `squash commit`, `drop commit` and `delete commit` share: their options, and how they say what went."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from howdah.cli.columns import REMOVED
from howdah.cli.names import is_id
from howdah.cli.session import Session

__all__ = ["removal_options", "remove"]

F = TypeVar("F", bound=Callable[..., Any])


def removal_options(function: F) -> F:
    """The argument and the options of these commands."""
    recursive = click.option("-r", "--recursive", is_flag=True, help="Also all that depends on the commit.")
    dry_run = click.option("--dry-run", is_flag=True, help="Remove nothing; say what would go, or why not.")
    return click.argument("what", metavar="COMMIT|ID")(recursive(dry_run(function)))


def remove(session: Session, squash: bool, what: str, *, recursive: bool, dry_run: bool) -> None:
    """Squash or drop a commit, or for an id all commits of the set; print what went.

    Squashing a set is the one of these that goes into an open transaction.
    """
    client = session.client
    if is_id(what):
        if recursive:
            raise click.UsageError("--recursive needs one commit and not a set; write it as repo@ID")
        if squash and not dry_run and (transaction := session.place().transaction):
            client.in_transaction(transaction).squash_commit_set(what)
            return
        of_set = client.squash_commit_set if squash else client.drop_commit_set
        removed = of_set(what, dry_run=dry_run)
    else:
        of_one = client.squash_commit if squash else client.drop_commit
        removed = of_one(what, recursive=recursive, dry_run=dry_run)
    session.show(removed, REMOVED)
    if dry_run:
        session.note("this was a dry run: nothing was removed")

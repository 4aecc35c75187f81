# SPDX-License-Identifier: Apache-2.0
"""`howdah gc`: give back the space of what nothing needs any more."""

from datetime import timedelta
from typing import Any

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["gc"]


@command("gc", "howdah gc --dry-run", "howdah gc", "howdah gc --older-than 0s", project=False)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--undelete", is_flag=True, help="Put everything back that is in the trash, and do nothing else.")
@click.option("--older-than", metavar="TIME", help="Remove what is in the trash for so long; 24h unless given.")
def gc(session: Session, dry_run: bool, undelete: bool, older_than: str | None) -> None:
    """Put what no commit, pipeline or job needs into the trash, and remove what has been there for a day.

    The server does the same by itself every hour. While somebody writes, nothing is removed that was there before.
    """
    if undelete and (dry_run or older_than is not None):
        raise click.UsageError("--undelete goes alone")
    keep = None if older_than is None else _time(older_than)
    with session.waiting("the collection"):
        done = session.client.collect_garbage(dry_run=dry_run, undelete=undelete, keep=keep)
    if session.json:
        session.show(done, ())
        return
    rows = [
        ("needed", done.named),
        ("new, so left alone", done.young),
        ("would go into the trash" if dry_run else "put into the trash", done.thrown_away),
        ("in the trash", done.waiting),
        ("would come back" if dry_run else "put back", done.put_back),
        ("would be removed" if dry_run else "removed", done.removed),
    ]
    session.show_all(rows, _columns())
    if done.missing:
        session.note(f"howdah: {done.missing} objects that are needed are missing; see which: howdah fsck")


def _columns() -> Any:
    from howdah.cli.output import size

    return (
        ("WHAT", lambda row: row[0]),
        ("OBJECTS", lambda row: row[1].objects),
        ("SIZE", lambda row: size(row[1].size_bytes)),
    )


def _time(text: str) -> timedelta:
    from howdah.model.units import parse_duration

    return parse_duration(text)

# SPDX-License-Identifier: Apache-2.0
"""`howdah diff file NEW [OLD]`: compare files of two commits."""

import click

from howdah.cli.base import command
from howdah.cli.columns import DIFFERENCES
from howdah.cli.names import a_file
from howdah.cli.session import Session

__all__ = ["diff_file"]


@command("file", "howdah diff file images@master", "howdah diff file images@master:/a images@staging:/a")
@click.argument("new", metavar="REPO@COMMIT[:PATH]")
@click.argument("old", metavar="[REPO@COMMIT[:PATH]]", required=False)
@click.option("-s", "--shallow", is_flag=True, help="Only what lies directly in the directories.")
@click.option("--name-only", is_flag=True, help="Only the paths.")
def diff_file(session: Session, new: str, old: str | None, shallow: bool, name_only: bool) -> None:
    """Show the files and directories that differ: + is new, - is gone, ~ has changed.

    Without OLD, the same place in the parent commit.
    """
    before = None if old is None else a_file(session, old)
    pairs = session.client.diff_files(a_file(session, new), before, shallow=shallow)
    if name_only:
        session.stream(((pair.new or pair.old).path for pair in pairs), str)  # type: ignore[union-attr]
    else:
        session.show_all(pairs, DIFFERENCES)

# SPDX-License-Identifier: Apache-2.0
"""`howdah diff file NEW [OLD]`: compare files of two commits."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.columns import DIFFERENCES
from howdah.cli.names import a_file
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import FileDiff
    from howdah.model.refs import Commitish, File

__all__ = ["diff_file"]


@command(
    "file",
    "howdah diff file images@master",
    "howdah diff file images@master:/a.txt images@staging:/a.txt",
    "howdah diff file images@master --summary",
)
@click.argument("new", metavar="REPO@COMMIT[:PATH]")
@click.argument("old", metavar="[REPO@COMMIT[:PATH]]", required=False)
@click.option("-s", "--shallow", is_flag=True, help="Only what lies directly in the directories.")
@click.option("--name-only", is_flag=True, help="Only the paths, of directories too.")
@click.option("--summary", is_flag=True, help="A table of what differs, with sizes, of directories too.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Whether lines have colours; on a terminal unless said otherwise.",
)
def diff_file(
    session: Session, new: str, old: str | None, shallow: bool, name_only: bool, summary: bool, color: str
) -> None:
    """Show how files differ, line by line: - went, + came.

    Without OLD, from the same place in the parent commit. Files that are not text, or have over 1 MiB, are only named.
    In a table + is new, - is gone, ~ has changed.
    """
    here, before = a_file(session, new), None if old is None else a_file(session, old)
    pairs = session.client.diff_files(here, before, shallow=shallow)
    if name_only:
        session.stream(((pair.new or pair.old).path for pair in pairs), str)  # type: ignore[union-attr]
    elif summary or session.json:
        session.show_all(pairs, DIFFERENCES)
    else:
        in_colour = color == "always" or (color == "auto" and sys.stdout.isatty())
        _show_texts(session, pairs, here, before, in_colour)


def _show_texts(
    session: Session, pairs: Iterable["FileDiff"], new: "File", old: "File | None", in_colour: bool
) -> None:
    from howdah.cli.text_diff import coloured, text_diff

    before: Commitish | None = None if old is None else old.commit
    if old is None:
        before = session.client.inspect_commit(new.commit).parent
    for pair in pairs:
        if any(info is not None and info.is_dir for info in pair):
            continue
        for line in text_diff(session.client, pair, new.commit, before):
            session.line(coloured(line) if in_colour else line)

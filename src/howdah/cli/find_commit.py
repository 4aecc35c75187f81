# SPDX-License-Identifier: Apache-2.0
"""`howdah find commit REPO@COMMIT:/PATH`: which commits changed a file."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.names import a_file
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import Sighting
    from howdah.model.refs import Commit

__all__ = ["find_commit"]


@command("commit", "howdah find commit images@master:/a.png", "howdah find commit images@master:/labels -n 1 -o json")
@click.argument("file", metavar="REPO@COMMIT:/PATH")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option("--timeout", type=float, help="Seconds to search at most; what was found by then is printed.")
def find_commit(session: Session, file: str, number: int, timeout: float | None) -> None:
    """Print the commits that made, changed or removed a file or directory, newest first.

    COMMIT and its ancestors are searched. Where a search ended before the first commit, it says where to go on.
    """
    where = a_file(session, file)
    last: list[Sighting] = []
    found = session.client.find_commits(where.commit, where.path, limit=number, timeout=timeout)
    with session.waiting("the search"):
        session.stream(_hits(found, last), str)
    if last and (parent := session.client.inspect_commit(last[0].commit).parent) is not None:
        session.note(f"searched {last[0].searched} commits; go on: howdah find commit {parent}:{where.path}")


def _hits(found: "Iterator[Sighting]", last: "list[Sighting]") -> "Iterator[Commit]":
    """The commits that were found; how far the search came is left in `last`."""
    for each in found:
        if each.found:
            yield each.commit
        else:
            last.append(each)

# SPDX-License-Identifier: Apache-2.0
"""`howdah list commit [REPO[@COMMIT]|ID]`: show commits and commit sets."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from howdah.cli.base import command
from howdah.cli.columns import COMMIT_SETS, COMMITS
from howdah.cli.names import is_id
from howdah.cli.session import Session

if TYPE_CHECKING:
    from datetime import datetime

    from howdah.model.infos import CommitInfo

__all__ = ["list_commit"]

_ORIGINS = ("user", "auto", "fsck")


@command(
    "commit",
    "howdah list commit",
    "howdah list commit images",
    "howdah list commit images@master --from master~10 --origin user",
    "howdah list commit 4fc0…",
)
@click.argument("what", required=False, metavar="[REPO[@COMMIT]|ID]")
@click.option("-n", "--number", default=0, help="At most so many; 0 for all.")
@click.option("--from", "from_", help="Only those after this ancestor.")
@click.option("--reverse", is_flag=True, help="Oldest first; not with a commit.")
@click.option("--origin", type=click.Choice(_ORIGINS), help="Only those that were made so.")
@click.option("--started", help="Only those started before this moment (ISO 8601); with --reverse, after it.")
@click.option("-x", "--expand", is_flag=True, help="Without a repo: each commit of each set.")
def list_commit(session: Session, what: str | None, number: int, expand: bool, **given: Any) -> None:
    """Show commit sets; the commits of a repo, newest first; a commit and its ancestors; or all commits of a set."""
    if what is None:
        _refuse_options(given)
        sets = session.client.list_commit_sets()
        if expand:
            session.show_all(_first(chain.from_iterable(each.commits for each in sets), number), COMMITS)
        else:
            session.show_all(_first(sets, number), COMMIT_SETS)
    elif is_id(what):
        _refuse_options(given)
        session.show_all(_first(session.client.inspect_commit_set(what), number), COMMITS)
    else:
        session.show_all(_of_repo(session, what, number, **given), COMMITS)


def _of_repo(
    session: Session,
    what: str,
    number: int,
    from_: str | None,
    reverse: bool,
    origin: str | None,
    started: str | None,
) -> "Iterator[CommitInfo]":
    from howdah.model.states import OriginKind

    repo, at, _ = what.partition("@")
    if from_ is not None and "@" not in from_:
        from_ = f"{repo}@{from_}"
    return session.client.list_commits(
        repo,
        to=what if at else None,
        from_=from_,
        number=number,
        reverse=reverse,
        origin=OriginKind[origin.upper()] if origin else None,
        started=_moment(started) if started else None,
    )


def _first(items: Iterable[Any], number: int) -> Iterator[Any]:
    return islice(items, number or None)


def _refuse_options(given: dict[str, Any]) -> None:
    """Say that an option means nothing without a repo."""
    if wrong := [name.strip("_") for name, value in given.items() if value]:
        raise click.UsageError(f"--{wrong[0]} is for the commits of a repo; name one")


def _moment(text: str) -> "datetime":
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"{text} is no moment; write it as 2030-01-31 or 2030-01-31T12:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)

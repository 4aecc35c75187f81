# SPDX-License-Identifier: Apache-2.0
"""What `create branch` and `update branch` share: options about provenance and triggers, and what they come to.

The protocol's call replaces the provenance of a branch. On the command line what is not mentioned stays: only
`--no-provenance` takes provenance away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from howdah.client import Client
    from howdah.model.infos import BranchInfo, Trigger
    from howdah.model.refs import Branch

__all__ = ["Wishes", "change", "options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--head", help="The commit it shall point to: a branch, an id, with steps, of the same repo."),
    click.option("-p", "--provenance", multiple=True, help="A branch it shall depend on; may be given several times."),
    click.option("--no-provenance", is_flag=True, help="It shall depend on nothing any more."),
    click.option("--never", multiple=True, help="A branch of its provenance that may move without it."),
    click.option(
        "--trigger", "source", metavar="BRANCH", help="A branch of its repo that it shall follow by a trigger."
    ),
    click.option("--trigger-commits", "commits", default=0, metavar="N", help="… after so many commits."),
    click.option("--trigger-size", "size", default="", metavar="SIZE", help="… when the data grew by so much: 10MB."),
    click.option("--trigger-rate-limit", "rate_limit", default="", metavar="CRON", help="… once between two ticks."),
    click.option(
        "--trigger-cron", "cron", default="", metavar="CRON", help="… at each tick: '0 3 * * *', '@every 1h'."
    ),
    click.option("--trigger-all", "every", is_flag=True, help="… when all of these hold; else one will do."),
)


@dataclass(frozen=True)
class Wishes:
    """What was typed."""

    head: str | None
    provenance: Sequence[str]
    no_provenance: bool
    never: Sequence[str]
    source: str | None
    commits: int
    size: str
    rate_limit: str
    cron: str
    every: bool

    def trigger(self) -> "Trigger | None":
        """The trigger that was asked for.

        Raises:
            UsageError: a condition without a branch, or a branch without a condition.
        """
        from howdah.model.infos import Trigger

        given = bool(self.commits or self.size or self.rate_limit or self.cron)
        if self.source is None:
            if given or self.every:
                raise click.UsageError("a trigger needs a branch that it follows; give --trigger BRANCH")
            return None
        if not given:
            raise click.UsageError(
                "a trigger without a condition would never move; give --trigger-commits 1, or another"
            )
        return Trigger(self.source, self.every, self.rate_limit, self.size, self.commits, self.cron)


def options(function: F) -> F:
    """The options of both commands, in order."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def change(client: "Client", branch: str, info: "BranchInfo | None", wishes: Wishes) -> None:
    """Make the branch, or change the one that `info` tells of; what was not mentioned stays.

    Raises:
        UsageError: options that exclude each other.
        NotFound, BadRequest: as `Client.create_branch`.
    """
    from howdah.client.coerce import a_branch

    if wishes.no_provenance and wishes.provenance:
        raise click.UsageError("--no-provenance and --provenance exclude each other; give one of them")
    target = a_branch(branch, client.project)
    above: Sequence[Branch] = [a_branch(each, client.project) for each in wishes.provenance]
    never: Sequence[Branch] = [a_branch(each, client.project) for each in wishes.never]
    if info is not None and not above and not wishes.no_provenance:
        above, never = info.direct_provenance, never or info.never
    head = wishes.head
    if head is not None and "@" not in head:
        head = f"{target.repo}@{head}"
    client.create_branch(target, head=head, provenance=above, trigger=wishes.trigger(), never=never)

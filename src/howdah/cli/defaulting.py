# SPDX-License-Identifier: Apache-2.0
"""What the commands about defaults share: whose they are, what is read, and which pipelines are told of."""

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from howdah.cli.names import text_of
from howdah.cli.output import Columns
from howdah.cli.session import Session

__all__ = ["changing", "given_defaults", "of_whom", "set_and_show", "whose"]

F = TypeVar("F", bound=Callable[..., Any])

_PIPELINES: Final[Columns] = [("NEW VERSION OF", str)]
_CHANGING: Final = (
    click.option("--regenerate", is_flag=True, help="Give each pipeline that is another one under them a new version."),
    click.option("--reprocess", is_flag=True, help="With --regenerate: run also what had succeeded."),
    click.option("--dry-run", is_flag=True, help="Change nothing; with --regenerate, print which pipelines would."),
)

whose: Final = click.option("--cluster", is_flag=True, help="Those of all pipelines; else those of --project.")
"""The option of all of them, beside `--project`."""


def changing(function: F) -> F:
    """Give a command the options of a change."""
    for option in reversed(_CHANGING):
        function = option(function)
    return function


def of_whom(session: Session, cluster: bool) -> str | None:
    """The project whose defaults are meant; None for those of all.

    Raises:
        UsageError: both are said, or neither.
    """
    if cluster == bool(session.project):
        raise click.UsageError("say whose defaults: --cluster for all pipelines, or --project NAME")
    return session.project


def given_defaults(source: str) -> str:
    """Defaults from where specs come from, as JSON; the text itself if it is that.

    Raises:
        BadRequest: BAD_SPEC: they are none.
        NotFound, Refused, Unavailable: they cannot be read.
    """
    from howdah.model.spec import parse_defaults
    from howdah.model.spec.text import documents

    text = text_of(source)
    parse_defaults(text)
    found = documents(text) or [{}]
    return text.decode() if text.lstrip()[:1] == b"{" else json.dumps(found[0])


def set_and_show(session: Session, text: str, project: str | None, **how: bool) -> None:
    """Set defaults, and print the pipelines that have, or would have, a new version."""
    affected = session.client.set_defaults(text, project, **how)
    if how.get("regenerate"):
        session.show_all(affected, _PIPELINES)

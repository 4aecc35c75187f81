# SPDX-License-Identifier: Apache-2.0
"""`howdah edit metadata KIND NAME OP DATA …`: change the keys and values that are kept on things."""

import json
from typing import TYPE_CHECKING, Final

import click

from howdah.cli.base import command
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import MetadataEdit

__all__ = ["edit_metadata"]

_WORDS: Final = 4


@command(
    "metadata",
    "howdah edit metadata repo images add team=vision",
    "howdah edit metadata commit images@master edit quality=checked branch images@master delete owner",
    """howdah edit metadata cluster . replace '{"site": "Berlin"}'""",
    output=False,
)
@click.argument("words", nargs=-1, required=True, metavar="KIND NAME OP DATA [...]")
def edit_metadata(session: Session, words: tuple[str, ...]) -> None:
    """Change the keys and values of projects, repos, branches, commits, pipelines or the cluster (its name is `.`).

    OP is add (a new key; refused if it is there), edit (new or not), both with KEY=VALUE; delete with KEY; or replace
    with a JSON object of all keys. Several edits in one call happen together or not at all.
    """
    if len(words) % _WORDS:
        raise click.UsageError(f"the words make no whole edits ({' '.join(words)[:80]}); each is KIND NAME OP DATA")
    edits = [_edit(*words[at : at + _WORDS]) for at in range(0, len(words), _WORDS)]
    session.client.edit_metadata(*edits)


def _edit(kind: str, name: str, op: str, data: str) -> "MetadataEdit":
    from howdah.client import MetadataEdit

    name = "" if name == "." else name
    key, equals, value = data.partition("=")
    match op:
        case "add" | "edit" if not equals:
            raise click.UsageError(f"{op} takes KEY=VALUE; write {op} {data}=VALUE")
        case "add":
            return MetadataEdit(kind, name, add={key: value})
        case "edit":
            return MetadataEdit(kind, name, edit={key: value})
        case "delete":
            return MetadataEdit(kind, name, delete=[data])
        case "replace":
            return MetadataEdit(kind, name, replace=_object(data))
    raise click.UsageError(f"no such op: {op}; use add, edit, delete or replace")


def _object(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"replace takes a JSON object; {text} cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise click.UsageError('replace takes a JSON object of texts; write {"key": "value"}')
    return found

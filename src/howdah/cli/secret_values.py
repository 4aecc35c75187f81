# SPDX-License-Identifier: Apache-2.0
"""What the commands about secrets share: where values come from, never the command line, and how secrets are shown."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from howdah.cli.output import Columns, age, time

__all__ = ["SECRET", "SECRETS", "from_environment", "from_files", "kubernetes", "typed"]

SECRETS: Final[Columns] = [
    ("NAME", lambda s: s.name),
    ("TYPE", lambda s: s.type),
    ("CREATED", lambda s: age(s.created_at)),
]
SECRET: Final[Columns] = [
    ("name", lambda s: s.name),
    ("type", lambda s: s.type),
    ("created", lambda s: time(s.created_at)),
]


def from_files(given: Sequence[str]) -> dict[str, bytes]:
    """The values of `KEY=FILE`, or of `FILE` under the file's own name.

    Raises:
        NotFound, Refused: a file cannot be read.
    """
    from howdah.storage.local_files import explained

    values = {}
    for each in given:
        key, equals, path = each.partition("=")
        path = path if equals else each
        with explained(path), open(path, "rb") as file:
            values[key if equals else os.path.basename(path)] = file.read()
    return values


def from_environment(given: Sequence[str]) -> dict[str, bytes]:
    """The values of `KEY=VARIABLE`, or of a variable under its own name.

    Raises:
        BadRequest: there is no such variable.
    """
    from howdah.errors import BadRequest, ErrorKind

    values = {}
    for each in given:
        key, equals, variable = each.partition("=")
        name = variable if equals else each
        if name not in os.environ:
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"there is no variable {name} in the environment; export it first")
        values[key if equals else name] = os.fsencode(os.environ[name])
    return values


def kubernetes(source: str) -> Iterator[bytes | Mapping[str, Any]]:
    """The Kubernetes Secrets of a file in JSON or YAML, or of standard input for `-`.

    Raises:
        NotFound, Refused: the file cannot be read.
        BadRequest: BAD_ARGUMENT: it is neither; nothing of it is shown.
    """
    from howdah.errors import BadRequest, ErrorKind
    from howdah.model.spec.text import documents
    from howdah.storage.local_files import explained

    with explained(source), open(sys.stdin.fileno() if source == "-" else source, "rb", closefd=source != "-") as file:
        text = file.read()
    if text.lstrip()[:1] == b"{":
        yield text
        return
    try:
        found = documents(text)
    except BadRequest:  # whose text could have a part of a value
        found = []
    if not found or not all(isinstance(each, dict) for each in found):
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{source} holds no Kubernetes Secret in JSON or YAML; correct it")
    yield from found


def typed(keys: Sequence[str]) -> dict[str, bytes]:
    """A value for each key: asked for without an echo on a terminal, else a line of standard input.

    Raises:
        BadRequest: a value stands on the command line, or input has too few lines.
    """
    from howdah.errors import BadRequest, ErrorKind

    values = {}
    for key in keys:
        name, equals, _ = key.partition("=")
        if equals:
            text = f"the value of {name} stands on the command line, where the shell's history and `ps` show it"
            way_out = f"write --from-literal {name} and type the value, or pipe it in"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; {way_out}")
        if sys.stdin.isatty():
            values[key] = click.prompt(key, hide_input=True, err=True).encode()
            continue
        line = sys.stdin.buffer.readline()
        if not line:
            text = f"standard input has no line for {key}; give a line for each --from-literal, in their order"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        values[key] = line.removesuffix(b"\n")
    return values

# SPDX-License-Identifier: Apache-2.0
"""Arguments of commands, read: files, ids, specs."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from howdah.kit.ids import UUID4_HEX

if TYPE_CHECKING:
    from howdah.cli.session import Session
    from howdah.model.refs import File

__all__ = ["JOB_STATES", "PIPELINE_STATES", "STATES", "a_file", "a_filter", "documents_of", "is_id", "specs", "text_of"]

STATES: Final = ("failed", "success", "skipped", "starting", "recovered")
"""States of datums, as they are typed."""

_WEB: Final = ("http://", "https://")


JOB_STATES: Final = (
    "created",
    "starting",
    "running",
    "egressing",
    "finishing",
    "success",
    "failure",
    "killed",
    "unrunnable",
)
"""States of jobs, as they are typed."""

PIPELINE_STATES: Final = ("starting", "running", "restarting", "failure", "paused", "standby", "crashing")
"""States of pipelines, as they are typed."""


def a_filter(prefix: str, states: Sequence[str], jq: str) -> str:
    """The jq expression for things in one of some states, if any are given, for which `jq` holds, if that is."""
    state = " or ".join(f'.state == "{prefix}{each.upper()}"' for each in states)
    return f"({state}) and ({jq}\n)" if state and jq else state or jq


def is_id(text: str) -> bool:
    """Whether a text is the id of a commit set."""
    return UUID4_HEX.fullmatch(text) is not None


def a_file(session: "Session", text: str) -> "File":
    """A path in a commit; the root when there is no path.

    Raises:
        BadRequest: it is not one.
    """
    from howdah.model.refs import parse_file

    return parse_file(text, session.client.project)


def documents_of(source: str) -> list[Any]:
    """The documents of a source of JSON or YAML, as `text_of` reads it.

    Raises:
        NotFound, Refused, Unavailable: it cannot be read.
        BadRequest: it is neither JSON nor YAML.
    """
    from howdah.model.spec.text import documents

    return list(documents(text_of(source)))


def text_of(source: str) -> bytes:
    """The bytes of a file, of an address of the web, or of standard input for `-`.

    Raises:
        NotFound, Refused, Unavailable: it cannot be read.
    """
    if source == "-":
        return sys.stdin.buffer.read()
    if source.lower().startswith(_WEB):
        from howdah.storage.urls import fetched

        return b"".join(fetched(source))
    from howdah.storage.local_files import explained

    with explained(source), open(source, "rb") as file:
        return file.read()


def specs(source: str) -> Iterator[str | bytes | Mapping[str, Any]]:
    """The pipeline specs of a source as `text_of` reads it; the text itself if there is only one.

    Raises:
        NotFound, Refused, Unavailable: it cannot be read.
        BadRequest: it is neither JSON nor YAML.
    """
    from howdah.model.spec.text import documents

    text = text_of(source)
    found = documents(text)
    yield from [text] if len(found) < 2 else found

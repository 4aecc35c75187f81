# SPDX-License-Identifier: Apache-2.0
"""Inputs on the command line: read from a file, and warned about."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from howdah.cli.names import documents_of

if TYPE_CHECKING:
    from howdah.cli.session import Session

__all__ = ["one_input", "tell_warnings", "warning"]

# An effective spec without any of these has nothing to be warned about.
_KEYED: Final = ('"joinOn"', '"groupBy"', '"outerJoin"')


def one_input(source: str) -> Mapping[str, Any]:
    """The input of a file: of a pipeline's spec, or by itself; `-` is standard input.

    Raises:
        NotFound, Refused: the file cannot be read.
        BadRequest: it is neither JSON nor YAML, or not one input.
    """
    from howdah.errors import BadRequest, ErrorKind

    found = documents_of(source)
    if len(found) != 1 or not isinstance(found[0], Mapping):
        text = f"{source}: {len(found)} documents found where one input is expected; give one spec or one input"
        raise BadRequest(ErrorKind.BAD_SPEC, text)
    tree: Mapping[str, Any] = found[0]
    if "input" not in tree:
        return dict(tree)
    named = tree.get("pipeline")
    project = named.get("project") if isinstance(named, Mapping) else None
    name = project.get("name") if isinstance(project, Mapping) else None
    return cast("Mapping[str, Any]", _in_project(tree["input"], name))  # what is none is refused when it is read


def warning(text: str) -> str:
    """A warning as a note."""
    from howdah.model.texts import WARNING

    return WARNING + text


def tell_warnings(session: "Session", effective: str) -> None:
    """Note what the server finds odd about the inputs of a pipeline that was just made."""
    if not any(word in effective for word in _KEYED):
        return
    from howdah.errors import NotFound
    from howdah.model.refs import Pipeline
    from howdah.model.texts import WARNING

    named = json.loads(effective)["pipeline"]
    try:
        info = session.client.inspect_pipeline(Pipeline(named["project"]["name"], named["name"]))
    except NotFound:  # it is part of a transaction
        return
    for text in info.reason.split(f"; {WARNING}") if info.reason.startswith(WARNING) else ():
        session.note(text if text.startswith(WARNING) else warning(text))


def _in_project(node: Any, project: str | None) -> Any:
    """An input whose members are in a project where they name none."""
    if not project or not isinstance(node, Mapping):
        return node
    found = dict(node)
    for kind, inner in node.items():
        if kind == "pfs" and isinstance(inner, Mapping):
            found[kind] = {"project": project, **inner}
        elif isinstance(inner, list):
            found[kind] = [_in_project(member, project) for member in inner]
    return found

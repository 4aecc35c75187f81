# SPDX-License-Identifier: Apache-2.0
"""From a text or a tree to an effective, checked spec: the way in for everybody. Over defaults: `layers`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import DEFAULT_PROJECT, project_name
from howdah.model.spec.codec import bad_spec, decode
from howdah.model.spec.inputs import CronInput, Input, PfsInput, read_input
from howdah.model.spec.rules import check, input_with_defaults, with_defaults
from howdah.model.spec.text import documents
from howdah.model.spec.values import PipelineSpec

__all__ = ["parse_input", "parse_spec", "parse_specs", "project_of", "spec_tree"]


def parse_spec(spec: str | bytes | Mapping[str, Any], *, project: str = DEFAULT_PROJECT) -> PipelineSpec:
    """The effective spec of one pipeline, from JSON, YAML or a tree; `project` is used where it names none.

    Raises:
        BadRequest: BAD_SPEC or BAD_NAME; the message names the field.
    """
    return _parse(spec if isinstance(spec, Mapping) else _only(spec), project)


def spec_tree(spec: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """One spec as a tree; nothing is checked but that it is an object.

    Raises:
        BadRequest: BAD_SPEC.
    """
    tree = _only(spec) if isinstance(spec, str | bytes) else spec
    if not isinstance(tree, Mapping):
        raise bad_spec("", "expected an object; write { } around the fields")
    return tree


def project_of(tree: Mapping[str, Any], project: str = DEFAULT_PROJECT) -> str:
    """The project that a spec's tree names, else `project`; what is wrong with it is told by `parse_spec`."""
    pipeline = tree.get("pipeline")
    named = pipeline.get("project") if isinstance(pipeline, Mapping) else None
    name = named.get("name") if isinstance(named, Mapping) else None
    return name if isinstance(name, str) and name else project


def parse_specs(text: str | bytes, *, project: str = DEFAULT_PROJECT) -> tuple[PipelineSpec, ...]:
    """The effective specs of a stream or list of documents, in order; all of them, or an error.

    Raises:
        BadRequest: BAD_SPEC or BAD_NAME; the message names the field, and which spec where there are several.
    """
    found = documents(text)
    specs = []
    for n, tree in enumerate(found, 1):
        try:
            specs.append(_parse(tree, project))
        except BadRequest as error:
            if len(found) == 1:
                raise
            raise BadRequest(error.kind, f"{error.message} (spec {n} of {len(found)})") from error
    return tuple(specs)


def parse_input(
    tree: Mapping[str, Any], *, project: str = DEFAULT_PROJECT, pipeline: str = "", glob: str = ""
) -> Input:
    """An input by itself, as previews of datums give it, with its defaults filled in; `glob` is one of them, if given.

    Raises:
        BadRequest: BAD_SPEC or BAD_NAME; the message names the field.
    """
    return input_with_defaults(_globbed(read_input(tree, "input"), glob), project_name(project), pipeline)


def _globbed(node: Input, glob: str) -> Input:
    """An input whose pfs inputs have that pattern where they have none."""
    if isinstance(node, PfsInput):
        return dataclasses.replace(node, glob=node.glob or glob)
    if isinstance(node, CronInput):
        return node
    return dataclasses.replace(node, inputs=tuple(_globbed(member, glob) for member in node.inputs))


def _only(text: str | bytes) -> Any:
    found = documents(text)
    if len(found) != 1:
        way_out = "give one spec" if not found else "give one at a time"
        raise BadRequest(
            ErrorKind.BAD_SPEC, f"pipeline spec: {len(found)} specs found where one is expected; {way_out}"
        )
    return found[0]


def _parse(tree: object, project: str) -> PipelineSpec:
    if isinstance(tree, Mapping):
        tree = {key: value for key, value in tree.items() if key != "$schema"}  # editors put it there
    spec = with_defaults(decode(PipelineSpec, tree), project)
    check(spec)
    return spec

# SPDX-License-Identifier: Apache-2.0
"""Specs as JSON Schema, made from the values that they are read into: for editors that complete and check.

What the schema takes is what `decode` takes, in either spelling of a field; what a value means is checked by `rules`
alone. The words for each field are in `words`.
"""

import typing
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cache
from typing import Any, Final

from howdah.model.spec.codec import Pairs, all_names, json_name, type_hints, without_none
from howdah.model.spec.inputs import InputMessage
from howdah.model.spec.layers import DEFAULTS_KEY, SCHEMA_KEY
from howdah.model.spec.values import PipelineSpec
from howdah.model.spec.words import WORDS

__all__ = ["defaults_schema", "spec_schema"]

Schema = dict[str, Any]

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"  # the one that editors know
_DURATION: Final = {"type": ["string", "null"], "pattern": r"^(0|-?([0-9]+(\.[0-9]*)?|\.[0-9]+)[a-zµμ]+.*)$"}
_SCALARS: Final[dict[Any, Schema]] = {
    str: {"type": ["string", "null"]},
    bool: {"type": ["boolean", "null"]},
    int: {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]{1,19}$"},
    float: {"type": ["number", "string", "null"], "pattern": r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$"},
    timedelta: _DURATION,
    datetime: {"type": ["string", "null"], "format": "date-time"},
}


@cache
def spec_schema() -> Schema:
    """The schema of one spec. Nobody may change what is answered."""
    return _document("A pipeline", PipelineSpec, {})


@cache
def defaults_schema() -> Schema:
    """The schema of the defaults of a cluster or project. Nobody may change what is answered."""
    definitions: dict[str, Schema] = {}
    value = _reference(PipelineSpec, definitions)
    properties = {DEFAULTS_KEY: value, "create_pipeline_request": value, SCHEMA_KEY: {"type": "string"}}
    return {
        "$schema": _DRAFT,
        "title": "Defaults of pipelines",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "definitions": definitions,
    }


def _document(title: str, kind: Any, definitions: dict[str, Schema]) -> Schema:
    root = _object(kind, definitions)
    root["properties"] = {SCHEMA_KEY: {"type": "string"}, **root["properties"]}
    root["required"] = ["pipeline"]
    return {"$schema": _DRAFT, "title": title, **root, "definitions": definitions}


def _object(kind: Any, definitions: dict[str, Schema]) -> Schema:
    hints = type_hints(kind)
    properties: dict[str, Schema] = {}
    for name, field in sorted(all_names(kind).items(), key=lambda each: each[0] != json_name(each[1])):
        words = WORDS.get(f"{kind.__name__}.{field.name}", "")
        if name != json_name(field):
            words = f"The same as {json_name(field)}."
        properties[name] = _described(_value(hints[field.name], field, definitions), words)
    summary = (kind.__doc__ or "").partition("\n")[0]
    return {"type": "object", "description": summary, "properties": properties, "additionalProperties": False}


def _described(schema: Schema, words: str) -> Schema:
    return {**schema, "description": words} if words else schema


def _value(hint: Any, field: Any, definitions: dict[str, Schema]) -> Schema:
    hint = without_none(hint)
    is_list = typing.get_origin(hint) is tuple
    if field.metadata.get("respell"):  # inputs within inputs have a form of their own
        inner = _reference(InputMessage, definitions)
        return _list(inner) if is_list else inner
    if hint == Pairs:
        return {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}}
    if is_list:
        return _list(_value(typing.get_args(hint)[0], field, definitions))
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if issubclass(hint, IntEnum):
        return {"enum": [*(each.name for each in hint), *(each.value for each in hint), None]}
    return _reference(hint, definitions)


def _list(item: Schema) -> Schema:
    return {"type": ["array", "null"], "items": item}


def _reference(kind: Any, definitions: dict[str, Schema]) -> Schema:
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # it may hold itself
        definitions[name] = _object(kind, definitions)
    return {"anyOf": [{"$ref": f"#/definitions/{name}"}, {"type": "null"}]}

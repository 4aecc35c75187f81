# SPDX-License-Identifier: Apache-2.0
"""Messages as JSON Schema: what protobuf's rules for JSON make of each field. Put together in `openapi`."""

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from howdah.wire.stubs.comments import COMMENTS

__all__ = ["described", "reference", "schemas"]

Schema = dict[str, Any]

_TYPES: Final[MappingProxyType[int, Schema]] = MappingProxyType(
    {
        FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
        FieldDescriptor.TYPE_STRING: {"type": "string"},
        FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
        FieldDescriptor.TYPE_DOUBLE: {"type": ["number", "string"], "format": "double"},
        FieldDescriptor.TYPE_FLOAT: {"type": ["number", "string"], "format": "float"},
    }
)

# 64-bit numbers are written as strings and read from both: numbers in JSON have 53 bits for many.
_LONG: Final[Schema] = {"type": ["string", "integer"], "format": "int64"}
_INT: Final[Schema] = {"type": "integer", "format": "int32"}
_LONG_TYPES: Final = frozenset(
    {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64},
)

# Messages that have a form of their own in JSON.
_SPECIAL: Final[MappingProxyType[str, Schema]] = MappingProxyType(
    {
        "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}},
        "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
        "google.protobuf.BytesValue": {"type": ["string", "null"], "contentEncoding": "base64"},
        "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d+(\.\d+)?s$", "examples": ["1.5s"]},
        "google.protobuf.Empty": {"type": "object"},
        "google.protobuf.Int64Value": {"type": ["string", "integer", "null"], "format": "int64"},
        "google.protobuf.ListValue": {"type": "array"},
        "google.protobuf.StringValue": {"type": ["string", "null"]},
        "google.protobuf.Struct": {"type": "object"},
        "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
        "google.protobuf.Value": {},
    }
)


def described(schema: Schema, name: str) -> Schema:
    """The schema with the comment that the protocol has for a name, if it has one."""
    return {**schema, "description": COMMENTS[name]} if name in COMMENTS else schema


def reference(kind: Descriptor | EnumDescriptor) -> Schema:
    """A reference to the schema of a message or enum."""
    return {"$ref": f"#/components/schemas/{kind.full_name}"}


def schemas(roots: Iterator[Descriptor]) -> dict[str, Schema]:
    """The schemas of these messages and of all that they hold, by full name."""
    found: dict[str, Schema] = {}
    waiting: list[Descriptor | EnumDescriptor] = list(roots)
    while waiting:
        kind = waiting.pop()
        if kind.full_name not in found:
            found[kind.full_name] = _schema(kind, waiting.append)
    return dict(sorted(found.items()))


def _schema(kind: Descriptor | EnumDescriptor, needed: Callable[[Descriptor | EnumDescriptor], None]) -> Schema:
    if isinstance(kind, EnumDescriptor):
        names = {"type": "string", "enum": [value.name for value in kind.values]}
        return described({"anyOf": [names, {"type": "integer", "format": "int32"}]}, kind.full_name)
    if kind.full_name in _SPECIAL:
        return dict(_SPECIAL[kind.full_name])
    properties = {field.json_name: _field(field, needed) for field in kind.fields}
    schema = described({"type": "object", "properties": properties, "additionalProperties": False}, kind.full_name)
    choices = [", ".join(field.json_name for field in each.fields) for each in kind.oneofs if len(each.fields) > 1]
    if choices:
        text = " ".join(f"At most one of {names}." for names in choices)
        schema["description"] = " ".join(filter(None, (schema.get("description", ""), text)))
    return schema


def _field(field: FieldDescriptor, needed: Callable[[Descriptor | EnumDescriptor], None]) -> Schema:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        value = _value(message.fields_by_name["value"], needed)
        return described({"type": "object", "additionalProperties": value}, field.full_name)
    schema = _value(field, needed)
    if field.default_value == []:  # repeated; its own property for that is younger than the oldest protobuf we take
        schema = {"type": "array", "items": schema}
    return described(schema, field.full_name)


def _value(field: FieldDescriptor, needed: Callable[[Descriptor | EnumDescriptor], None]) -> Schema:
    """One value of a field."""
    kind = field.message_type or field.enum_type
    if kind is not None:
        needed(kind)
        return reference(kind)
    if field.type in _TYPES:
        return dict(_TYPES[field.type])
    return dict(_LONG if field.cpp_type in _LONG_TYPES else _INT)

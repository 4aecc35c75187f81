# SPDX-License-Identifier: Apache-2.0
"""Any message of the protocol, made by Hypothesis from its descriptor: fields set or not, plausible and absurd values.

Texts are often names of what is there, so that calls get past the first check.
"""

import functools
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

__all__ = ["NAMES", "any_message"]

# What the tests' server holds, and what means something at one place or another.
NAMES = [
    "", "default", "words", "out", "user", "meta", "spec", "master", "master^", "/", "/a", "/a/", "/*", "/**", "a",
    "^", ".", "..", "*", "[", "{", "$", "@", "words@master:/a", "0" * 32, "f" * 32, "\x00", "ä", "a\nb", "x" * 5000,
    "1", "10s", "* * * * *", "@daily", "1MB", "file:///nothing", "true", "{}", "[]", '{"pipeline": {"name": "p"}}',
]  # fmt: skip

_INTS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


@functools.cache
def any_message(kind: Descriptor) -> st.SearchStrategy[Message]:
    """Messages of this type."""
    fields = {field.name: st.deferred(lambda field=field: _field(field)) for field in kind.fields}
    make = GetMessageClass(kind)
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: _filled(make(), values))


def _filled(message: Message, values: dict[str, Any]) -> Message:
    for name, value in values.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if _is_map(field):
            entries = getattr(message, name)
            for each in value:
                if field.message_type.fields_by_name["value"].message_type is None:
                    entries[each.key] = each.value
                else:
                    entries[each.key].CopyFrom(each.value)
        elif field.default_value == []:
            getattr(message, name).extend(value)
        elif field.message_type is not None:
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _field(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    one = _value(field)
    return st.lists(one, max_size=3) if field.default_value == [] else one


def _value(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return any_message(field.message_type)
    if field.enum_type is not None:
        return st.sampled_from([*(value.number for value in field.enum_type.values), 77, -1])
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=40)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return st.sampled_from(NAMES) | st.text(max_size=12)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if field.cpp_type in _INTS:
        low, high = _INTS[field.cpp_type]
        return st.sampled_from([0, 1, 2, max(low, -1), low, high]) | st.integers(low, high)
    return st.floats(width=32)

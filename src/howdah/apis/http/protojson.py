# SPDX-License-Identifier: Apache-2.0
"""Messages from JSON and to JSON, by the rules that protobuf has for it.

Read: names of fields in either spelling, enums by name or number, 64-bit numbers also as strings, bytes in base64,
`null` for "not set"; anything unknown is an error that names it. Written: names in lower camel case, enums by name,
64-bit numbers as strings, and nothing for a field that has its default.
"""

import json
import re
from typing import Any, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.model.texts import one_line

__all__ = ["from_json", "to_json"]

M = TypeVar("M", bound=Message)

# How the library begins the texts of errors in fields within fields, one beginning for each level.
_LEVELS: Final = re.compile(r"^(?:Failed to parse \w+ field: )+")
# What it says of an unknown field, of which the names are worth telling.
_UNKNOWN: Final = re.compile(r'Message type "([^"]+)" has no field named "(.*)" at ')


def from_json(text: bytes | bytearray, kind: type[M]) -> M:
    """A message; of nothing but white space, an empty one.

    Raises:
        BadRequest: BAD_ARGUMENT, with the key or the place that is wrong.
    """
    message = kind()
    if not text.strip():
        return message
    name = message.DESCRIPTOR.full_name
    try:
        tree = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
        if not isinstance(tree, dict):
            raise _bad(f"a {name} is written as a JSON object, not as {_kind_of(tree)}")
        return json_format.ParseDict(tree, message)
    except RecursionError:
        raise _bad(f"the JSON of a {name} is nested too deeply") from None
    # The library has its own error for most of what is wrong, and forgets it for some.
    except (json_format.Error, ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise _bad(f"this is not the JSON of a {name}: {_reason(error)}") from None


def to_json(message: Message) -> str:
    """The message on one line.

    Raises:
        Unsupported: it holds a message of a type that is not known here.
    """
    try:
        tree = json_format.MessageToDict(message)
    except (json_format.Error, TypeError, ValueError) as error:
        reason = one_line(str(error))
        text = f"a {message.DESCRIPTOR.full_name} cannot be written as JSON ({reason}); ask for it over gRPC"
        raise Unsupported(ErrorKind.UNSUPPORTED, text) from None
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice!r} is there twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON; write it as a string")


def _kind_of(tree: object) -> str:
    kinds = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(tree), "a number")


def _reason(error: Exception) -> str:
    """The first line of the library's text: further ones list what would be known."""
    text = _LEVELS.sub("", str(error))
    if unknown := _UNKNOWN.match(text):
        return f'{unknown[1]} has no field named "{one_line(unknown[2])}"'
    return one_line(text.partition("\n")[0].rstrip(". ") or type(error).__name__)


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; its shape is in /api/openapi.json")

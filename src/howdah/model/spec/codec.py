# SPDX-License-Identifier: Apache-2.0
"""Between trees (what JSON holds) and frozen dataclasses, guided by the dataclasses' own types.

Names are those of the protocol: a field `datum_set_spec` is written `datumSetSpec` and read in both
spellings. Reading is strict: an unknown field, or a value of another type, is an error that names the
field by its path. Writing leaves out what is absent or zero, so that it reads back as an equal value.
"""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache
from typing import Any, Final, TypeVar

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line
from howdah.model.units import format_duration, parse_duration

__all__ = [
    "INT32",
    "UINT64",
    "Pairs",
    "all_names",
    "bad_spec",
    "decode",
    "encode",
    "json_name",
    "respell",
    "spelled",
    "type_hints",
    "wire",
    "without_none",
]

Pairs = tuple[tuple[str, str], ...]  # a map of texts, sorted by key: a value that can be compared and hashed

T = TypeVar("T")
Bounds = tuple[int, int]

_FINITE: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?")
_INT64: Final[Bounds] = (-(2**63), 2**63 - 1)
INT32: Final[Bounds] = (-(2**31), 2**31 - 1)
UINT64: Final[Bounds] = (0, 2**64 - 1)

# Of specs before version 2, or of other tools: what to do instead.
_GONE: Final = {
    "standby": "use autoscaling",
    "chunkSpec": "use datumSetSpec",
    "chunk_spec": "use datumSetSpec",
    "enableStats": "leave it out; statistics are always kept",
    "enable_stats": "leave it out; statistics are always kept",
    "cacheSize": "leave it out",
    "cache_size": "leave it out",
    "maxQueueSize": "leave it out",
    "max_queue_size": "leave it out",
    "coefficient": "use constant",
    "atom": "use pfs",
    "git": "put the files into a repo and use pfs",
}


def wire(
    *,
    default: Any = dataclasses.MISSING,
    bounds: Bounds | None = None,
    json: str = "",
    also: tuple[str, ...] = (),
    hidden: bool = False,
    read: Callable[[object, str], object] | None = None,
    respell: Callable[[object, str], object] | None = None,
) -> Any:
    """A dataclass field with more to say: bounds of an integer, its JSON name, other spellings, a reader of its own.

    `respell` goes with `read`: it brings the keys of the tree that `read` reads to one spelling.

    What is hidden is read, but neither written nor compared: it belongs to a request, not to the value.
    """
    metadata = {"bounds": bounds, "json": json, "also": also, "hidden": hidden, "read": read, "respell": respell}
    return dataclasses.field(default=default, compare=not hidden, metadata=metadata)


def bad_spec(path: str, why: str) -> BadRequest:
    """The error of one field of a spec."""
    return BadRequest(ErrorKind.BAD_SPEC, f"{path or 'pipeline spec'}: {why}")


def spelled(name: str) -> str:
    """A field's name as JSON has it: `datum_set_spec` is `datumSetSpec`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def decode(kind: type[T], tree: object, path: str = "") -> T:
    """The value of dataclass `kind` that a tree holds; `path` stands before the names of its fields in errors.

    Raises:
        BadRequest: BAD_SPEC.
    """
    if not isinstance(tree, Mapping):
        raise _expected("an object", tree, path)
    shape: Any = kind
    names, hints = all_names(shape), type_hints(shape)
    given: dict[str, object] = {}
    for key, value in tree.items():
        field = names.get(key) if isinstance(key, str) else None
        if field is None:
            raise _unknown(str(key), names, path)
        if field.name in given:
            raise bad_spec(_under(path, key), "given twice, in two spellings; keep one")
        if value is not None:
            where = _under(path, key)
            read = field.metadata.get("read")
            given[field.name] = read(value, where) if read else _read(hints[field.name], field, value, where)
    return kind(**given)


def encode(value: object) -> dict[str, Any]:
    """The tree of a dataclass, without what is absent or zero."""
    tree: dict[str, Any] = {}
    shape: Any = type(value)
    hints = type_hints(shape)
    for field in dataclasses.fields(value):  # type: ignore[arg-type]  # only dataclasses come here
        item = getattr(value, field.name)
        hint = hints[field.name]
        is_absent = item is None or (without_none(hint) is hint and item in ("", 0, False, ()))
        if not is_absent and not field.metadata.get("hidden"):
            write = field.metadata.get("write") or _write
            tree[json_name(field)] = write(item)
    return tree


def respell(kind: Any, tree: object, path: str = "") -> Any:
    """The tree of dataclass `kind` with every key as `encode` writes it, and all values as they are, null too.

    Repeating it changes nothing. What is no object is left for `decode` to refuse.

    Raises:
        BadRequest: BAD_SPEC: an unknown field, or one that is given in two spellings.
    """
    if not isinstance(tree, Mapping):
        return tree
    names, hints = all_names(kind), type_hints(kind)
    found: dict[str, Any] = {}
    for key, value in tree.items():
        field = names.get(key) if isinstance(key, str) else None
        if field is None:
            raise _unknown(str(key), names, path)
        name, where = json_name(field), _under(path, key)
        if name in found:
            raise bad_spec(where, "given twice, in two spellings; keep one")
        own = field.metadata.get("respell")
        found[name] = own(value, where) if own else _respelled(hints[field.name], value, where)
    return found


def json_name(field: dataclasses.Field[Any]) -> str:
    """The key of a field in JSON."""
    return field.metadata.get("json") or spelled(field.name)


def _respelled(hint: Any, value: object, path: str) -> Any:
    hint = without_none(hint)
    if typing.get_origin(hint) is tuple and hint != Pairs and isinstance(value, list | tuple):
        inner = typing.get_args(hint)[0]
        return [_respelled(inner, item, f"{path}[{n}]") for n, item in enumerate(value)]
    return respell(hint, value, path) if dataclasses.is_dataclass(hint) else value


def _read(hint: Any, field: dataclasses.Field[Any], value: object, path: str) -> object:
    hint = without_none(hint)
    if (reader := _SCALARS.get(hint)) is not None:
        return reader(value, path)
    if hint is int:
        return _integer(value, path, field.metadata.get("bounds") or _INT64)
    if hint == Pairs:
        return _pairs(value, path)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise _expected("a list", value, path)
        return tuple(_read(inner, field, item, f"{path}[{n}]") for n, item in enumerate(value))
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return _enum(hint, value, path)
    message: object = decode(hint, value, path)
    return message


def _write(value: object) -> object:
    if isinstance(value, tuple):
        is_pairs = bool(value) and isinstance(value[0], tuple)
        return dict(value) if is_pairs else [_write(item) for item in value]
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, IntEnum):
        return value.name
    return encode(value) if dataclasses.is_dataclass(value) else value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        hint = "; put it in quotes" if isinstance(value, int | float) else ""
        raise _expected("a text", value, path, hint)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise bad_spec(path, f"character {error.start} is a lone surrogate, which is no text; leave it out") from error
    return value


def _flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise _expected("true or false", value, path)
    return value


def _integer(value: object, path: str, bounds: Bounds) -> int:
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii() and len(value) <= 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _expected("a whole number", value, path)
    low, high = bounds
    if not low <= value <= high:
        raise bad_spec(path, f"{one_line(str(value)[:40])} is out of range; use {low} to {high}")
    return value


def _number(value: object, path: str) -> float:
    if isinstance(value, str) and _FINITE.fullmatch(value):  # as JSON of the protocol may have it
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
        raise _expected("a number", value, path)
    return float(value)


def _duration(value: object, path: str) -> timedelta:
    if not isinstance(value, str):
        raise _expected("a duration such as 30s or 1h30m", value, path)
    try:
        return parse_duration(value)
    except BadRequest as error:
        raise bad_spec(path, error.message) from error


def _moment(value: object, path: str) -> datetime:
    text = _text(value, path)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _expected("a time such as 2025-01-31T08:00:00Z", value, path) from error
    if moment.tzinfo is None:
        raise bad_spec(path, f"the time {one_line(text)} has no zone; add Z for UTC")
    return moment


def _pairs(value: object, path: str) -> Pairs:
    if not isinstance(value, Mapping):
        raise _expected("an object of texts", value, path)
    given = ((key, item) for key, item in value.items() if item is not None)  # null: not there
    return tuple(sorted((_text(key, path), _text(item, _under(path, str(key)))) for key, item in given))


def _enum(kind: type[IntEnum], value: object, path: str) -> IntEnum:
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    if isinstance(value, int) and not isinstance(value, bool) and value in set(kind):
        return kind(value)
    raise _expected("one of " + ", ".join(kind.__members__), value, path)


_SCALARS: Final[Mapping[Any, Callable[[object, str], object]]] = {
    str: _text,
    bool: _flag,
    float: _number,
    timedelta: _duration,
    datetime: _moment,
}


def _expected(what: str, value: object, path: str, hint: str = "") -> BadRequest:
    return bad_spec(path, f"expected {what}, got {_shown(value)}{hint}")


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f'the text "{one_line(value)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"the number {one_line(repr(value)[:40])}" if isinstance(value, int | float) else type(value).__name__


def _unknown(key: str, names: Mapping[str, object], path: str) -> BadRequest:
    if key in _GONE:
        return bad_spec(_under(path, one_line(key)), f"this field is gone; {_GONE[key]}")
    close = difflib.get_close_matches(key, list(names), n=1)
    hint = f"did you mean {close[0]}" if close else "known are " + ", ".join(sorted({_plain(n) for n in names}))
    return bad_spec(_under(path, one_line(key)), f"unknown field; {hint}")


def _plain(name: str) -> str:
    return spelled(name) if "_" in name else name


def _under(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


@cache
def type_hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, resolved."""
    return typing.get_type_hints(kind)


@cache
def all_names(kind: Any) -> dict[str, dataclasses.Field[Any]]:
    """Every spelling of every field."""
    names: dict[str, dataclasses.Field[Any]] = {}
    for field in dataclasses.fields(kind):
        for name in (field.name, json_name(field), *field.metadata.get("also", ())):
            names[name] = field
    return names


def without_none(hint: Any) -> Any:
    """The type without its None: what a value has if it is there."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint

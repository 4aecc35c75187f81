# SPDX-License-Identifier: Apache-2.0
"""The text of pipeline specs, JSON or YAML, as plain trees of dicts, lists and scalars.

Stricter than the libraries: a key given twice is an error (both would drop one silently), and YAML dates
stay text, so that a tree holds nothing that JSON has not.
"""

import json
from typing import Any, Final

import yaml

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["documents", "json_document"]

_TEXT_MAX: Final = 1_048_576  # characters; a spec is a page
_VALUES_MAX: Final = 100_000  # in all; a few aliases of YAML can stand for billions
_MERGED_MAX: Final = 200
_MERGE: Final = "tag:yaml.org,2002:merge"
_NESTING_MAX: Final = 200  # levels; the loader calls itself in C, and a spec is some ten deep


def documents(text: str | bytes) -> list[Any]:
    """All documents of a stream: JSON values one after another, or YAML documents between `---`.

    A document that is a list stands for its elements. Empty documents are left out.

    Raises:
        BadRequest: BAD_SPEC, with line and column of what is wrong.
    """
    found: list[Any] = []
    for document in _read(_checked(_decoded(text))):
        found.extend(document if isinstance(document, list) else [document])
    return [document for document in found if document is not None]


def json_document(text: str) -> Any:
    """The one value of a JSON text: for what programs send, which is no YAML by chance.

    Raises:
        BadRequest: BAD_SPEC, with line and column of what is wrong.
    """
    decoded = _checked(_decoded(text))
    try:
        found = _read_json(decoded)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise _bad_json(error) from error
    except ValueError as error:  # a number of thousands of digits
        raise _bad(f"{one_line(str(error))}; mend the JSON") from error
    if len(found) != 1:
        raise _bad(f"{len(found)} JSON values found where one is expected; give one spec at a time")
    return found[0]


def _checked(text: str) -> str:
    if len(text) > _TEXT_MAX:
        raise _bad(f"it has {len(text)} characters; use at most {_TEXT_MAX}")
    return text


def _bad_json(error: json.JSONDecodeError) -> BadRequest:
    return _bad(f"{error.msg.lower()} at line {error.lineno} column {error.colno}; mend the JSON")


def _read(text: str) -> list[Any]:
    try:
        return _read_json(text)
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        # YAML holds JSON, but its messages about JSON with a slip are poor.
        like_json = text.lstrip()[:1] in ("{", "[")
        try:
            return _read_yaml(text)
        except BadRequest:
            if like_json:
                raise _bad_json(error) from error
            raise


def _read_json(text: str) -> list[Any]:
    decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
    found, at = [], 0
    while (at := _after_space(text, at)) < len(text):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        twice = next(key for n, (key, _) in enumerate(pairs) if any(key == other for other, _ in pairs[:n]))
        raise _bad(f"the field {one_line(twice)} is given twice in one object; keep one")
    return out


def _no_constant(name: str) -> Any:
    raise _bad(f"{name} is not a number of JSON; write a finite one")


class _Loader(yaml.CSafeLoader):
    """YAML's safe loader without dates, with every key once, and with merges that stay small."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        if getattr(node, "is_flat", False):  # a merge of it came before; its keys may now stand twice
            return
        node.is_flat = True  # type: ignore[attr-defined]  # ours
        _check_keys(node)
        super().flatten_mapping(node)
        if len(node.value) > _MERGED_MAX:
            raise _bad(f"a merge gives more than {_MERGED_MAX} fields; write it without so many aliases")


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                where = f"line {key.start_mark.line + 1} column {key.start_mark.column + 1}"
                raise _bad(f"the field {one_line(key.value)} is given twice at {where}; keep one")
            seen.add(key.value)
        if key.tag == _MERGE and len(value.value) > _MERGED_MAX:
            raise _bad(f"more than {_MERGED_MAX} things are merged; write it without so many aliases")


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _read_yaml(text: str) -> list[Any]:
    try:
        _check_nesting(text)
        found = list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1} column {mark.column + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        raise _bad(f"{one_line(str(problem))}{where}; mend the YAML") from error
    except (ValueError, RecursionError) as error:
        raise _bad(f"{one_line(str(error))}; mend the YAML") from error
    _check_size(found)
    return found


def _check_nesting(text: str) -> None:
    """Look at the events first: the loader would end the process where the text is too deep."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _NESTING_MAX:
            raise _too_deep()


def _check_size(found: list[Any]) -> None:
    todo, count = list(found), 0
    while todo:
        count += 1
        if count > _VALUES_MAX:
            raise _bad(f"it stands for more than {_VALUES_MAX} values; write it without so many aliases")
        value = todo.pop()
        if isinstance(value, dict | list):
            todo.extend(value.values() if isinstance(value, dict) else value)


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(f"byte {error.start} is not UTF-8; save the file as UTF-8") from error


def _too_deep() -> BadRequest:
    return _bad(f"it is nested deeper than {_NESTING_MAX} levels; a spec needs some ten")


def _bad(why: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_SPEC, f"pipeline spec cannot be read: {why}")

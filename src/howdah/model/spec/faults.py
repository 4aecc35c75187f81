# SPDX-License-Identifier: Apache-2.0
"""Everything that is wrong with a spec, not just the first thing: for who mends one.

First the shape, field by field. Where that is good, the meaning: each field is tried by itself in a small good spec,
and then the whole. What only a server knows, such as its repos and defaults, is not asked here.
"""

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, is_dataclass
from functools import partial
from typing import Any, Final

from howdah.errors import HowdahError
from howdah.model.names import DEFAULT_PROJECT
from howdah.model.spec.codec import Pairs, all_names, decode, respell, type_hints, without_none
from howdah.model.spec.inputs import InputMessage
from howdah.model.spec.layers import layered_spec, without_schema
from howdah.model.spec.parse import spec_tree
from howdah.model.spec.rules import require_supported
from howdah.model.spec.values import PipelineSpec

__all__ = ["faults_of"]

_NESTING_MAX: Final = 20
_SAMPLE: Final = {
    "pipeline": {"name": "sample"},
    "transform": {"cmd": ["true"]},
    "input": {"pfs": {"repo": "sample-input", "glob": "/"}},
}


def faults_of(
    spec: str | bytes | Mapping[str, Any],
    *,
    project: str = DEFAULT_PROJECT,
    defaults: Sequence[Mapping[str, Any]] = (),
) -> tuple[str, ...]:
    """What is wrong with a spec over these defaults, a text for each fault that begins with the field.

    Empty if nothing is. Defaults are as `parse_defaults` answers them, the widest first.
    """
    try:
        tree = without_schema(spec_tree(spec))
    except HowdahError as error:
        return (error.message,)
    found = list(_shape(PipelineSpec, tree, ""))
    if not found:
        found = list(_meaning(respell(PipelineSpec, tree), defaults, project))
    return tuple(dict.fromkeys(found))


def _shape(kind: Any, tree: object, path: str) -> Iterator[str]:
    if not isinstance(tree, Mapping) or path.count("[") > _NESTING_MAX:  # inputs in inputs; `decode` refuses them
        yield from _tried(partial(decode, kind, tree, path))
        return
    for key, value in tree.items():
        field = all_names(kind).get(key) if isinstance(key, str) else None
        inner, is_list = (None, False) if field is None else _inner(kind, field)
        where = f"{path}.{key}" if path else str(key)
        if inner is not None and is_list and isinstance(value, list):
            for n, item in enumerate(value):
                yield from _shape(inner, item, f"{where}[{n}]")
        elif inner is not None and not is_list and isinstance(value, Mapping):
            yield from _shape(inner, value, where)
        else:
            yield from _tried(partial(decode, kind, {key: value}, path))
    twice = {key: None for key in tree if key in all_names(kind)}
    yield from _tried(partial(respell, kind, twice, path))


def _inner(kind: Any, field: Field[Any]) -> tuple[Any, bool]:
    """The dataclass that a field holds, and whether it holds a list of them; None for all other fields."""
    hint = without_none(type_hints(kind)[field.name])
    is_list = typing.get_origin(hint) is tuple
    if field.metadata.get("respell"):
        return InputMessage, is_list
    if is_list:
        hint = None if hint == Pairs else typing.get_args(hint)[0]
    return (hint if is_dataclass(hint) else None), is_list


def _meaning(tree: Mapping[str, Any], defaults: Sequence[Mapping[str, Any]], project: str) -> Iterator[str]:
    """Faults of each field by itself, then of the whole. `tree` has its keys in one spelling."""
    for name, value in tree.items():
        if name == "transform" and isinstance(value, Mapping):
            for part, inner in value.items():
                sample = {**_SAMPLE, "transform": {"cmd": ["true"], part: inner}}
                yield from _tried(partial(_whole, sample, project))
        elif value is not None:
            sample = {**_SAMPLE, name: value}
            if name == "spout" and "input" not in tree:
                del sample["input"]
            yield from _tried(partial(_whole, sample, project))
    yield from _tried(partial(_whole, tree, project, defaults))


def _whole(tree: Mapping[str, Any], project: str, defaults: Sequence[Mapping[str, Any]] = ()) -> None:
    require_supported(layered_spec(tree, defaults, project=project))


def _tried(attempt: Callable[[], object]) -> Iterator[str]:
    try:
        attempt()
    except HowdahError as error:
        yield error.message

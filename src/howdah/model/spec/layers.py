# SPDX-License-Identifier: Apache-2.0
"""Specs laid over one another: defaults below, what a user wrote on top.

Trees are merged as JSON is by RFC 7396: an object goes into an object key by key, `null` takes away what is below, and
anything else replaces it. Before that keys are brought to one spelling, or `datum_tries` would not meet `datumTries`.
What no layer says is filled in last (`model.spec.rules`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from howdah.errors import HowdahError
from howdah.model.names import DEFAULT_PROJECT
from howdah.model.spec.codec import bad_spec, decode, respell
from howdah.model.spec.parse import parse_spec, spec_tree
from howdah.model.spec.rules import require_supported
from howdah.model.spec.text import documents
from howdah.model.spec.values import PipelineSpec

__all__ = ["DEFAULTS_KEY", "SCHEMA_KEY", "layered_spec", "merged", "parse_defaults", "without_schema"]

DEFAULTS_KEY: Final = "createPipelineRequest"
"""The one key of defaults, as the protocol wraps them; its other spelling is read too."""

SCHEMA_KEY: Final = "$schema"
"""Where editors look for the schema of a file; it says nothing."""

Tree = dict[str, Any]

# What belongs to one pipeline, or to one request, and to no default.
_NO_DEFAULTS: Final = ("pipeline", "update", "reprocess", "dryRun", "specCommit")
_SAMPLE: Final[Tree] = {"pipeline": {"name": "sample"}, "transform": {"cmd": ["true"]}}
_SAMPLE_INPUT: Final[Tree] = {"input": {"pfs": {"repo": "sample-input", "glob": "/"}}}


def layered_spec(
    spec: str | bytes | Mapping[str, Any], defaults: Sequence[Mapping[str, Any]], *, project: str = DEFAULT_PROJECT
) -> PipelineSpec:
    """The effective spec over these defaults, each as `parse_defaults` answers it, the widest first.

    Raises:
        BadRequest: BAD_SPEC or BAD_NAME; the message names the field.
    """
    own = without_schema(spec_tree(spec))
    if not any(defaults):
        return parse_spec(own, project=project)
    decode(PipelineSpec, own)  # its own mistakes first, by the names that it uses
    whole: Any = {}
    for layer in (*defaults, respell(PipelineSpec, own)):
        whole = merged(whole, layer)
    return parse_spec(whole, project=project)


def parse_defaults(text: str | bytes | Mapping[str, Any]) -> Tree:
    """What defaults say: the tree below their one key, in one spelling; empty if they say nothing.

    They are tried on a small pipeline, so that what no pipeline could have is told here.

    Raises:
        BadRequest: BAD_SPEC or BAD_NAME: the message names the field.
        Unsupported: a field that this version cannot do.
    """
    wrapper = text if isinstance(text, Mapping) else _only(documents(text))
    found: Tree = {}
    for key, value in without_schema(wrapper).items():
        if key not in (DEFAULTS_KEY, "create_pipeline_request"):
            raise bad_spec(str(key)[:80], f"unknown field; defaults have one key, {DEFAULTS_KEY}")
        if found:
            raise bad_spec(str(key), "given twice, in two spellings; keep one")
        if value is not None:
            found = _checked(value)
    return found


def merged(below: Any, above: Any) -> Any:
    """One JSON value over another, by RFC 7396. Neither is changed."""
    if not isinstance(above, Mapping):
        return above
    whole = dict(below) if isinstance(below, Mapping) else {}
    for key, value in above.items():
        if value is None:
            whole.pop(key, None)
        else:
            whole[key] = merged(whole.get(key), value)
    return whole


def without_schema(tree: Mapping[str, Any]) -> Tree:
    """The tree without the key that is for editors."""
    return {key: value for key, value in tree.items() if key != SCHEMA_KEY}


def _only(found: list[Any]) -> Mapping[str, Any]:
    if not found:
        return {}
    if len(found) > 1 or not isinstance(found[0], Mapping):
        raise bad_spec("defaults", f'expected one object; write {{"{DEFAULTS_KEY}": {{...}}}}')
    return found[0]


def _checked(value: object) -> Tree:
    if not isinstance(value, Mapping):
        raise bad_spec(DEFAULTS_KEY, "expected an object with fields of a spec; write { } around them")
    decode(PipelineSpec, value, DEFAULTS_KEY)
    tree: Tree = merged({}, respell(PipelineSpec, value, DEFAULTS_KEY))
    for name in _NO_DEFAULTS:
        if name in tree:
            raise bad_spec(f"{DEFAULTS_KEY}.{name}", "it belongs to one pipeline; leave it out of defaults")
    sample = _SAMPLE if "spout" in tree or "input" in tree else {**_SAMPLE, **_SAMPLE_INPUT}
    try:
        require_supported(layered_spec(sample, [tree]))
    except HowdahError as error:
        raise type(error)(error.kind, f"{DEFAULTS_KEY}.{error.message}") from error
    return tree

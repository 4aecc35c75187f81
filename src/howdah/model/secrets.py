# SPDX-License-Identifier: Apache-2.0
"""Secrets: a name, a type, and values under keys, as Kubernetes writes them in JSON.

Nothing here ever puts a value into a text: not into an error, not into a `repr`. What is kept of a secret, and how, is
in `pps.secrets`; how a spec asks for one is in `model.spec.secrets`.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["BYTES_MAX", "DEFAULT_TYPE", "Secret", "SecretInfo", "parse_secret", "secret_json", "secret_name"]

DEFAULT_TYPE: Final = "Opaque"
BYTES_MAX: Final = 1 << 20  # of all values together, as Kubernetes has it; what is bigger is data
_NAME_MAX: Final = 253
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_OWN_SUITE: Final = "pachyderm"  # what Pachyderm's clients label their secrets with, if at all


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret with its values, by key."""

    name: str
    type: str = DEFAULT_TYPE
    values: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """What anybody may know of a secret."""

    name: str
    type: str
    created_at: datetime | None


def secret_name(text: str) -> str:
    """The name of a secret.

    Raises:
        BadRequest: BAD_NAME.
    """
    if not _NAME.fullmatch(text) or len(text) > _NAME_MAX:
        rule = f"use up to {_NAME_MAX} lower case letters, digits, - and ., with a letter or digit at both ends"
        raise BadRequest(ErrorKind.BAD_NAME, f"{one_line(text) or 'an empty text'} is no name of a secret; {rule}")
    return text


def parse_secret(file: bytes) -> Secret:
    """A secret as Kubernetes has it in JSON: `metadata.name`, `type`, `data` in base64, `stringData` as it is.

    Of a key that is in both, `stringData` counts. What else Kubernetes knows of a secret is passed over.

    Raises:
        BadRequest: BAD_ARGUMENT, naming the field, never a value; BAD_NAME.
    """
    tree = _object(_decoded(file), "the file")
    if tree.get("kind", "Secret") != "Secret":
        raise _bad("kind", "is not Secret; give a Kubernetes Secret")
    metadata = _object(tree.get("metadata"), "metadata")
    suite = _object(metadata.get("labels"), "metadata.labels").get("suite") or _OWN_SUITE
    if suite != _OWN_SUITE:
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"invalid suite label set on secret: suite={one_line(str(suite))}; leave the label out",
        )
    name = secret_name(_text(metadata.get("name"), "metadata.name"))
    values = {key: _from_base64(key, text) for key, text in _entries(tree, "data")}
    values |= {key: _from_text(key, text) for key, text in _entries(tree, "stringData")}
    if sum(map(len, values.values())) > BYTES_MAX:
        raise _bad("data", f"has more than {BYTES_MAX} bytes; keep what is no secret in a repo")
    return Secret(name, _text(tree.get("type"), "type") or DEFAULT_TYPE, values)


def secret_json(secret: Secret) -> bytes:
    """What `parse_secret` reads."""
    data = {key: base64.b64encode(value).decode() for key, value in secret.values.items()}
    tree = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": secret.name}, "type": secret.type, "data": data}
    return json.dumps(tree).encode()


def _decoded(file: bytes) -> Any:
    try:
        return json.loads(file)
    except (ValueError, RecursionError):  # its text could hold a part of the file
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "a secret is to be JSON, and this is none; correct it") from None


def _object(value: Any, field: str) -> dict[str, Any]:
    """A JSON object; an empty one for what is absent."""
    if value is None and field != "the file":
        return {}
    if not isinstance(value, dict):
        raise _bad(field, "is no JSON object; correct it")
    return value


def _text(value: Any, field: str) -> str:
    if value is not None and not isinstance(value, str):
        raise _bad(field, "is no text; put it in quotes")
    return value or ""


def _entries(tree: Mapping[str, Any], field: str) -> list[tuple[str, str]]:
    found = _object(tree.get(field), field)
    for key in found:
        if not _KEY.fullmatch(key) or key in (".", "..") or len(key) > _NAME_MAX:
            raise _bad(field, f"has the key {one_line(key) or 'of no characters'}; use letters, digits, -, _ and .")
    return [(key, _text(value, f"{field}.{key}")) for key, value in found.items()]


def _from_text(key: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and no file can
        raise _bad(f"stringData.{key}", "is no Unicode text; give it in base64 in data") from None


def _from_base64(key: str, text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("\r", "").replace("\n", "").encode(), validate=True)
    except (binascii.Error, ValueError):
        raise _bad(f"data.{key}", "is not base64; encode it, or use stringData") from None


def _bad(field: str, text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"secret: {field} {text}")

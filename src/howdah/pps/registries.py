# SPDX-License-Identifier: Apache-2.0
"""The credentials of private registries, read out of the secrets that a spec names in `transform.imagePullSecrets`.

A secret is one of two things: `.dockerconfigjson`, as Kubernetes and `docker login` write it, with credentials of many
registries; or the keys `username` and `password`, and `registry` if they are for one alone. No text says a value.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from howdah.db.transaction import Transaction
from howdah.engine.images import Credentials, registry_of
from howdah.errors import BadRequest, ErrorKind
from howdah.model.spec import PipelineSpec
from howdah.pps.secrets import Secrets

__all__ = ["credentials_for", "credentials_in"]

_CONFIG: Final = ".dockerconfigjson"
_OLD_CONFIG: Final = ".dockercfg"


def credentials_for(tx: Transaction, secrets: Secrets, spec: PipelineSpec) -> Credentials | None:
    """What the registry of a pipeline's image is to be given; None if no secret has anything for it.

    Raises:
        NotFound: SECRET_NOT_FOUND.
        BadRequest: BAD_SPEC: a secret is not of a form that is understood.
        Refused: SECRETS_KEY: it cannot be opened with the keys of this server.
    """
    registry = registry_of(spec.transform.image)
    found = [credentials_in(name, secrets.values(tx, name), registry) for name in spec.transform.image_pull_secrets]
    return next((each for each in found if each is not None), None)


def credentials_in(secret: str, values: Mapping[str, bytes], registry: str) -> Credentials | None:
    """What a secret has for a registry; None if it has something for others.

    Raises:
        BadRequest: BAD_SPEC.
    """
    for key in (_CONFIG, _OLD_CONFIG):
        if key in values:
            return _of_config(secret, key, values[key], registry)
    if not {"username", "password"} <= set(values):
        text = f"secret {secret} has neither {_CONFIG} nor username and password"
        raise BadRequest(ErrorKind.BAD_SPEC, f"{text}; create it again with one of these")
    if "registry" in values and _host(_text(secret, "registry", values["registry"])) != registry:
        return None
    return Credentials(*(_text(secret, key, values[key]).rstrip("\n") for key in ("username", "password")))


def _of_config(secret: str, key: str, data: bytes, registry: str) -> Credentials | None:
    try:
        tree = json.loads(data)
        auths = tree["auths"] if key == _CONFIG else tree
        entries = [entry for host, entry in auths.items() if _host(host) == registry]
        return _of_entry(entries[0]) if entries else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # their texts could hold a part of it
        text = f"key {key} of secret {secret} is not what docker login writes"
        raise BadRequest(ErrorKind.BAD_SPEC, f"{text}; create the secret again from such a file") from None


def _of_entry(entry: Mapping[str, Any]) -> Credentials:
    if entry.get("username"):
        return Credentials(str(entry["username"]), str(entry["password"]))
    try:
        username, colon, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    except binascii.Error as error:
        raise ValueError from error
    if not colon:
        raise ValueError
    return Credentials(username, password)


def _host(address: str) -> str:
    """The host of a registry as it stands in such files: also with a scheme and a path, as Docker's own has."""
    host = address.strip().partition("://")[2] or address.strip()
    return registry_of(f"{host.partition('/')[0]}/x")


def _text(secret: str, key: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadRequest(ErrorKind.BAD_SPEC, f"key {key} of secret {secret} is no text; create it again") from None

# SPDX-License-Identifier: Apache-2.0
"""Credentials of registries, as secrets have them."""

import base64
import json

import pytest

from howdah.engine import Credentials
from howdah.errors import BadRequest, ErrorKind
from howdah.pps.registries import credentials_in

ANA = Credentials("ana", "s:e:cret")
AUTH = base64.b64encode(b"ana:s:e:cret").decode()


def config(auths):
    return {".dockerconfigjson": json.dumps({"auths": auths}).encode()}


@pytest.mark.parametrize(
    ("values", "registry"),
    [
        ({"username": b"ana", "password": b"s:e:cret\n"}, "any.example"),
        (
            {"username": b"ana", "password": b"s:e:cret", "registry": b"https://reg.example:5000/v2/"},
            "reg.example:5000",
        ),
        (config({"reg.example": {"auth": AUTH}}), "reg.example"),
        (config({"other": {}, "reg.example": {"username": "ana", "password": "s:e:cret"}}), "reg.example"),
        (config({"https://index.docker.io/v1/": {"auth": AUTH}}), "docker.io"),
        ({".dockercfg": json.dumps({"reg.example": {"auth": AUTH}}).encode()}, "reg.example"),
    ],
)
def test_credentials_are_found(values, registry):
    """By the registry, however it is written; a secret of one registry alone may leave it out."""
    assert ANA == credentials_in("reg", values, registry)


@pytest.mark.parametrize(
    "values",
    [
        {"username": b"ana", "password": b"s", "registry": b"other.example"},
        config({"other.example": {"auth": AUTH}}),
    ],
)
def test_credentials_of_others_are_not_used(values):
    """A registry is never shown what is for another one."""
    assert None is credentials_in("reg", values, "reg.example")


@pytest.mark.parametrize(
    "values",
    [
        {"token": b"hunter2"},
        {"username": b"\xff", "password": b"hunter2"},
        {".dockerconfigjson": b"hunter2"},
        {".dockerconfigjson": b'{"auths": {"reg.example": {"auth": "hunter2"}}}'},
        {".dockerconfigjson": b'{"auths": ["hunter2"]}'},
    ],
)
def test_what_is_no_credential_is_refused_without_its_value(values):
    """The text names the secret, and the key where there is one."""
    with pytest.raises(BadRequest) as error:
        credentials_in("reg", values, "reg.example")

    assert ErrorKind.BAD_SPEC == error.value.kind
    assert "secret reg" in error.value.message
    assert "hunter2" not in error.value.message

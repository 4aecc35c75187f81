# SPDX-License-Identifier: Apache-2.0
"""Secrets as Kubernetes writes them, and what specs may ask of them. No text ever shows a value."""

import json

import pytest

from howdah.errors import BadRequest
from howdah.model.secrets import BYTES_MAX, Secret, parse_secret, secret_json
from howdah.model.spec import parse_spec

VALUE = "hunter2-hunter2"
WRONG = {
    "not JSON": f"password: {VALUE}".encode(),
    "cut off": f'{{"metadata": {{"name": "db"}}, "stringData": {{"a": "{VALUE}'.encode(),
    "a list": json.dumps([VALUE]).encode(),
    "another kind": json.dumps({"kind": VALUE, "metadata": {"name": "db"}}).encode(),
    "no name": json.dumps({"stringData": {"a": VALUE}}).encode(),
    "not base64": json.dumps({"metadata": {"name": "db"}, "data": {"a": VALUE}}).encode(),
    "a number": json.dumps({"metadata": {"name": "db"}, "stringData": {"a": 7}}).encode(),
    "a key with a slash": json.dumps({"metadata": {"name": "db"}, "stringData": {"a/b": VALUE}}).encode(),
    "a key that leaves the folder": json.dumps({"metadata": {"name": "db"}, "stringData": {"..": VALUE}}).encode(),
    "half a character": b'{"metadata": {"name": "db"}, "stringData": {"a": "' + VALUE.encode() + b'\\ud800"}}',
    "too big": json.dumps({"metadata": {"name": "db"}, "stringData": {"a": VALUE * (BYTES_MAX // 10)}}).encode(),
    "another suite": json.dumps({"metadata": {"name": "db", "labels": {"suite": "other"}}}).encode(),
}


def test_a_secret_of_kubernetes_is_read():
    """Base64 and plain values; what is given twice counts as plain."""
    tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db.main", "labels": {"suite": "pachyderm"}, "annotations": {"a": "b"}},
        "type": "kubernetes.io/basic-auth",
        "data": {"user": "YW5h", "raw": "AAH/\n", "both": "b2xk"},
        "stringData": {"password": VALUE, "both": "new"},
    }

    secret = parse_secret(json.dumps(tree).encode())

    assert ("db.main", "kubernetes.io/basic-auth") == (secret.name, secret.type)
    assert {
        "user": b"ana",
        "raw": b"\0\1\xff",
        "both": b"new",
        "password": VALUE.encode(),
    } == secret.values


def test_what_is_written_is_read_again():
    """Any bytes; a secret without a type is Opaque."""
    secret = Secret("db", values={"a": bytes(range(256)), "empty": b""})

    assert secret == parse_secret(secret_json(secret))
    assert "Opaque" == secret.type


@pytest.mark.parametrize("file", WRONG.values(), ids=WRONG)
def test_what_is_no_secret_is_refused_without_being_shown(file):
    """One line that names the field, and no byte of a value."""
    with pytest.raises(BadRequest) as error:
        parse_secret(file)

    chain = [error.value, error.value.__cause__]
    assert [] == [each for each in chain if each is not None and VALUE in f"{each} {each.args}"]
    assert "\n" not in error.value.message
    assert "; " in error.value.message


def test_a_value_is_in_no_repr():
    """Not even that of a debugger."""
    assert VALUE not in repr(Secret("db", values={"a": VALUE.encode()}))


@pytest.mark.parametrize(
    ("mount", "field"),
    [
        ({"name": "db"}, "transform.secrets[0]"),
        ({"name": "", "mountPath": "/a"}, "transform.secrets[0].name"),
        ({"name": "Db", "mountPath": "/a"}, "transform.secrets[0].name"),
        ({"name": "db", "envVar": "A"}, "transform.secrets[0].key"),
        ({"name": "db", "envVar": "A=B", "key": "a"}, "transform.secrets[0].envVar"),
        ({"name": "db", "mountPath": "a"}, "transform.secrets[0].mountPath"),
        ({"name": "db", "mountPath": "/"}, "transform.secrets[0].mountPath"),
        ({"name": "db", "mountPath": "/a/../etc"}, "transform.secrets[0].mountPath"),
        ({"name": "db", "mountPath": "/pfs/in"}, "transform.secrets[0].mountPath"),
        ({"name": "db", "mountPath": "/proc"}, "transform.secrets[0].mountPath"),
    ],
)
def test_a_spec_that_puts_a_secret_nowhere_is_refused(mount, field):
    """The error names the field."""
    spec = {
        "pipeline": {"name": "p"},
        "transform": {"cmd": ["a"], "secrets": [mount]},
        "input": {"pfs": {"repo": "r", "glob": "/*"}},
    }

    with pytest.raises(BadRequest) as error:
        parse_spec(spec)

    assert field == error.value.message.partition(":")[0]
